/* SPDX-License-Identifier: MIT */
#include "process/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/same_file.h"
#include "process/log.h"
#include "process/path.h"

struct fs_pidfile {
    int fd;
    bool is_ours; /* made or written by us: to be removed */
    pid_t pid;    /* the one that we wrote; 0 before that */
    char *path;   /* absolute */
};

/*
 * Open the file, and keep its content, which may be of another vhdfs, until ours is written. That
 * one may remove the file at any moment, so the path may lead to no file.
 */
static int open_file(struct fs_pidfile *pidfile, const char *path)
{
    const int how = O_WRONLY | O_CREAT | O_CLOEXEC;

    pidfile->fd = open(path, how | O_EXCL, 0644);
    pidfile->is_ours = pidfile->fd >= 0;
    if (pidfile->fd < 0 && errno == EEXIST)
        pidfile->fd = open(path, how, 0644);
    pidfile->path = pidfile->fd < 0 ? NULL : fs_path_resolve(path);
    return pidfile->path ? 0 : -errno;
}

int fs_pidfile_open(const char *path, struct fs_pidfile **ret)
{
    struct fs_pidfile *pidfile = calloc(1, sizeof *pidfile);
    if (!pidfile)
        return -ENOMEM;
    int err = open_file(pidfile, path);
    if (err == 0) {
        *ret = pidfile;
        return 0;
    }
    if (pidfile->fd >= 0)
        close(pidfile->fd);
    free(pidfile);
    return err;
}

/* Does the path still lead to the file that we opened? */
static bool is_in_place(const struct fs_pidfile *pidfile)
{
    struct stat opened, named;

    return fstat(pidfile->fd, &opened) == 0 && stat(pidfile->path, &named) == 0 &&
           is_same_file(&opened, &named);
}

/* Make the file again if another vhdfs, which had written it before, has removed it at its end. */
static void put_in_place(struct fs_pidfile *pidfile)
{
    if (is_in_place(pidfile))
        return;
    int fd = open(pidfile->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    close(pidfile->fd);
    pidfile->fd = fd;
}

void fs_pidfile_write(struct fs_pidfile *pidfile)
{
    if (!pidfile)
        return;
    put_in_place(pidfile);
    pidfile->is_ours = true;
    pidfile->pid = getpid();
    if (ftruncate(pidfile->fd, 0) < 0 || dprintf(pidfile->fd, "%d\n", pidfile->pid) < 0)
        fs_log(LOG_ERR, "cannot write \"%s\": %s", pidfile->path, strerrordesc_np(errno));
}

/*
 * Does the file hold another text than ours? The next vhdfs may write it once we let go of the
 * store.
 */
static bool is_anothers(const struct fs_pidfile *pidfile)
{
    int pid = 0;

    FILE *file = pidfile->pid > 0 ? fopen(pidfile->path, "re") : NULL;
    if (!file)
        return false;
    bool is_read = fscanf(file, "%9d", &pid) == 1;
    fclose(file);
    return !is_read || pid != pidfile->pid;
}

void fs_pidfile_remove(struct fs_pidfile *pidfile)
{
    if (!pidfile || !pidfile->is_ours || is_anothers(pidfile))
        return;
    if (unlink(pidfile->path) < 0 && errno != ENOENT)
        fs_log(LOG_ERR, "cannot remove \"%s\": %s", pidfile->path, strerrordesc_np(errno));
}

void fs_pidfile_close_file(struct fs_pidfile *pidfile)
{
    if (!pidfile)
        return;
    close(pidfile->fd);
    pidfile->fd = -1;
}

void fs_pidfile_close(struct fs_pidfile *pidfile)
{
    if (!pidfile)
        return;
    if (pidfile->fd >= 0)
        close(pidfile->fd);
    free(pidfile->path);
    free(pidfile);
}
