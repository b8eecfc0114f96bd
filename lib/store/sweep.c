/* SPDX-License-Identifier: MIT */
#include "store/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "store/lock.h"

/* Does this errno mean that the name is no draft of ours, or that we may not touch it? */
static bool is_not_ours(int err)
{
    return err == ENOENT || err == EISDIR || err == ELOOP || err == ENXIO || err == EACCES ||
           err == EPERM;
}

/*
 * Remove one draft, under its lock. A maker that locks its new draft after this finds it removed
 * and makes another (store/draft.c).
 */
static int sweep_one(int dir_fd, const char *file)
{
    struct stat attributes;
    AUTO_CLOSE int fd = openat(dir_fd, file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return is_not_ours(errno) ? 0 : -errno;
    if (fstat(fd, &attributes) < 0)
        return -errno;
    if (!S_ISREG(attributes.st_mode))
        return 0;
    int err = vhd_draft_lock(fd);
    if (err < 0)
        return err == -EAGAIN ? 0 : err;
    if (unlinkat(dir_fd, file, 0) < 0 && !is_not_ours(errno))
        return -errno;
    return 0;
}

enum vhd_result vhd_store_sweep(int fd, const char *path, struct vhd_verdict *ret)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
