/* SPDX-License-Identifier: MIT */
#include "process/path.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

int fs_path_fd(const char *path)
{
    unsigned fd;
    int len = 0;

    if (sscanf(path, "/dev/fd/%9u%n", &fd, &len) != 1 || path[len])
        return -1;
    return (int)fd;
}

/* Source: Linux, Documentation/admin-guide/devices.txt: 10, 229 is /dev/fuse. */
int fs_path_fuse_fd(const char *path)
{
    const int fd = fs_path_fd(path);
    struct stat attributes;

    if (fd <= STDERR_FILENO || fstat(fd, &attributes) < 0 || !S_ISCHR(attributes.st_mode) ||
        attributes.st_rdev != makedev(10, 229))
        return -1;
    return fd;
}

char *fs_path_resolve(const char *path)
{
    char *resolved = realpath(path, NULL);
    const bool is_missing = errno == ENOENT;
    if (resolved)
        return resolved;
    AUTO_FREE char *first = strdup(path);
    AUTO_FREE char *second = strdup(path);
    AUTO_FREE char *above = first ? realpath(dirname(first), NULL) : NULL;
    AUTO_FREE char *here = getcwd(NULL, 0);
    int len = -1;
    if (above && second && is_missing)
        len = asprintf(&resolved, "%s/%s", strcmp(above, "/") == 0 ? "" : above, basename(second));
    else if (*path == '/')
        len = asprintf(&resolved, "%s", path);
    else if (here)
        len = asprintf(&resolved, "%s/%s", here, path);
    return len < 0 ? NULL : resolved;
}

bool fs_path_is_inside(const char *inner, const char *outer)
{
    size_t len = strlen(outer);
    return strncmp(inner, outer, len) == 0 &&
           (inner[len] == '/' || inner[len] == 0 || outer[len - 1] == '/');
}
