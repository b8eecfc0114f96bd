/* SPDX-License-Identifier: MIT */
#include "operation/preallocate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* Bytes between two checks for a cancel. A slow host writes the second in less than a second. */
#define RESERVED_AT_ONCE (UINT64_C(256) << 20)
#define WRITTEN_AT_ONCE  (UINT64_C(16) << 20)

/* Bytes of one write. */
#define ZEROS ((size_t)1 << 20)

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Reserve a range of a file. -EOPNOTSUPP if the file system cannot. */
static int reserve(int fd, int mode, uint64_t off, uint64_t len)
{
    int result;

    do
        result = fallocate(fd, mode, (off_t)off, (off_t)len);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

/* Write zeros, and drop them from the host's cache: nobody will read them soon. */
static int write_zeros(int fd, const void *zeros, uint64_t off, uint64_t len)
{
    int err = 0;

    for (uint64_t done = 0; done < len && err == 0; done += ZEROS)
        err = vhd_io_put(fd, zeros, lesser(ZEROS, len - done), off + done);
    if (err == 0 && fdatasync(fd) < 0)
        err = -errno;
    (void)posix_fadvise(fd, (off_t)off, (off_t)len, POSIX_FADV_DONTNEED);
    return err;
}

/* Reserve, by fallocate(2) with a mode. Only without one the file's length may change. */
static int preallocate(int fd, int mode, uint64_t at, uint64_t end, unsigned percent,
                       struct vhd_task *task)
{
    AUTO_FREE void *zeros = NULL; /* once the host has refused to reserve */
    const uint64_t length = end - at;
    uint64_t off = at;

    while (off < end) {
        if (task && vhd_task_is_cancelled(task))
            return -ECANCELED;
        const uint64_t len = lesser(zeros ? WRITTEN_AT_ONCE : RESERVED_AT_ONCE, end - off);
        int err = zeros ? write_zeros(fd, zeros, off, len) : reserve(fd, mode, off, len);
        if (err == -EOPNOTSUPP && !zeros && mode == 0) {
            zeros = calloc(1, ZEROS);
            if (!zeros)
                return -ENOMEM;
            continue;
        }
        if (err < 0)
            return err;
        off += len;
        if (task && zeros)
            vhd_task_advance(task, off - at, length);
        else if (task)
            vhd_task_progress(task, (unsigned)((off - at) / (length / percent + 1)));
    }
    return 0;
}

int vhd_preallocate(int fd, uint64_t at, uint64_t end, unsigned percent, struct vhd_task *task)
{
    return preallocate(fd, 0, at, end, percent, task);
}

int vhd_preallocate_behind(int fd, uint64_t at, uint64_t end, unsigned percent,
                           struct vhd_task *task)
{
    return preallocate(fd, FALLOC_FL_KEEP_SIZE, at, end, percent, task);
}
