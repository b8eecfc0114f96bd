/*
 * Barriers: what has been written is durable, and with that what has waited for it may be used.
 */
#pragma once

#include "disk/state.h"

/*
 * Make durable what has been written so far, and ready what has waited for that. A failure is
 * final: the host may have dropped what it could not write, and report success the next time.
 *
 * With growth_lock held, which is left meanwhile. Returns 0 or a negative errno.
 */
int vhd_disk_barrier(struct vhd_disk *disk);

/* The same, without growth_lock. */
int vhd_disk_barrier_now(struct vhd_disk *disk);

/* Put the disk's footer into its file. Returns 0, or the negative errno of pwrite(2). */
int vhd_footer_put(const struct vhd_disk *disk, int fd, uint64_t at);

/*
 * Zero the footer that was valid until a growth, if that is still to be done: its sector is a gap
 * now, and gaps are zero. A barrier does it once the new one is durable.
 */
void vhd_disk_zero_stale_footer(struct vhd_disk *disk);
