/* SPDX-License-Identifier: MIT */
#include "store/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/utf.h"
#include "format/footer.h"
#include "format/header.h"
#include "request/name.h"
#include "store/lock.h"

/* Does this errno mean that the name is no draft of ours, or that we may not touch it? */
static bool is_not_ours(int err)
{
    return err == ENOENT || err == EISDIR || err == ELOOP || err == ENXIO || err == EACCES ||
           err == EPERM;
}

/*
 * The second name of a snapshot.
 */

/* The child of a snapshot that was not completed. */
struct snapshot {
    int dir_fd;
    ino_t ino;               /* of its parent's image */
    uuid_t uuid;             /* of the parent */
    char file[NAME_MAX + 1]; /* the second name of the parent */
};

/* Read the draft of a snapshot. Returns false if it is none, or its header is not whole yet. */
static bool read_snapshot(int fd, const char *draft, struct snapshot *ret)
{
    char name[3 * VHD_NAME_UNITS + 1], *end;
    struct vhd_header_disk disk;
    struct vhd_header header;
    struct vhd_fault fault;

    if (strncmp(draft, VHD_SNAPSHOT_PREFIX, strlen(VHD_SNAPSHOT_PREFIX)) != 0 ||
        vhd_io_get(fd, &disk, sizeof disk, VHD_HEADER_OFFSET) < 0 ||
        vhd_header_decode(&disk, &header, &fault) != VHD_SOUND)
        return false;
    ret->ino = (ino_t)strtoull(draft + strlen(VHD_SNAPSHOT_PREFIX), &end, 16);
    uuid_copy(ret->uuid, header.parent_uuid);
    vhd_utf16_to_utf8(header.parent_name, VHD_NAME_UNITS, name, sizeof name);
    const size_t len = strlen(name);
    if (*end != '-' || len > NAME_MAX || *name == '.' || strchr(name, '/') ||
        vhd_name_stem_length(name) == len)
        return false;
    memcpy(ret->file, name, len + 1);
    return true;
}

/* Does the second name lead to the parent? */
static bool has_second_name(const struct snapshot *snapshot)
{
    struct vhd_footer_disk disk;
    struct vhd_footer footer;
    struct vhd_fault fault;
    struct stat image;

    AUTO_CLOSE int fd = open_beneath(snapshot->dir_fd, snapshot->file, O_RDONLY | O_NONBLOCK, 0);
    return fd >= 0 && fstat(fd, &image) == 0 && S_ISREG(image.st_mode) &&
           image.st_ino == snapshot->ino && image.st_nlink > 1 &&
           image.st_size >= (off_t)sizeof disk &&
           vhd_io_get(fd, &disk, sizeof disk, (uint64_t)image.st_size - sizeof disk) == 0 &&
           vhd_footer_decode(&disk, &footer, &fault) == VHD_SOUND &&
           uuid_compare(footer.uuid, snapshot->uuid) == 0;
}

/* Is a directory's entry the first name of the parent, a disk of the store? */
static bool is_first_name(const struct snapshot *snapshot, const char *entry)
{
    struct stat image;

    return *entry != '.' && vhd_name_stem_length(entry) < strlen(entry) &&
           strcmp(entry, snapshot->file) != 0 &&
           fstatat(snapshot->dir_fd, entry, &image, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(image.st_mode) && image.st_ino == snapshot->ino;
}

static bool has_first_name(const struct snapshot *snapshot)
{
    bool is_there = false;

    int fd = open_beneath(snapshot->dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    for (const struct dirent *entry; !is_there && (entry = readdir(dir));)
        is_there = is_first_name(snapshot, entry->d_name);
    closedir(dir);
    return is_there;
}

/* Remove the second name, if a crash has left it. Returns false if it stays in spite of that. */
static bool remove_second_name(int dir_fd, int fd, const char *draft)
{
    struct snapshot snapshot = {.dir_fd = dir_fd};

    if (!read_snapshot(fd, draft, &snapshot) || !has_second_name(&snapshot) ||
        !has_first_name(&snapshot))
        return true;
    return unlinkat(dir_fd, snapshot.file, 0) == 0 && fsync(dir_fd) == 0;
}

/*
 * Remove one draft, under its lock. A maker that locks its new draft after this finds it removed
 * and makes another (store/draft.c).
 */
static int sweep_one(int dir_fd, const char *file)
{
    struct stat attributes;
    AUTO_CLOSE int fd = open_beneath(dir_fd, file, O_RDWR | O_NONBLOCK, 0);
    if (fd < 0)
        return is_not_ours(errno) ? 0 : -errno;
    if (fstat(fd, &attributes) < 0)
        return -errno;
    if (!S_ISREG(attributes.st_mode))
        return 0;
    int err = vhd_draft_lock(fd);
    if (err < 0)
        return err == -EAGAIN ? 0 : err;
    if (!remove_second_name(dir_fd, fd, file))
        return 0;
    if (unlinkat(dir_fd, file, 0) < 0 && !is_not_ours(errno))
        return -errno;
    return 0;
}

enum vhd_result vhd_store_sweep(int fd, const char *path, struct vhd_verdict *ret)
{
    int copy = open_beneath(fd, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        int err = errno;
        if (copy >= 0)
            close(copy);
        return vhd_verdict_errno(ret, err, "cannot list the folder \"%s\"", path);
    }
    int err = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            err = -errno;
            break;
        }
        if (strncmp(entry->d_name, VHD_DRAFT_PREFIX, strlen(VHD_DRAFT_PREFIX)) != 0)
            continue;
        err = sweep_one(fd, entry->d_name);
        if (err < 0)
            break;
    }
    closedir(dir);
    return err < 0 ? vhd_verdict_errno(
                         ret, err, "cannot remove unfinished files from the folder \"%s\"", path)
                   : VHD_OK;
}
