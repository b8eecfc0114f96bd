/* SPDX-License-Identifier: MIT */
/*
 * The list of open files and folders. The kernel reports every close, unless the connection ends
 * first: then the files that are left are closed from this list.
 */
#pragma once

#include <pthread.h>
#include <sys/queue.h>

/* Part of every open file and folder. */
struct fs_opened {
    void (*close)(struct fs_opened *opened); /* takes it off the list and releases it */
    LIST_ENTRY(fs_opened) link;
};

struct fs_opened_list {
    pthread_mutex_t lock; /* a leaf; guards the list */
    LIST_HEAD(fs_opened_head, fs_opened) all;
};

/* Put an open file on the list, with the function that closes it; and take it off. */
void fs_opened_add(struct fs_opened_list *list, struct fs_opened *opened,
                   void (*close)(struct fs_opened *opened));
void fs_opened_remove(struct fs_opened_list *list, struct fs_opened *opened);

/* Close all on the list. The connection has ended, so no file is opened or closed meanwhile. */
void fs_opened_close_all(struct fs_opened_list *list);
