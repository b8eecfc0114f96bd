/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "base/beneath.h"
#include "base/cleanup.h"
#include "base/same_file.h"
#include "store/lock.h"
#include "store/sweep.h"

struct vhd_store {
    _Atomic unsigned refs;

    /* constant after vhd_store_open() */
    int fd;
    int lock_fd; /* -1 without an owner's lock */
    char *path;
    bool is_read_only;
    bool is_made; /* by vhd_store_open(); false for an owner, which keeps the directory */

    struct vhd_share share; /* of its open disks; empty after the last of them is closed */
};

struct vhd_store *vhd_store_ref(struct vhd_store *store)
{
    store->refs++;
    return store;
}

void vhd_store_unref(struct vhd_store *store)
{
    if (!store || --store->refs > 0)
        return;
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    if (store->fd >= 0)
        close(store->fd);
    assert(!store->share.newest);
    pthread_mutex_destroy(&store->share.lock);
    free(store->path);
    free(store);
}

int vhd_store_fd(const struct vhd_store *store)
{
    return store->fd;
}

struct vhd_share *vhd_store_share(const struct vhd_store *store)
{
    /* No store object is const, so the cast is safe. The list has a lock. */
    return (struct vhd_share *)&store->share;
}

const char *vhd_store_path(const struct vhd_store *store)
{
    return store->path;
}

/*
 * Sync the folder above. A disk in a new folder is durable only if the folder is, whichever process
 * made it.
 */
static int sync_parent_of(const char *path)
{
    AUTO_FREE char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    AUTO_CLOSE int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

/*
 * Lock the directory shared. vhd_store_remove_if_unused() needs the lock alone. Returns false if
 * the directory is already removed. If the file system has no such locks, no call gets the lock
 * alone either, and the directory stays.
 */
static bool share_directory(int fd)
{
    struct stat attributes;
    return flock(fd, LOCK_SH | LOCK_NB) < 0 || fstat(fd, &attributes) < 0 ||
           attributes.st_nlink > 0;
}

/* Open the directory. Make it if it is missing. */
static enum vhd_result open_or_make(struct vhd_store *store, const char *path, bool *ret_is_new,
                                    struct vhd_verdict *ret)
{
    const int how = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

    /* More than a few rounds are no race with other processes: the path is a symlink to nowhere. */
    for (int tries = 0; tries < 16; tries++) {
        store->fd = open(path, how);
        if (store->fd >= 0 && share_directory(store->fd))
            return VHD_OK;
        if (store->fd >= 0) {
            close(store->fd);
            continue;
        }
        if (errno != ENOENT)
            return vhd_verdict_errno(ret, errno, "cannot open the folder \"%s\"", path);
        *ret_is_new = true;
        if (mkdir(path, 0777) == 0)
            store->is_made = true;
        else if (errno == ENOENT)
            return vhd_verdict_set(ret, VHD_PATH_NOT_FOUND,
                                   "cannot make the folder \"%s\": the folder above it is missing; "
                                   "make that first",
                                   path);
        else if (errno != EEXIST)
            return vhd_verdict_errno(ret, errno, "cannot make the folder \"%s\"", path);
    }
    return vhd_verdict_errno(ret, ENOENT, "cannot open the folder \"%s\"", path);
}

static enum vhd_result open_directory(struct vhd_store *store, const char *path,
                                      struct vhd_verdict *ret)
{
    bool is_new = false;

    enum vhd_result result = open_or_make(store, path, &is_new, ret);
    if (result != VHD_OK)
        return result;
    store->path = realpath(path, NULL);
    if (!store->path)
        return vhd_verdict_errno(ret, errno, "cannot find the full path of the folder \"%s\"",
                                 path);
    int err = is_new ? sync_parent_of(store->path) : 0;
    return err < 0 ? vhd_verdict_errno(ret, err, "cannot sync the folder above \"%s\"", path)
                   : VHD_OK;
}

enum vhd_result vhd_store_open(const char *path, unsigned flags, struct vhd_store **ret_store,
                               struct vhd_verdict *ret)
{
    struct vhd_store *store = calloc(1, sizeof *store);
    if (!store)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    store->refs = 1;
    store->fd = store->lock_fd = -1;
    pthread_mutex_init(&store->share.lock, NULL);

    const bool is_read_only = store->is_read_only = flags & VHD_STORE_READ_ONLY;
    enum vhd_result result = open_directory(store, path, ret);
    if (result == VHD_OK && (flags & VHD_STORE_OWN) && !is_read_only && !(flags & VHD_STORE_UNSAFE))
        result = vhd_store_judge_volume(store->fd, store->path, ret);
    if (result == VHD_OK && (flags & VHD_STORE_OWN))
        result = vhd_store_lock(store->fd, store->path, is_read_only, &store->lock_fd, ret);
    if (result == VHD_OK && (flags & VHD_STORE_OWN) && !is_read_only)
        result = vhd_store_sweep(store->fd, store->path, ret);
    if (result != VHD_OK) {
        vhd_store_remove_if_unused(store);
        vhd_store_unref(store);
        return result;
    }
    if (flags & VHD_STORE_OWN)
        store->is_made = false;
    *ret_store = store;
    return VHD_OK;
}

void vhd_store_describe_owner(const struct vhd_store *store, const char *mountpoint, int mount_id)
{
    if (store->lock_fd >= 0)
        vhd_store_lock_describe(store->lock_fd, mountpoint, mount_id, store->is_read_only);
}

void vhd_store_mark_ending(const struct vhd_store *store)
{
    if (store->lock_fd >= 0)
        vhd_store_lock_mark_ending(store->lock_fd);
}

void vhd_store_remove_if_unused(struct vhd_store *store)
{
    if (store->is_made && store->path && flock(store->fd, LOCK_EX | LOCK_NB) == 0)
        rmdir(store->path);
}

int vhd_store_open_unlocked(const struct vhd_store *store, const char *file)
{
    int fd = open_beneath(store->fd, file, O_RDONLY | O_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

/*
 * Open a file, and wait until no other program holds a lease on it. Each try asks the holder to
 * release it. A blocking open could take 45 seconds, so the tries do not block.
 */
static int open_past_lease(const struct vhd_store *store, const char *file, int flags)
{
    enum { TRIES = 50 };
    const struct timespec pause = {.tv_nsec = 20000000};

    int fd = open_beneath(store->fd, file, flags | O_NONBLOCK, 0);
    for (int tries = 0; fd < 0 && errno == EWOULDBLOCK && tries < TRIES; tries++) {
        nanosleep(&pause, NULL);
        fd = open_beneath(store->fd, file, flags | O_NONBLOCK, 0);
    }
    return fd < 0 ? -errno : fd;
}

int vhd_store_open_to_use(const struct vhd_store *store, const char *file)
{
    return open_past_lease(store, file, O_RDONLY);
}

int vhd_store_open_again(const struct vhd_store *store, const char *file, int fd, int flags)
{
    struct stat first, second;

    int again = open_past_lease(store, file, flags);
    if (again < 0)
        return again;
    if (fstat(fd, &first) < 0 || fstat(again, &second) < 0 || !is_same_file(&first, &second)) {
        close(again);
        return -ESTALE;
    }
    return again;
}

int vhd_store_confirm(const struct vhd_store *store, const char *file, int fd)
{
    struct stat opened, named;

    if (fstat(fd, &opened) < 0)
        return -errno;
    if (fstatat(store->fd, file, &named, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? -ESTALE : -errno;
    return is_same_file(&opened, &named) ? 0 : -ESTALE;
}

int vhd_store_link(const struct vhd_store *store, const char *file, int fd, const char *new_file)
{
    if (linkat(store->fd, file, store->fd, new_file, 0) < 0)
        return -errno;
    int err = vhd_store_confirm(store, new_file, fd);
    if (err < 0)
        unlinkat(store->fd, new_file, 0);
    return err;
}

enum vhd_result vhd_store_judge_lock(const struct vhd_store *store, struct vhd_verdict *ret)
{
    struct stat folder;

    if (store->lock_fd < 0 || vhd_store_confirm(store, VHD_LOCK_FILE, store->lock_fd) != -ESTALE)
        return VHD_OK;
    /* The store's directory is gone, so no other vhdfs can share it. */
    if (fstat(store->fd, &folder) == 0 && folder.st_nlink == 0)
        return VHD_OK;
    return vhd_verdict_set(
        ret, VHD_ACCESS_FAILED,
        "the lock file \"%s/%s\" was removed, so another vhdfs may use the store; "
        "unmount this one and mount it again",
        store->path, VHD_LOCK_FILE);
}

enum vhd_growth vhd_store_growth(const struct vhd_store *store)
{
    return vhd_volume_growth(store->fd);
}

int vhd_store_set_permissions(const struct vhd_store *store, const char *file, mode_t permissions)
{
    const mode_t all = 0666;
    struct stat now;

    if (fstatat(store->fd, file, &now, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    const mode_t mode = (now.st_mode & 07777 & ~all) | (permissions & all);
    return fchmodat(store->fd, file, mode, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int vhd_store_set_owner(const struct vhd_store *store, const char *file, uid_t uid, gid_t gid)
{
    return fchownat(store->fd, file, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int vhd_store_sync(const struct vhd_store *store)
{
    return fsync(store->fd) < 0 ? -errno : 0;
}

int vhd_store_statvfs(const struct vhd_store *store, struct statvfs *ret)
{
    return fstatvfs(store->fd, ret) < 0 ? -errno : 0;
}
