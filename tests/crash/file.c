/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tracer.h"

void file_path(const char *folder, const char *name, char ret[PATH_MAX])
{
    if (snprintf(ret, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        errx(EXIT_BROKEN, "\"%s\" is too long a path", folder);
}

const char *file_load(const char *folder, const char *name, struct image *ret)
{
    char path[PATH_MAX];
    struct stat attributes;

    file_path(folder, name, path);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "the image cannot be opened";
    if (fstat(fd, &attributes) < 0)
        err(EXIT_BROKEN, "fstat");
    size_t len = (size_t)attributes.st_size;
    AUTO_FREE uint8_t *bytes = malloc(len + 1);
    if (!bytes)
        err(EXIT_BROKEN, "malloc");
    if (pread(fd, bytes, len, 0) != (ssize_t)len)
        return "the image cannot be read";
    ret->bytes = TAKE(bytes);
    ret->len = len;
    return NULL;
}
