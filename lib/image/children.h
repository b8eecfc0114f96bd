/*
 * The index of children: which disks of a store have which parent. Only the children's headers name
 * a parent, so the index reads all headers once, and remembers them. Hyper-V's snapshots may be
 * children too, although they are no disks of the store.
 */
#pragma once

#include "format/footer.h"
#include "store/store.h"

struct vhd_children;

/*
 * Make an index of a store, without reading it. Threads may share it.
 *
 * Returns NULL when memory is short.
 */
struct vhd_children *vhd_children_new(struct vhd_store *store);

/* Free an index. NULL is allowed. */
void vhd_children_free(struct vhd_children *children);

/*
 * Count the children of an image: disks that record its identity, and whose names for their parent
 * lead to it (parent.h). A copy of a parent has the same identity and is no parent.
 *
 *   file    the image's file name in the store
 *   parent  its identity
 *
 * A disk that comes or goes shows at once, by the directory's time. A header that another program
 * changes in place shows within two seconds. A call stats the directory, and if that has changed
 * each file in it. It opens only new and changed images.
 *
 * Returns 0, or a negative errno: the store could not be listed, or memory is short.
 */
int vhd_children_count(struct vhd_children *children, const char *file, const uuid_t parent,
                       unsigned *ret);

/*
 * The same, but stat each file even if the directory's time is unchanged. For a caller about to
 * delete or rename a parent.
 */
int vhd_children_count_now(struct vhd_children *children, const char *file, const uuid_t parent,
                           unsigned *ret);
