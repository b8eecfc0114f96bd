#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

struct fs_pidfile {
    int fd;
    bool is_ours; /* made or written by us: to be removed */
    char *path;   /* absolute */
};

/* Open the file. What is in it stays until we have something to write: it may be another's. */
static int open_file(struct fs_pidfile *pidfile, const char *path)
{
    const int how = O_WRONLY | O_CREAT | O_CLOEXEC;

    pidfile->fd = open(path, how | O_EXCL, 0644);
    pidfile->is_ours = pidfile->fd >= 0;
    if (pidfile->fd < 0 && errno == EEXIST)
        pidfile->fd = open(path, how, 0644);
    pidfile->path = pidfile->fd < 0 ? NULL : realpath(path, NULL);
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

void fs_pidfile_write(struct fs_pidfile *pidfile)
{
    if (!pidfile)
        return;
    pidfile->is_ours = true;
    if (ftruncate(pidfile->fd, 0) < 0 || dprintf(pidfile->fd, "%d\n", getpid()) < 0)
        fs_log(LOG_ERR, "cannot write \"%s\": %s", pidfile->path, strerrordesc_np(errno));
}

void fs_pidfile_remove(struct fs_pidfile *pidfile)
{
    if (pidfile && pidfile->is_ours && unlink(pidfile->path) < 0 && errno != ENOENT)
        fs_log(LOG_ERR, "cannot remove \"%s\": %s", pidfile->path, strerrordesc_np(errno));
}

void fs_pidfile_close(struct fs_pidfile *pidfile)
{
    if (!pidfile)
        return;
    close(pidfile->fd);
    free(pidfile->path);
    free(pidfile);
}
