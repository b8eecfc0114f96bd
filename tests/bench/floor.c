/* SPDX-License-Identifier: MIT */
/*
 * floor PREFIX SIZE_MB COUNT THREADS: write files with the bytes that the library writes for a
 * disk, by the same calls and without any other work. It measures the least time that the host
 * needs for durable disks. Prints the seconds.
 *
 * The library makes one disk before the clock starts, and the files get its bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "crew.h"
#include "vhd.h"

enum { FOOTER = 512, HEAD = 1536, PIECE = 65536, PIECES_MAX = 64 };

/* An image: footer and header, a table of ones, and the footer again. */
struct image {
    int folder_fd;
    size_t len;
    char head[HEAD];
    char ones[PIECE];
};

/* Make a disk by the library and read it. */
static bool read_sample(const char *path, int64_t size_mb, struct image *image)
{
    struct vhd_service *service;
    struct vhd_task *task;
    struct stat attributes;

    if (vhd_service_new(1, 1, &service) < 0)
        return false;
    bool is_made = vhd_create_dynamic(service, path, size_mb, &task, NULL) == VHD_OK;
    if (is_made) {
        vhd_task_wait(task, -1);
        vhd_task_unref(task);
    }
    vhd_service_free(service);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &attributes) < 0 || pread(fd, image->head, HEAD, 0) != HEAD ||
        unlink(path) < 0)
        return false;
    image->len = (size_t)attributes.st_size;
    memset(image->ones, 0xFF, PIECE);
    return image->len <= HEAD + (size_t)PIECE * PIECES_MAX + FOOTER;
}

static bool write_image(int fd, struct image *image)
{
    struct iovec iov[PIECES_MAX + 2] = {{image->head, HEAD}};
    int count = 1;

    for (size_t left = image->len - HEAD - FOOTER; left > 0;) {
        size_t len = left < PIECE ? left : PIECE;
        iov[count++] = (struct iovec){image->ones, len};
        left -= len;
    }
    iov[count++] = (struct iovec){image->head, FOOTER};
    return pwritev(fd, iov, count, 0) == (ssize_t)image->len;
}

static bool make(void *arg, const char *path, int64_t size_mb)
{
    struct image *image = arg;
    char draft[32];
    (void)size_mb;

    AUTO_CLOSE int fd = openat(image->folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    snprintf(draft, sizeof draft, "/proc/self/fd/%d", fd);
    if (fd >= 0 && write_image(fd, image) && fsync(fd) == 0 &&
        linkat(AT_FDCWD, draft, image->folder_fd, strrchr(path, '/') + 1, AT_SYMLINK_FOLLOW) == 0 &&
        fsync(image->folder_fd) == 0)
        return true;
    fprintf(stderr, "%s: %s\n", path, strerrordesc_np(errno));
    return false;
}

int main(int argc, char **argv)
{
    static struct image image;
    struct crew crew;
    char sample[PATH_MAX];

    if (!crew_parse(argc, argv, &crew))
        return 2;
    snprintf(sample, sizeof sample, "%ssample.vhd", crew.prefix);
    if (*sample != '/' || !read_sample(sample, crew.size_mb, &image)) {
        fprintf(stderr, "%s: the library cannot make it\n", sample);
        return 1;
    }
    AUTO_CLOSE int folder_fd = open(dirname(sample), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    image.folder_fd = folder_fd;
    fsync(folder_fd); /* so that the removal of the sample does not count */
    return crew_run(&crew, ".vhd", make, &image);
}
