/*
 * Whole transfers at explicit offsets. A short pwrite or an interrupted call is finished here, so
 * that callers know only "done" or an errno.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Write every byte that iov describes, one after the other, from offset off.
 *
 *   iov  count entries; used up by the call
 *
 * Returns 0, or the negative errno of pwritev(2); some of the bytes may then have been written.
 */
int vhd_io_write(int fd, struct iovec *iov, int count, uint64_t off);

/*
 * Write len bytes from offset off.
 *
 * Returns 0, or the negative errno of pwrite(2); some of the bytes may then have been written.
 */
int vhd_io_put(int fd, const void *buf, size_t len, uint64_t off);

/*
 * Have len bytes from offset off read as zeros, and give their room back to the file system where
 * that can take it; where it cannot, zeros are written. The file's length stays.
 *
 *   off, len  inside the file
 *
 * Returns 0, or the negative errno of fallocate(2) or pwrite(2).
 */
int vhd_io_zero(int fd, uint64_t off, uint64_t len);

/*
 * Read exactly len bytes from offset off.
 *
 * Returns 0, -EIO when the file ends before that, or another negative errno of pread(2).
 */
int vhd_io_get(int fd, void *buf, size_t len, uint64_t off);

/*
 * Read len bytes from offset off, or up to the end of the file.
 *
 *   ret_len  receives the bytes read, below len only at the end of the file
 *
 * Returns 0, or the negative errno of pread(2).
 */
int vhd_io_read(int fd, void *buf, size_t len, uint64_t off, size_t *ret_len);
