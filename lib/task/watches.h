/* SPDX-License-Identifier: MIT */
/*
 * The watches of a task, which call back when it is accepted or has ended.
 *
 * The list has no lock: the task's guards it. A watch is called when it is on no list any more, so
 * vhd_task_unwatch() does not find it then.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

/* A callback for the end of a task, or for its acceptance. It runs at most once. */
struct vhd_task_watch {
    SLIST_ENTRY(vhd_task_watch) link;              /* guarded by the task's lock */
    bool wants_acceptance;                         /* of long work: do not wait for the end */
    void (*reached)(struct vhd_task_watch *watch); /* runs on the thread that brought it about */
};

SLIST_HEAD(vhd_watches, vhd_task_watch);

/* Remove a watch. Returns false if the list does not have it. */
bool vhd_watches_remove(struct vhd_watches *watches, struct vhd_task_watch *watch);

/* Remove those that do not wait for the end of their task. Returns them. */
struct vhd_watches vhd_watches_remove_early(struct vhd_watches *watches);

/* Remove and call all. Call it without the lock of a task. */
void vhd_watches_call(struct vhd_watches *watches);
