/* SPDX-License-Identifier: MIT */
#include "base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int open_beneath(int dir_fd, const char *name, int flags, mode_t mode)
{
    const struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC | O_LARGEFILE),
        .mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };

    if (strchr(name, '/') || strcmp(name, "..") == 0) {
        errno = EXDEV;
        return -1;
    }
    const int fd = (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof how);
    /* Containers may refuse the call. A single name leads out by a symlink alone. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
    return fd;
}
