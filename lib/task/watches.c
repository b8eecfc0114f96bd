/* SPDX-License-Identifier: MIT */
#include "task/watches.h"

#include <stddef.h>

bool vhd_watches_remove(struct vhd_watches *watches, struct vhd_task_watch *watch)
{
    const struct vhd_task_watch *known = SLIST_FIRST(watches);

    while (known && known != watch)
        known = SLIST_NEXT(known, link);
    if (known)
        SLIST_REMOVE(watches, watch, vhd_task_watch, link);
    return known;
}

struct vhd_watches vhd_watches_remove_early(struct vhd_watches *watches)
{
    struct vhd_watches early = SLIST_HEAD_INITIALIZER(early), rest = early;

    while (!SLIST_EMPTY(watches)) {
        struct vhd_task_watch *watch = SLIST_FIRST(watches);
        SLIST_REMOVE_HEAD(watches, link);
        SLIST_INSERT_HEAD(watch->wants_acceptance ? &early : &rest, watch, link);
    }
    *watches = rest;
    return early;
}

void vhd_watches_call(struct vhd_watches *watches)
{
    while (!SLIST_EMPTY(watches)) {
        struct vhd_task_watch *watch = SLIST_FIRST(watches);
        SLIST_REMOVE_HEAD(watches, link);
        watch->reached(watch);
    }
}
