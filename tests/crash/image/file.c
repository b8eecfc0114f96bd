/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

struct content file_read(const char *path)
{
    struct stat attributes;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &attributes) < 0)
        err(EXIT_FAILURE, "%s", path);
    if (attributes.st_size % SECTOR != 0)
        errx(EXIT_FAILURE, "%s: %lld bytes are no whole sectors", path,
             (long long)attributes.st_size);
    size_t len = (size_t)attributes.st_size;
    AUTO_FREE char *bytes = malloc(len + 1);
    if (!bytes || read(fd, bytes, len) != (ssize_t)len)
        err(EXIT_FAILURE, "%s", path);
    return content_of_bytes(bytes, (uint32_t)(len / SECTOR));
}

void file_write(const char *path, const struct content *content)
{
    size_t len = (size_t)content->count * SECTOR;
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    AUTO_FREE char *bytes = malloc(len + 1);

    if (fd < 0 || !bytes)
        err(EXIT_FAILURE, "%s", path);
    content_to_bytes(content, bytes);
    if (write(fd, bytes, len) != (ssize_t)len)
        err(EXIT_FAILURE, "%s", path);
}
