#include "base/io.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

/* Step over len bytes of what is to be written; empty pieces behind them may stay. */
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
