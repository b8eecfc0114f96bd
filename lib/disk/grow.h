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

/* Are so few slots left that the disk needs more ahead? Call it with growth_lock held. */
bool vhd_disk_is_short_of_slots(const struct vhd_disk *disk);

/*
 * Make slots ahead, if they run short; the next barrier makes them ready. Call it with growth_lock
 * held; it may be left meanwhile. A failure is not reported here: it shows when a block needs a
 * slot.
 */
void vhd_disk_grow_ahead(struct vhd_disk *disk);

/*
 * Is the disk of class X, where the file's length follows the highest page written back? Then a
 * growth waits until its footer is durable before it writes anything below it.
 */
bool vhd_disk_is_footer_first(const struct vhd_disk *disk);
