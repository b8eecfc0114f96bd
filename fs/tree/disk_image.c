/* SPDX-License-Identifier: MIT */
#include "tree/disk_image.h"

#include <errno.h>
#include <limits.h>

#include "base/cleanup.h"
#include "image/image.h"
#include "tree/disk_state.h"

/*
 * Read the size in the footer of an image; 0 where the image is damaged. Returns 0; or -EMFILE,
 * -ENFILE or -ENOMEM, which may pass.
 */
static int read_size(const struct vhd_store *store, const char *file, uint64_t *ret)
{
    struct vhd_image image = {0};

    AUTO_CLOSE int fd = vhd_store_open_unlocked(store, file);
    if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
        return fd;
    /* The footer of a damaged image may claim more than any file can have. */
    *ret = fd >= 0 && vhd_image_read(fd, &image) ? image.footer.current_size : 0;
    return 0;
}

/* Is the size of the image known without a read? */
static bool is_known(struct fs_disk *disk, const struct vhd_fingerprint *now, uint64_t *ret_size)
{
    HOLD_LOCK(&disk->lock);
    const struct fs_seen *seen = &disk->seen;
    *ret_size = seen->size;
    if (disk->current) {
        *ret_size = vhd_disk_size(disk->current->content);
        return true;
    }
    /* While a thread opens or closes it, its footer may move, so the known size counts. */
    return seen->is_known && (disk->is_busy || (seen->image.is_reliable &&
                                                vhd_fingerprint_is_same(&seen->image, now)));
}

/* Stat the open image, whatever the name leads to. Returns false where none is open. */
static bool stat_open(struct fs_disk *disk, struct fs_disk_stat *ret, int *ret_err)
{
    HOLD_LOCK(&disk->lock);
    if (!disk->current)
        return false;
    ret->size = vhd_disk_size(disk->current->content);
    *ret_err = vhd_disk_stat(disk->current->content, &ret->attributes);
    return true;
}

static bool is_other_file(struct fs_disk *disk, const struct stat *attributes)
{
    HOLD_LOCK(&disk->lock);
    return disk->current && !vhd_fingerprint_is_file(&disk->current->opened, attributes);
}

/* The store is asked without the lock, because a host that hangs must not stop others here. */
int fs_disk_stat(struct fs_disk *disk, struct fs *fs, const char *name, struct fs_disk_stat *ret)
{
    char file[NAME_MAX + 1];

    int err = vhd_store_find(fs->store, name, file, &ret->attributes);
    if ((err < 0 || is_other_file(disk, &ret->attributes)) && stat_open(disk, ret, &err))
        return err;
    if (err < 0)
        return err;
    const struct vhd_fingerprint now = vhd_fingerprint_of(&ret->attributes);
    if (is_known(disk, &now, &ret->size))
        return 0;
    err = read_size(fs->store, file, &ret->size);
    if (err < 0)
        return err;
    HOLD_LOCK(&disk->lock);
    if (!disk->current && !disk->is_busy)
        disk->seen = (struct fs_seen){true, now, ret->size};
    return 0;
}

/* The attributes may be older than a change of our own, so vhd_disk_confirm() has the last word. */
bool fs_disk_is_another(struct fs_disk *disk, const struct stat *attributes)
{
    HOLD_LOCK(&disk->lock);
    struct fs_open_disk *open = disk->current;
    if (!open || disk->is_busy)
        return false;
    struct vhd_fingerprint now = vhd_fingerprint_of(attributes);
    now.parents = open->opened.parents;
    if (vhd_fingerprint_is_file(&open->opened, attributes) &&
        (vhd_disk_is_writable(open->content) || vhd_fingerprint_is_same(&open->opened, &now)))
        return false;
    fs_disk_begin_change(disk);
    pthread_mutex_unlock(&disk->lock);
    /* First the fingerprint: a change after the confirmation then shows in it. */
    int err = vhd_disk_fingerprint(open->content, &now);
    if (err == 0)
        err = vhd_disk_confirm(open->content);
    pthread_mutex_lock(&disk->lock);
    if (err == 0)
        open->opened = now;
    fs_disk_end_change(disk);
    return err == -ESTALE;
}

/* Renew the fingerprint of a closed image after a change of our own to its inode. */
static void keep_left(struct fs_disk *disk, struct fs *fs, const char *name)
{
    char file[NAME_MAX + 1];
    struct stat attributes;

    if (vhd_store_find(fs->store, name, file, &attributes) < 0)
        return;
    HOLD_LOCK(&disk->lock);
    if (!disk->is_left)
        return;
    struct vhd_fingerprint now = vhd_fingerprint_of(&attributes);
    now.parents = disk->left.parents;
    now.ctime = disk->left.ctime;
    if (vhd_fingerprint_is_same(&disk->left, &now))
        disk->left.ctime = attributes.st_ctim;
}

void fs_disk_renamed(struct fs_disk *disk, struct fs *fs, const char *new_name)
{
    keep_left(disk, fs, new_name);
}

int fs_disk_change_attributes(struct fs_disk *disk, struct fs *fs, const char *name,
                              int (*change)(void *arg), void *arg)
{
    pthread_mutex_lock(&disk->lock);
    fs_disk_begin_change(disk);
    const bool is_open = disk->current;
    pthread_mutex_unlock(&disk->lock);
    int err = change(arg);
    if (!is_open)
        keep_left(disk, fs, name);
    HOLD_LOCK(&disk->lock);
    fs_disk_end_change(disk);
    return err;
}
