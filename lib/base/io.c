#include "base/io.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

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
        for (size_t left = (size_t)done; left > 0;) {
            size_t part = left < iov->iov_len ? left : iov->iov_len;
            iov->iov_base = (char *)iov->iov_base + part;
            iov->iov_len -= part;
            left -= part;
            if (iov->iov_len == 0) {
                iov++;
                count--;
            }
        }
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
