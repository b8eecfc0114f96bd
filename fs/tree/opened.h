/*
 * What is open in the tree. The kernel tells of every close, but for files that are still open
 * when the connection ends: those are closed from here.
 */
#pragma once

#include <pthread.h>
#include <sys/queue.h>

/* Part of everything that is open. */
struct fs_opened {
    void (*close)(struct fs_opened *opened); /* takes it off the list and releases it */
    LIST_ENTRY(fs_opened) link;
};

struct fs_opened_list {
    pthread_mutex_t lock; /* a leaf; guards the list */
    LIST_HEAD(fs_opened_head, fs_opened) all;
};

void fs_opened_add(struct fs_opened_list *list, struct fs_opened *opened,
                   void (*close)(struct fs_opened *opened));

void fs_opened_remove(struct fs_opened_list *list, struct fs_opened *opened);

/* Close what is left. The connection has ended, so nothing is opened or closed meanwhile. */
void fs_opened_close_all(struct fs_opened_list *list);
