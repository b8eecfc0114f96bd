/* SPDX-License-Identifier: MIT */
#include "store/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/cleanup.h"
#include "store/lock.h"
#include "store/sweep.h"

#define MODE 0666

/*
 * Does this errno of O_TMPFILE mean that the file system, or an old kernel, lacks it? ext4 answers
 * EPERM in a removed folder; the try with a name then gives the true errno, ENOENT.
 */
static bool has_no_tmpfile(int err)
{
    return err == EOPNOTSUPP || err == EISDIR || err == EINVAL || err == ENOENT || err == EPERM;
}

/*
 * Choose a name that a sweep knows as a draft's.
 *
 *   snapshot  inode of the image of a snapshot; 0 for another draft
 */
static int choose_name(uint64_t snapshot, char ret[sizeof(((struct vhd_draft *)0)->name)])
{
    const size_t size = sizeof(((struct vhd_draft *)0)->name);
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return -errno;
    if (snapshot != 0)
        snprintf(ret, size, VHD_SNAPSHOT_PREFIX "%" PRIx64 "-%016" PRIx64, snapshot, random);
    else
        snprintf(ret, size, VHD_DRAFT_PREFIX "%016" PRIx64, random);
    return 0;
}

/*
 * Create a draft with a name. A sweep may remove it before its lock. Then it has no link left, and
 * the loop makes another.
 */
static int begin_named(int dir_fd, uint64_t snapshot, struct vhd_draft *ret)
{
    for (;;) {
        struct vhd_draft draft;
        struct stat attributes;

        int err = choose_name(snapshot, draft.name);
        if (err < 0)
            return err;
        AUTO_CLOSE int fd = open_beneath(dir_fd, draft.name, O_RDWR | O_CREAT | O_EXCL, MODE);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0)
            return -errno;
        err = vhd_draft_lock(fd);
        if (err == -EAGAIN)
            continue;
        if (err != 0 || fstat(fd, &attributes) < 0) {
            err = err ? err : -errno;
            unlinkat(dir_fd, draft.name, 0);
            return err;
        }
        if (attributes.st_nlink == 0)
            continue;
        draft.fd = fd;
        fd = -1;
        *ret = draft;
        return 0;
    }
}

int vhd_draft_begin(const struct vhd_store *store, bool is_named, struct vhd_draft *ret)
{
    int dir_fd = vhd_store_fd(store);

    if (!is_named) {
        int fd = open_beneath(dir_fd, ".", O_TMPFILE | O_RDWR, MODE);
        if (fd >= 0) {
            *ret = (struct vhd_draft){.fd = fd};
            return 0;
        }
        if (!has_no_tmpfile(errno))
            return -errno;
    }
    return begin_named(dir_fd, 0, ret);
}

int vhd_draft_begin_snapshot(const struct vhd_store *store, int fd, struct vhd_draft *ret)
{
    struct stat image;

    if (fstat(fd, &image) < 0)
        return -errno;
    return begin_named(vhd_store_fd(store), image.st_ino, ret);
}

int vhd_draft_limit_readers(const struct vhd_draft *draft, mode_t mode)
{
    const mode_t hidden = ~mode & (S_IRGRP | S_IROTH);
    struct stat attributes;

    if (fstat(draft->fd, &attributes) < 0)
        return -errno;
    const mode_t limited = attributes.st_mode & 0777 & ~(hidden | hidden >> 1);
    return fchmod(draft->fd, limited) < 0 ? -errno : 0;
}

/* Link a draft without a name through /proc. */
static int link_unnamed(int dir_fd, const struct vhd_draft *draft, const char *file)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", draft->fd);
    if (linkat(AT_FDCWD, path, dir_fd, file, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    /* Without /proc link the descriptor itself, which needs CAP_DAC_READ_SEARCH. */
    if (errno == ENOENT && linkat(draft->fd, "", dir_fd, file, AT_EMPTY_PATH) == 0)
        return 0;
    return -errno;
}

/*
 * Link a draft that has a name and remove the old name. Rename it if the file system has no links.
 */
static int link_named(int dir_fd, const struct vhd_draft *draft, const char *file)
{
    if (linkat(dir_fd, draft->name, dir_fd, file, 0) == 0) {
        unlinkat(dir_fd, draft->name, 0); /* after a failure the next sweep removes it */
        return 0;
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return -errno;
    if (renameat2(dir_fd, draft->name, dir_fd, file, RENAME_NOREPLACE) == 0)
        return 0;
    return errno == EINVAL || errno == ENOSYS ? -EOPNOTSUPP : -errno;
}

int vhd_draft_publish(const struct vhd_store *store, struct vhd_draft *draft, const char *file)
{
    int dir_fd = vhd_store_fd(store);

    if (fsync(draft->fd) < 0)
        return -errno;
    int err = *draft->name ? link_named(dir_fd, draft, file) : link_unnamed(dir_fd, draft, file);
    if (err < 0)
        return err;
    draft->name[0] = 0;
    err = vhd_store_sync(store);
    if (err < 0)
        vhd_draft_withdraw(store, draft, file);
    return err;
}

int vhd_draft_copy_attributes(const struct vhd_draft *draft, int fd)
{
    struct stat now, wanted;

    if (fstat(draft->fd, &now) < 0 || fstat(fd, &wanted) < 0)
        return -errno;
    const bool is_owner = now.st_uid == wanted.st_uid && now.st_gid == wanted.st_gid;
    /* The owner goes first, because chown clears bits of the mode. */
    if (!is_owner && fchown(draft->fd, wanted.st_uid, wanted.st_gid) < 0)
        return -errno;
    return fchmod(draft->fd, wanted.st_mode & 07777) < 0 ? -errno : 0;
}

/* Give a draft without a name one that a sweep removes. */
static int name_draft(int dir_fd, struct vhd_draft *draft)
{
    char name[sizeof draft->name];

    int err = choose_name(0, name);
    if (err == 0)
        err = vhd_draft_lock(draft->fd);
    if (err == 0)
        err = link_unnamed(dir_fd, draft, name);
    if (err == 0)
        memcpy(draft->name, name, sizeof name);
    return err;
}

int vhd_draft_replace(const struct vhd_store *store, struct vhd_draft *draft, const char *file,
                      int fd)
{
    int dir_fd = vhd_store_fd(store);

    int err = fsync(draft->fd) < 0 ? -errno : 0;
    if (err == 0 && !*draft->name)
        err = name_draft(dir_fd, draft);
    if (err == 0)
        err = vhd_store_confirm(store, file, fd);
    if (err == 0 && renameat(dir_fd, draft->name, dir_fd, file) < 0)
        err = -errno;
    if (err < 0)
        return err;
    draft->name[0] = 0;
    return vhd_store_sync(store);
}

int vhd_draft_withdraw(const struct vhd_store *store, const struct vhd_draft *draft,
                       const char *file)
{
    int err = vhd_store_confirm(store, file, draft->fd);
    if (err < 0)
        return err == -ESTALE ? 0 : err;
    if (unlinkat(vhd_store_fd(store), file, 0) < 0 && errno != ENOENT)
        return -errno;
    return vhd_store_sync(store);
}

void vhd_draft_end(const struct vhd_store *store, struct vhd_draft *draft)
{
    if (draft->fd < 0)
        return;
    if (*draft->name)
        unlinkat(vhd_store_fd(store), draft->name, 0);
    close(draft->fd);
    *draft = VHD_DRAFT_NONE;
}
