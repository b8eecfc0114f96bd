/*
 * Growth: barriers, rooms, and the blocks that get them.
 *
 * Source: durability, "Rooms" and "Operations": the order of these writes was found by enumerating
 * what a crash can leave, and the tests in tests/crash do so again.
 */
#pragma once

#include "disk/state.h"

/*
 * Make durable what has been written so far, and READY what has waited for that. A failure is
 * final: the host may have dropped what it could not write, and report success the next time.
 *
 * With growth_lock held, which is left meanwhile. Returns 0 or a negative errno.
 */
int vhd_barrier(struct vhd_disk *disk);

/* The same, without growth_lock. */
int vhd_barrier_now(struct vhd_disk *disk);

/*
 * Give a block a room, unless it has one; its entry is on disk before anybody can use it.
 *
 * Returns 0, -ENOSPC, -EFBIG, -EIO, or another negative errno of pwrite(2) or fdatasync(2).
 */
int vhd_allocate(struct vhd_disk *disk, uint32_t block);

/*
 * Take a block's entry away, on disk and in memory. Its room is no longer used once grace is over.
 *
 *   ret_sector  receives what the entry was; VHD_UNALLOCATED where there was none
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_deallocate(struct vhd_disk *disk, uint32_t block, uint32_t *ret_sector);

/*
 * Hand back rooms that nobody uses any more: they are zeroed, and READY after the next barrier. One
 * that cannot be zeroed, or that another program has written to in part, is of no use until the
 * image is opened anew, which is no failure.
 */
void vhd_free_rooms(struct vhd_disk *disk, const uint32_t *sectors, size_t count);

/* For a test of what must not be done (R5): hand a block's room back as if it were READY. */
void vhd_recycle_room(struct vhd_disk *disk, uint32_t block);

/*
 * Does the file's length follow what was written back last, and not the footer? Then a growth has
 * to wait for its footer before it writes anything below.
 */
bool vhd_is_footer_first(const struct vhd_disk *disk);

/*
 * Make rooms ahead, if few are left of those that were made, such that the next barrier makes them
 * READY. With growth_lock held, which may be left meanwhile. What fails here is told by who needs
 * a room.
 */
void vhd_grow_ahead(struct vhd_disk *disk);

/* Put the disk's footer into its file. Returns 0, or the negative errno of pwrite(2). */
int vhd_put_footer(const struct vhd_disk *disk, int fd, uint64_t at);
