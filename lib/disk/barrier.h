/* SPDX-License-Identifier: MIT */
/*
 * Barriers make all earlier writes durable, and the slots that waited for them ready.
 */
#pragma once

#include "disk/state.h"

/*
 * Make all writes so far durable, and the slots that wait for them ready. A failure is final: the
 * host may have dropped data that it could not write, and may report success next time.
 *
 * Call it with growth_lock held; the lock is left during the sync.
 *
 * Returns 0, -EIO when the disk has failed, or another negative errno of fdatasync(2).
 */
int vhd_disk_barrier(struct vhd_disk *disk);

/* The same, called without growth_lock. */
int vhd_disk_barrier_now(struct vhd_disk *disk);

/*
 * Write the disk's footer.
 *
 *   fd  open for writing; may be O_DIRECT
 *   at  byte in the file
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_footer_put(const struct vhd_disk *disk, int fd, uint64_t at);

/*
 * Note that the file has a new footer. The old one is stale once the next barrier has made the new
 * one durable.
 *
 *   at, end  bytes of the old one and its copies
 */
void vhd_disk_note_stale_footer(struct vhd_disk *disk, uint64_t at, uint64_t end);

/*
 * Zero the stale footer of a growth and its copies, if there are any: they are a gap now. A barrier
 * calls this once the new footer is durable.
 */
void vhd_disk_zero_stale_footer(struct vhd_disk *disk);
