/* SPDX-License-Identifier: MIT */
#include "exit_sync.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/thread.h"
#include "kernel/invalidate.h"
#include "process/log.h"
#include "tree/handle.h"
#include "tree/open_disk.h"

/* The sync of one disk. Its thread uses the constant members without the lock. */
struct disk_sync {
    struct fs_exit_sync *owner;
    struct fs_handle *handle; /* a raw file of the disk; referenced until the end of the sync */
    const struct fs_open_disk *open_disk; /* not to be used: the disk may be closed */
    char name[NAME_MAX + 1];
    SLIST_ENTRY(disk_sync) link;

    /* guarded by the owner's lock */
    bool is_done;
    int err;
};

struct fs_exit_sync {
    struct fs *fs; /* constant */

    pthread_mutex_t lock; /* guards the members below; taken before that of the open files */
    pthread_cond_t changed;
    SLIST_HEAD(disk_sync_list, disk_sync) disks;
    bool is_short; /* of memory: some disks are not among them */
};

struct fs_exit_sync *fs_exit_sync_new(struct fs *fs)
{
    struct fs_exit_sync *sync = calloc(1, sizeof *sync);
    if (!sync)
        return NULL;
    sync->fs = fs;
    pthread_mutex_init(&sync->lock, NULL);
    pthread_cond_init(&sync->changed, NULL);
    SLIST_INIT(&sync->disks);
    return sync;
}

/* Have the kernel send what mappings have changed, then flush. Returns 0 or a negative errno. */
static int sync_disk(const struct disk_sync *disk)
{
    struct fs_handle *handle = disk->handle;

    (void)fs_open_disk_take_failure(handle->open_disk);
    int err = fs_invalidate(handle->fs->invalidator, fs_node_id(&handle->node),
                            vhd_disk_size(handle->disk), FS_EXIT_SYNC_MS);
    if (err < 0)
        return err;
    /* The kernel does not say whether our answer to a write was an error. */
    const int failure = fs_open_disk_take_failure(handle->open_disk);
    err = vhd_disk_flush(handle->disk);
    return failure < 0 ? failure : err;
}

static void *disk_run(void *arg)
{
    struct disk_sync *disk = arg;
    struct fs_exit_sync *sync = disk->owner;
    const int err = sync_disk(disk);

    fs_handle_unref(disk->handle);
    HOLD_LOCK(&sync->lock);
    disk->err = err;
    disk->is_done = true;
    pthread_cond_broadcast(&sync->changed);
    return NULL;
}

static void forget_ended(struct fs_exit_sync *sync)
{
    struct disk_sync *next;

    for (struct disk_sync *disk = SLIST_FIRST(&sync->disks); disk; disk = next) {
        next = SLIST_NEXT(disk, link);
        if (disk->is_done) {
            SLIST_REMOVE(&sync->disks, disk, disk_sync, link);
            free(disk);
        }
    }
}

/* Add the disk of a file that is open for writing, unless it has been added already. */
static void add(void *arg, struct fs_handle *handle)
{
    struct fs_exit_sync *sync = arg;
    struct disk_sync *disk;

    if (!handle->open_disk || !handle->is_writer)
        return;
    SLIST_FOREACH(disk, &sync->disks, link) {
        if (disk->open_disk == handle->open_disk)
            return;
    }
    disk = calloc(1, sizeof *disk);
    if (!disk) {
        sync->is_short = true;
        return;
    }
    *disk = (struct disk_sync){.owner = sync, .open_disk = handle->open_disk};
    disk->handle = fs_handle_ref(handle);
    snprintf(disk->name, sizeof disk->name, "%s", handle->opened_as);
    SLIST_INSERT_HEAD(&sync->disks, disk, link);
}

void fs_exit_sync_begin(struct fs_exit_sync *sync)
{
    struct disk_sync *disk;

    HOLD_LOCK(&sync->lock);
    forget_ended(sync);
    const struct disk_sync *under_way = SLIST_FIRST(&sync->disks);
    fs_handles_each(sync->fs, add, sync);
    for (disk = SLIST_FIRST(&sync->disks); disk != under_way; disk = SLIST_NEXT(disk, link)) {
        disk->err = thread_start_detached(disk_run, disk);
        if (disk->err < 0) {
            disk->is_done = true;
            fs_handle_unref(disk->handle); /* not the last: its file is open */
        }
    }
}

/* Under the lock. */
static bool is_done(const struct fs_exit_sync *sync)
{
    const struct disk_sync *disk;

    SLIST_FOREACH(disk, &sync->disks, link) {
        if (!disk->is_done)
            return false;
    }
    return true;
}

bool fs_exit_sync_is_done(struct fs_exit_sync *sync)
{
    HOLD_LOCK(&sync->lock);
    return is_done(sync);
}

void fs_exit_sync_log(struct fs_exit_sync *sync)
{
    const struct disk_sync *disk;

    HOLD_LOCK(&sync->lock);
    if (sync->is_short)
        fs_log(LOG_WARNING, "out of memory; some open disks are not synced before the end");
    SLIST_FOREACH(disk, &sync->disks, link) {
        const bool is_silent = !disk->is_done || disk->err == -ETIMEDOUT;
        if (is_silent || disk->err < 0)
            fs_log(LOG_ERR, "the last writes to the disk \"%s\" may be lost: %s", disk->name,
                   is_silent ? "the host does not answer" : strerrordesc_np(-disk->err));
    }
}

void fs_exit_sync_wait(struct fs_exit_sync *sync)
{
    HOLD_LOCK(&sync->lock);
    while (!is_done(sync))
        pthread_cond_wait(&sync->changed, &sync->lock);
}

void fs_exit_sync_free(struct fs_exit_sync *sync)
{
    if (!sync)
        return;
    /* The last thread may still hold the lock. */
    pthread_mutex_lock(&sync->lock);
    forget_ended(sync);
    pthread_mutex_unlock(&sync->lock);
    pthread_cond_destroy(&sync->changed);
    pthread_mutex_destroy(&sync->lock);
    free(sync);
}
