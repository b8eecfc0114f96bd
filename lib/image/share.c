/* SPDX-License-Identifier: MIT */
#include "image/share.h"

#include <string.h>

#include "base/cleanup.h"

struct vhd_layer *vhd_share_get(const struct vhd_store *store, const char *file, bool is_raw)
{
    struct vhd_share *share = vhd_store_share(store);

    HOLD_LOCK(&share->lock);
    for (struct vhd_shared *shared = share->newest; shared; shared = shared->next) {
        if (shared->is_raw == is_raw && strcmp(shared->file, file) == 0) {
            shared->users++;
            return shared->layer;
        }
    }
    return NULL;
}

void vhd_share_add(const struct vhd_store *store, struct vhd_shared *shared)
{
    struct vhd_share *share = vhd_store_share(store);

    HOLD_LOCK(&share->lock);
    shared->share = share;
    shared->users = 1;
    shared->next = share->newest;
    share->newest = shared;
}

bool vhd_share_leave(struct vhd_shared *shared)
{
    struct vhd_share *share = shared->share;
    struct vhd_shared **at;

    if (!share)
        return true;
    HOLD_LOCK(&share->lock);
    if (--shared->users > 0)
        return false;
    for (at = &share->newest; *at != shared; at = &(*at)->next)
        ;
    *at = shared->next;
    return true;
}
