/* SPDX-License-Identifier: MIT */
/*
 * Sharing: disks of one store with the same parent use one open layer for it, so with it one
 * descriptor, one claim and one table. A shared layer never changes, apart from its fingerprint and
 * its marks of full blocks. The top layer of a disk is never shared, because it can become
 * writable.
 *
 * The list's lock is a leaf: its holder takes no other lock and makes no call to the host. A thread
 * that wants a layer opens its own while another thread is opening it.
 */
#pragma once

#include <stdbool.h>

#include "store/store.h"

struct vhd_layer;

/* The part of a layer that makes it shared; all zero while one chain owns the layer. */
struct vhd_shared {
    /* constant once the layer is shared */
    struct vhd_share *share;
    struct vhd_layer *layer;
    const char *file;
    bool is_raw; /* the file is flat content, without metadata */

    /* under the share's lock */
    struct vhd_shared *next; /* shared before this one */
    unsigned users;          /* layers above it, and threads that have got it */
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

/* Drop one user of a layer. Returns true for the last one: the caller must free the layer. */
bool vhd_share_leave(struct vhd_shared *shared);
