/* SPDX-License-Identifier: MIT */
/*
 * A host that a test controls, loaded into vhdfs by LD_PRELOAD. The folder $GATE_DIR has these
 * files:
 *
 *   sync, open, cut    calls of that kind on images slow*.vhd wait while a process holds a lock
 *                      (flock) on the file: fsync and fdatasync, open and openat2, ftruncate. Each
 *                      waiting call adds a byte to the file "held".
 *   reserve            calls of fallocate that reserve space wait in the same way, for any file
 *   no-reserve         while it exists, those calls fail with EOPNOTSUPP
 *   lose               while it exists, writes to images vanish and each sync fails with EIO, as if
 *                      the host had lost its pages.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The function of the C library that ours replaces. */
#define REAL(name) (__extension__(typeof(&(name))) dlsym(RTLD_NEXT, #name))

static int gate_open(const char *name, int flags)
{
    char path[PATH_MAX];
    const char *dir = getenv("GATE_DIR");

    if (!dir)
        return -1;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC);
}

static bool exists(const char *name)
{
    const int fd = gate_open(name, O_PATH);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void wait_at(const char *name)
{
    const int fd = gate_open(name, O_RDONLY);

    if (fd < 0)
        return;
    if (flock(fd, LOCK_SH | LOCK_NB) < 0) {
        const int held = gate_open("held", O_WRONLY | O_APPEND);

        if (held >= 0) {
            if (syscall(SYS_write, held, name, (size_t)1) < 0)
                perror("held");
            close(held);
        }
        while (flock(fd, LOCK_SH) < 0 && errno == EINTR)
            ;
    }
    close(fd);
}

static bool is_image(const char *path, const char *prefix)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *ending = strstr(name, ".vhd");

    return strncmp(name, prefix, strlen(prefix)) == 0 && ending && name[0] != '.';
}

static bool is_fd_of(int fd, const char *prefix)
{
    char link[64];
    char path[PATH_MAX];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return false;
    path[length] = '\0';
    return is_image(path, prefix);
}

static bool is_lost(int fd)
{
    return exists("lose") && is_fd_of(fd, "");
}

static bool sync_fails(int fd)
{
    if (is_fd_of(fd, "slow"))
        wait_at("sync");
    if (!is_lost(fd))
        return false;
    errno = EIO;
    return true;
}

/* From here on, functions replace those of the C library. */
#pragma GCC visibility push(default)

int fsync(int fd)
{
    return sync_fails(fd) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    return sync_fails(fd) ? -1 : REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t length)
{
    if (is_fd_of(fd, "slow"))
        wait_at("cut");
    return REAL(ftruncate64)(fd, length);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    const bool is_reserving = !(mode & FALLOC_FL_PUNCH_HOLE);

    if (is_reserving)
        wait_at("reserve");
    if (is_reserving && exists("no-reserve")) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return REAL(fallocate64)(fd, mode, offset, length);
}

ssize_t pwrite64(int fd, const void *buf, size_t count, off64_t offset)
{
    return is_lost(fd) ? (ssize_t)count : REAL(pwrite64)(fd, buf, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    ssize_t length = 0;

    if (!is_lost(fd))
        return REAL(pwritev64)(fd, parts, count, offset);
    for (int i = 0; i < count; i++)
        length += (ssize_t)parts[i].iov_len;
    return length;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & (O_CREAT | __O_TMPFILE) ? (mode_t)va_arg(arguments, int) : 0;
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    const mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    if (is_image(path, "slow") && !(flags & (O_CREAT | O_PATH)))
        wait_at("open");
    return REAL(open64)(path, flags, mode);
}

/* openat2(2) has no function of its own. All arguments are passed on, as many as there can be. */
long syscall(long number, ...)
{
    va_list arguments;
    long values[6];

    va_start(arguments, number);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        values[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_openat2) {
        const struct open_how *how = (const struct open_how *)values[2];
        if (is_image((const char *)values[1], "slow") && !(how->flags & (O_CREAT | O_PATH)))
            wait_at("open");
    }
    return REAL(syscall)(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

#pragma GCC visibility pop
