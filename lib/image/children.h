/*
 * Which disks of a store are based on which. A parent does not know its children: only their
 * headers tell, so all of them have to be read; what was read is remembered. Hyper-V's snapshots,
 * which are no disks of the store, may be children too.
 */
#pragma once

#include "format/footer.h"
#include "store/store.h"

struct vhd_children;

/*
 * Begin an index of a store; nothing is read yet. It may be shared between threads.
 *
 * Returns NULL when memory is short.
 */
struct vhd_children *vhd_children_new(struct vhd_store *store);

/* Release an index; NULL is allowed. */
void vhd_children_free(struct vhd_children *children);

/*
 * Count the disks whose parent this file is: they have its identity on record, and the names of
 * their parent lead to it (parent.h). A copy of a parent has the same identity and is no parent.
 *
 *   file    the image's file name in the store
 *   parent  its identity
 *
 * Disks put in or taken out are seen at once, by the directory's time. A header that another
 * program has changed in place is seen within two seconds. Costs a look at the directory, and
 * where that has changed one at each file in it; only new and changed images are opened.
 *
 * Returns 0, or a negative errno: the store could not be listed, or memory is short.
 */
int vhd_children_count(struct vhd_children *children, const char *file, const uuid_t parent,
                       unsigned *ret);

/*
 * The same by looking at each file anew, whatever the directory's time says: for whoever is about
 * to delete or rename a parent.
 */
int vhd_children_count_now(struct vhd_children *children, const char *file, const uuid_t parent,
                           unsigned *ret);
