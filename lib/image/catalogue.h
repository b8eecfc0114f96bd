/* SPDX-License-Identifier: MIT */
/*
 * A catalogue: a store, and the index of the children of its disks. Only a child's header names the
 * parent, so the index reads all headers once, and remembers them. Hyper-V's snapshots may be
 * children too, although they are no disks of the store.
 */
#pragma once

#include "format/footer.h"
#include "store/store.h"

struct vhd_catalogue;

/*
 * Make the catalogue of a store, without reading the store. Threads may share it.
 *
 *   store  stays referenced as long as the catalogue exists
 *
 * Returns a reference, or NULL when memory is short.
 */
struct vhd_catalogue *vhd_catalogue_new(struct vhd_store *store);

/* Add a reference; returns catalogue. */
struct vhd_catalogue *vhd_catalogue_ref(struct vhd_catalogue *catalogue);

/* Drop a reference; the last one frees the catalogue. NULL is allowed. */
void vhd_catalogue_unref(struct vhd_catalogue *catalogue);

/* The store of a catalogue. */
struct vhd_store *vhd_catalogue_store(const struct vhd_catalogue *catalogue);

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
int vhd_catalogue_count_children(struct vhd_catalogue *catalogue, const char *file,
                                 const uuid_t parent, unsigned *ret);

/*
 * The same, but stat each file even if the directory's time is unchanged. For a caller about to
 * write to a parent, delete it or rename it.
 */
int vhd_catalogue_count_children_now(struct vhd_catalogue *catalogue, const char *file,
                                     const uuid_t parent, unsigned *ret);

/*
 * Measure the longest chain of children below an image: 0 without a child, 1 where no child has
 * children. It sees changes as vhd_catalogue_count_children() does, so a caller that has just
 * called vhd_catalogue_count_children_now() sees all.
 *
 *   file      the image's file name in the store
 *   identity  its identity
 *   limit     1 or more; *ret is no greater
 *
 * Returns as vhd_catalogue_count_children().
 */
int vhd_catalogue_depth_below(struct vhd_catalogue *catalogue, const char *file,
                              const uuid_t identity, unsigned limit, unsigned *ret);
