/* SPDX-License-Identifier: MIT */
/*
 * Growth makes slots ahead of use, from gaps or behind the end of the file.
 *
 * See README.md, "The file and its slots" and "Growth". The order of these writes comes from an
 * enumeration of all states that a crash can leave; tests/crash repeats it.
 */
#pragma once

#include "disk/state.h"

/*
 * Go one step towards a ready slot, when there is none: make slots, wait for a thread that does, or
 * run the barrier that they lack.
 *
 * Call it with growth_lock held; it may be left meanwhile. Returns 0, -ENOSPC, -EFBIG, -EIO,
 * -ENOMEM, or another negative errno of pwrite(2) or fdatasync(2).
 */
int vhd_disk_wait_for_slot(struct vhd_disk *disk);

/*
 * Get a ready slot, and make one if there is none. It belongs to no block yet.
 *
 * Call it with growth_lock held; it may be left meanwhile. Returns as vhd_disk_wait_for_slot().
 */
int vhd_disk_get_slot(struct vhd_disk *disk, uint32_t *ret_sector);

/* Are so few slots left that the disk needs more ahead? Call it with growth_lock held. */
bool vhd_disk_is_short_of_slots(const struct vhd_disk *disk);

/*
 * Make slots ahead, if they run short; the next barrier makes them ready. Call it with growth_lock
 * held; it may be left meanwhile. A failure is not reported here: it shows when a block needs a
 * slot.
 */
void vhd_disk_grow_ahead(struct vhd_disk *disk);

/*
 * Write the footer behind the end of the file, which it ends from then on. A failure may have
 * moved the end too (tried_length).
 *
 *   at  byte in the file
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_footer_append(struct vhd_disk *disk, uint64_t at);

/*
 * Is the disk of class X, where the file's length follows the highest page written back? Then a
 * growth waits until its footer is durable before it writes anything below it.
 */
bool vhd_disk_is_footer_first(const struct vhd_disk *disk);

/*
 * Write the footer further behind, as a growth does. The old one stays until the next barrier, and
 * all between is a gap.
 *
 *   at  byte of the new footer, above the old one's sector
 *
 * Call it with growth_lock held. Returns 0 or a negative errno, as vhd_disk_wait_for_slot().
 */
int vhd_disk_move_footer(struct vhd_disk *disk, uint64_t at);
