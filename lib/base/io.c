/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/zeros.h"

/* Step over len bytes of the list; empty pieces behind them may stay. */
static void step(struct iovec **iov, int *count, size_t len)
{
    while (len > 0) {
        struct iovec *first = *iov;
        if (len < first->iov_len) {
            first->iov_base = (char *)first->iov_base + len;
            first->iov_len -= len;
            return;
        }
        len -= first->iov_len;
        (*iov)++;
        (*count)--;
    }
}

int vhd_io_write(int fd, struct iovec *iov, int count, uint64_t off)
{
    while (count > 0) {
        if (iov->iov_len == 0) {
            iov++;
            count--;
            continue;
        }
        ssize_t done = pwritev(fd, iov, count < IOV_MAX ? count : IOV_MAX, (off_t)off);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        if (done == 0)
            return -EIO;
        off += (uint64_t)done;
        step(&iov, &count, (size_t)done);
    }
    return 0;
}

int vhd_io_put(int fd, const void *buf, size_t len, uint64_t off)
{
    while (len > 0) {
        ssize_t done = pwrite(fd, buf, len, (off_t)off);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        if (done == 0)
            return -EIO;
        buf = (const char *)buf + done;
        len -= (size_t)done;
        off += (uint64_t)done;
    }
    return 0;
}

/* Does this errno of fallocate say that the file system cannot punch holes? */
static bool has_no_holes(int err)
{
    return err == EOPNOTSUPP || err == ENOSYS || err == EINVAL;
}

int vhd_io_zero(int fd, uint64_t off, uint64_t len)
{
    static const char zeros[65536];

    while (len > 0 &&
           fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len) < 0) {
        if (errno == EINTR)
            continue;
        if (!has_no_holes(errno))
            return -errno;
        size_t piece = len < sizeof zeros ? (size_t)len : sizeof zeros;
        int err = vhd_io_put(fd, zeros, piece, off);
        if (err < 0)
            return err;
        off += piece;
        len -= piece;
    }
    return 0;
}

/* The length of the grains from the start of a buffer that hold data, or that hold zeros. */
static size_t run_of_grains(const char *buf, size_t len, bool *ret_is_data)
{
    size_t end = 0;

    while (end < len) {
        const size_t grain = len - end < VHD_IO_GRAIN ? len - end : VHD_IO_GRAIN;
        const bool is_data = !is_zeros(buf + end, grain);
        if (end > 0 && is_data != *ret_is_data)
            break;
        *ret_is_data = is_data;
        end += grain;
    }
    return end;
}

int vhd_io_put_sparse(int fd, const void *buf, size_t len, uint64_t off)
{
    const char *bytes = buf;
    bool is_data = false;
    int err = 0;

    for (size_t from = 0; from < len && err == 0;) {
        const size_t run = run_of_grains(bytes + from, len - from, &is_data);
        if (is_data)
            err = vhd_io_put(fd, bytes + from, run, off + from);
        from += run;
    }
    return err;
}

int vhd_io_get(int fd, void *buf, size_t len, uint64_t off)
{
    size_t have = 0;

    int err = vhd_io_read(fd, buf, len, off, &have);
    return err == 0 && have < len ? -EIO : err;
}

int vhd_io_read(int fd, void *buf, size_t len, uint64_t off, size_t *ret_len)
{
    size_t have = 0;

    while (have < len) {
        ssize_t done = pread(fd, (char *)buf + have, len - have, (off_t)(off + have));
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        if (done == 0)
            break;
        have += (size_t)done;
    }
    *ret_len = have;
    return 0;
}
