/*
 * Sharing: disks of one store with the same parent use one open layer for it, so with it one
 * descriptor, one claim and one table. A shared layer never changes, apart from its marks of full
 * blocks. The top layer of a disk is never shared, because it can become writable.
 *
 * The list's lock is innermost: nobody takes another lock or calls the host while holding it. A
 * thread that wants a layer which another thread is just opening opens its own.
 */
#pragma once

#include <stdbool.h>

#include "store/store.h"

struct vhd_layer;

/* What a layer has for being shared; all zero while it is one chain's own. */
struct vhd_shared {
    /* constant once the layer is shared */
    struct vhd_share *share;
    struct vhd_layer *layer;
    const char *file;
    bool is_raw; /* the file is nothing but content */

    /* under the share's lock */
    struct vhd_shared *next; /* shared before this one */
    unsigned users;          /* layers above it, and who got it just now */
};

/*
 * Get the layer of a file that was shared last, with one more user. The caller judges whether the
 * file is still the same.
 *
 * Returns NULL if there is none.
 */
struct vhd_layer *vhd_share_get(const struct vhd_store *store, const char *file, bool is_raw);

/*
 * Share a layer, which has one user so far: the layer above it. From now on it is constant, and so
 * are all below it.
 *
 *   shared  the layer's own, with layer, file and is_raw filled in
 */
void vhd_share_add(const struct vhd_store *store, struct vhd_shared *shared);

/* Drop one user of a layer. Returns true if nobody uses it now: the caller must free it. */
bool vhd_share_leave(struct vhd_shared *shared);
