/*
 * Growth: slots are made, of gaps in the file or behind its end, ahead of those who need them.
 *
 * Source: durability, "Slots" and "Operations": the order of these writes was found by enumerating
 * what a crash can leave, and the tests in tests/crash do so again.
 */
#pragma once

#include "disk/state.h"

/*
 * Take one step towards a ready slot, when there is none: make slots, wait for who does, or for the
 * barrier that they lack.
 *
 * With growth_lock held, which may be left meanwhile. Returns 0, -ENOSPC, -EFBIG, -EIO, or another
 * negative errno of pwrite(2) or fdatasync(2).
 */
int vhd_disk_wait_for_slot(struct vhd_disk *disk);

/* Are so few slots left that it is time to make others? With growth_lock held. */
bool vhd_disk_is_short_of_slots(const struct vhd_disk *disk);

/*
 * Make slots ahead, if few are left of those that were made, such that the next barrier makes them
 * ready. With growth_lock held, which may be left meanwhile. What fails here is told by who needs
 * a slot.
 */
void vhd_disk_grow_ahead(struct vhd_disk *disk);

/*
 * Does the file's length follow what was written back last, and not the footer? Then a growth has
 * to wait for its footer before it writes anything below.
 */
bool vhd_disk_is_footer_first(const struct vhd_disk *disk);
