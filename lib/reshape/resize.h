/* SPDX-License-Identifier: MIT */
/*
 * A disk gets another size. Nobody else may use the disk meanwhile: it is open for writing, without
 * a flusher, and all calls come from one thread. It is dynamic or fixed, not differencing.
 *
 * Until vhd_disk_resize() content and size stay, so a caller may stop at any time. See
 * lib/disk/README.md, "Resize".
 */
#pragma once

#include <stdint.h>

#include "disk/disk.h"

/*
 * Judge whether the image can have a size.
 *
 *   size        bytes, a multiple of 512
 *   ret_length  receives the length of the file when every block is allocated
 *
 * Returns 0, or
 *   -EFBIG       too many blocks, or a file with more sectors than an entry can name
 *   -EOPNOTSUPP  the table cannot grow, because metadata of another program follows it; or the
 *                footer of a fixed disk lies off a sector
 *   -ENOMEM, or another negative errno of pread(2)
 */
int vhd_disk_judge_size(const struct vhd_disk *disk, uint64_t size, uint64_t *ret_length);

/*
 * Find data from the end of a range backwards. One call takes a fraction of a second; call it again
 * until it finds data, or *end has come down to from.
 *
 *   from  bytes, a multiple of 512
 *   end   the range ends here; receives the end of the sectors whose zeros are not yet known
 *
 * Returns 1 if the sector before *end has data, 0 if all from *end on reads as zeros, or a negative
 * errno as vhd_disk_read().
 */
int vhd_disk_skip_zeros(struct vhd_disk *disk, uint64_t from, uint64_t *end);

/*
 * Prepare a larger size: move blocks off the place of the new table, some in each call; or zero the
 * bytes between a fixed disk and its footer.
 *
 *   size  that vhd_disk_judge_size() has accepted
 *
 * Returns 1 if the call has to be repeated, 0 when all is prepared, or a negative errno as
 * vhd_disk_write().
 */
int vhd_disk_make_way(struct vhd_disk *disk, uint64_t size);

/*
 * Give the disk the size, durably. A larger size comes after vhd_disk_make_way(). For a smaller one
 * the disk reads as zeros beyond it, and the caller has discarded that and flushed the disk.
 *
 *   size  that vhd_disk_judge_size() has accepted
 *
 * Returns 0; -ESTALE when another program has changed the file; -ENOMEM; or a negative errno of
 * pread(2), pwrite(2), fdatasync(2) or ftruncate(2). Where that leaves the image between two sizes,
 * the disk has failed (vhd_disk_has_failed()), and the next opening for writing gives it one of
 * them.
 */
int vhd_disk_resize(struct vhd_disk *disk, uint64_t size);

/* A descriptor of the image's file, open for writing, to reserve space of the host. */
int vhd_disk_file_to_reserve(const struct vhd_disk *disk);

/*
 * Lengthen a fixed disk to a larger size before its space is reserved, for a host that can only
 * reserve inside a file. The old footer stays, so vhd_disk_retract() can undo it.
 *
 * Returns as vhd_disk_resize().
 */
int vhd_disk_extend(struct vhd_disk *disk, uint64_t size);

/*
 * Give a fixed disk's file its length again: undo vhd_disk_extend(), and give back space that was
 * reserved behind the end.
 *
 * Returns 0, or a negative errno of pread(2), ftruncate(2) or fdatasync(2); then the disk has
 * failed.
 */
int vhd_disk_retract(struct vhd_disk *disk);
