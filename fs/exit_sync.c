#include "exit_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/thread.h"
#include "process/log.h"
#include "process/mountpoint.h"
#include "tree/entries.h"
#include "tree/open_disk.h"

/* One disk, and the thread that has its raw open. */
struct synced {
    struct fs_exit_sync *sync; /* constant, like the path */
    char path[sizeof "disks//raw" + NAME_MAX];
    struct fs_entry *entry; /* referenced; the owner's; NULL once released */

    /* guarded by the sync's lock */
    unsigned done; /* of the syncs wanted, those that have ended */
    int err;       /* of the open or the last sync */
    bool is_released;
};

struct fs_exit_sync {
    struct fs *fs;
    int root; /* the mount's root, O_PATH; or a negative errno */

    pthread_mutex_t lock; /* guards the members below; taken before the entries' */
    pthread_cond_t changed;
    unsigned refs;   /* the owner, and each thread */
    unsigned wanted; /* syncs of each disk */
    size_t count;
    struct synced disks[];
};

/*
 * The disks to sync.
 */

struct serials {
    uint32_t *all;
    size_t count, capacity;
};

/* Note the serial of a disk that is open for writing: no reference under the entries' lock. */
static void note(void *arg, const struct fs_entry *entry, struct fs_disk *disk)
{
    struct serials *serials = arg;

    if (!fs_disk_has_writer(disk))
        return;
    uint32_t *all = array_grow(serials->all, serials->count, &serials->capacity, sizeof *all);
    if (!all) {
        fs_log(LOG_WARNING, "out of memory; some open disks are not synced before the end");
        return;
    }
    serials->all = all;
    serials->all[serials->count++] = entry->serial;
}

/* Drop a reference; the last one frees it. The owner has one, and so has each thread. */
static void drop(struct fs_exit_sync *sync)
{
    pthread_mutex_lock(&sync->lock);
    const bool is_last = --sync->refs == 0;
    pthread_mutex_unlock(&sync->lock);
    if (!is_last)
        return;
    pthread_cond_destroy(&sync->changed);
    pthread_mutex_destroy(&sync->lock);
    free(sync);
}

/*
 * The thread of a disk.
 */

/* Give this thread a descriptor table of its own, with the standard streams and kept alone. */
static int leave_descriptors(int kept)
{
    if (unshare(CLONE_FILES) < 0)
        return -errno;
    if (kept > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)kept - 1, 0);
    close_range((unsigned)kept + 1, ~0U, 0);
    return 0;
}

/* Open the raw of a disk, for reading: that can sync it, and does not count as a writer. */
static int open_raw(const struct synced *disk)
{
    const int root = disk->sync->root;

    if (root < 0)
        return root;
    int err = leave_descriptors(root);
    if (err < 0)
        return err;
    int fd = openat(root, disk->path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static void sync_once(struct synced *disk, int fd)
{
    struct fs_exit_sync *sync = disk->sync;
    const unsigned begun = sync->wanted;
    int err = fd < 0 ? fd : 0;

    pthread_mutex_unlock(&sync->lock);
    if (fd >= 0 && fsync(fd) < 0)
        err = -errno;
    pthread_mutex_lock(&sync->lock);
    disk->err = err;
    disk->done = begun;
}

static void *disk_run(void *arg)
{
    struct synced *disk = arg;
    struct fs_exit_sync *sync = disk->sync;
    AUTO_CLOSE int fd = open_raw(disk);

    pthread_mutex_lock(&sync->lock);
    while (!disk->is_released) {
        if (disk->done < sync->wanted)
            sync_once(disk, fd);
        else
            pthread_cond_wait(&sync->changed, &sync->lock);
    }
    pthread_mutex_unlock(&sync->lock);
    drop(sync);
    return NULL;
}

/*
 * The owner: the thread that calls.
 */

/* Open the root of our mount with O_PATH. Returns a descriptor or a negative errno. */
static int open_root(const struct fs_mount *mount)
{
    AUTO_FREE char *path = fs_mount_path(mount);

    if (!path)
        return -ENOENT;
    const struct fs_mount top = fs_mount_of(path);
    if (!fs_mount_is(&top, mount))
        return -ENOENT;
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static void start_thread(struct fs_exit_sync *sync, struct synced *disk)
{
    sync->refs++;
    int err = thread_start_detached(disk_run, disk);
    if (err < 0) {
        sync->refs--;
        disk->err = err;
        disk->done = UINT_MAX;
    }
}

struct fs_exit_sync *fs_exit_sync_start(struct fs *fs, const struct fs_mount *mount)
{
    struct serials serials = {0};

    fs_entries_each_disk(fs->entries, note, &serials);
    AUTO_FREE uint32_t *all = serials.all;
    if (serials.count == 0)
        return NULL;
    struct fs_exit_sync *sync = calloc(1, sizeof *sync + serials.count * sizeof sync->disks[0]);
    if (!sync) {
        fs_log(LOG_WARNING, "out of memory; the open disks are not synced before the end");
        return NULL;
    }
    sync->fs = fs;
    sync->root = open_root(mount);
    pthread_mutex_init(&sync->lock, NULL);
    pthread_cond_init(&sync->changed, NULL);
    sync->refs = sync->wanted = 1;
    HOLD_LOCK(&sync->lock);
    for (size_t i = 0; i < serials.count; i++) {
        struct fs_entry *entry = fs_entries_by_serial(fs->entries, all[i]);
        if (!entry)
            continue;
        struct synced *disk = &sync->disks[sync->count++];
        disk->sync = sync;
        disk->entry = entry;
        snprintf(disk->path, sizeof disk->path, "disks/%s/raw", fs_entry_name(entry));
        start_thread(sync, disk);
    }
    return sync;
}

void fs_exit_sync_again(struct fs_exit_sync *sync)
{
    HOLD_LOCK(&sync->lock);
    sync->wanted++;
    pthread_cond_broadcast(&sync->changed);
}

static bool is_done(const struct fs_exit_sync *sync, const struct synced *disk)
{
    return !disk->entry || disk->done >= sync->wanted;
}

bool fs_exit_sync_is_done(struct fs_exit_sync *sync)
{
    HOLD_LOCK(&sync->lock);
    for (size_t i = 0; i < sync->count; i++) {
        if (!is_done(sync, &sync->disks[i]))
            return false;
    }
    return true;
}

void fs_exit_sync_log(struct fs_exit_sync *sync)
{
    HOLD_LOCK(&sync->lock);
    for (size_t i = 0; i < sync->count; i++) {
        const struct synced *disk = &sync->disks[i];
        const char *why = disk->err < 0 ? strerrordesc_np(-disk->err) : "the host does not answer";
        if (disk->entry && (disk->err < 0 || !is_done(sync, disk)))
            fs_log(LOG_ERR, "the last writes to the disk \"%s\" may be lost: %s",
                   fs_entry_name(disk->entry), why);
    }
}

/* End the thread of a disk. Under the lock. */
static void release(struct fs_exit_sync *sync, struct synced *disk)
{
    disk->is_released = true;
    pthread_cond_broadcast(&sync->changed);
    fs_entry_put(sync->fs->entries, TAKE(disk->entry));
}

bool fs_exit_sync_release(struct fs_exit_sync *sync)
{
    bool is_left = false;

    HOLD_LOCK(&sync->lock);
    for (size_t i = 0; i < sync->count; i++) {
        struct synced *disk = &sync->disks[i];
        if (!disk->entry)
            continue;
        if (fs_disk_has_writer(fs_entry_disk(sync->fs->entries, disk->entry)))
            is_left = true;
        else
            release(sync, disk);
    }
    return is_left;
}

void fs_exit_sync_end(struct fs_exit_sync *sync)
{
    if (!sync)
        return;
    {
        HOLD_LOCK(&sync->lock);
        for (size_t i = 0; i < sync->count; i++) {
            if (sync->disks[i].entry)
                release(sync, &sync->disks[i]);
        }
    }
    if (sync->root >= 0)
        close(sync->root);
    drop(sync);
}
