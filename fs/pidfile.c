#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

struct fs_pidfile {
    int fd;
    char *path; /* absolute */
};

int fs_pidfile_open(const char *path, struct fs_pidfile **ret)
{
    struct fs_pidfile *pidfile = calloc(1, sizeof *pidfile);
    if (!pidfile)
        return -ENOMEM;
    pidfile->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    pidfile->path = pidfile->fd < 0 ? NULL : realpath(path, NULL);
    if (!pidfile->path) {
        int err = -errno;
        if (pidfile->fd >= 0)
            close(pidfile->fd);
        free(pidfile);
        return err;
    }
    *ret = pidfile;
    return 0;
}

void fs_pidfile_write(struct fs_pidfile *pidfile)
{
    if (pidfile && dprintf(pidfile->fd, "%d\n", getpid()) < 0)
        fs_log(LOG_ERR, "cannot write \"%s\": %s", pidfile->path, strerrordesc_np(errno));
}

void fs_pidfile_remove(struct fs_pidfile *pidfile)
{
    if (pidfile && unlink(pidfile->path) < 0 && errno != ENOENT)
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
