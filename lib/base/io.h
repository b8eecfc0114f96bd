/* SPDX-License-Identifier: MIT */
/*
 * Whole transfers at explicit offsets. These calls finish short transfers and repeat interrupted
 * ones, so callers see only success or an errno.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Write all bytes of iov, in order, from offset off.
 *
 *   iov  count entries; the call uses them up
 *
 * Returns 0, -EIO when the host writes nothing, or another negative errno of pwritev(2). After a
 * failure some of the bytes may be written.
 */
int vhd_io_write(int fd, struct iovec *iov, int count, uint64_t off);

/*
 * Write len bytes from offset off.
 *
 * Returns 0, -EIO when the host writes nothing, or another negative errno of pwrite(2). After a
 * failure some of the bytes may be written.
 */
int vhd_io_put(int fd, const void *buf, size_t len, uint64_t off);

/*
 * Write len bytes from offset off, where the file reads as zeros. Zeros are not written where they
 * fill whole grains of VHD_IO_GRAIN, so holes stay holes.
 *
 * Returns as vhd_io_put().
 */
int vhd_io_put_sparse(int fd, const void *buf, size_t len, uint64_t off);

/* Zeros of at least this length stay a hole. */
#define VHD_IO_GRAIN ((size_t)64 << 10)

/*
 * Make len bytes from offset off read as zeros. Punches a hole, or writes zeros where the file
 * system has no holes. The file's length stays.
 *
 *   off, len  inside the file
 *
 * Returns 0, or the negative errno of fallocate(2) or pwrite(2).
 */
int vhd_io_zero(int fd, uint64_t off, uint64_t len);

/*
 * Read exactly len bytes from offset off.
 *
 * Returns 0, -EIO when the file ends too early, or another negative errno of pread(2).
 */
int vhd_io_get(int fd, void *buf, size_t len, uint64_t off);

/*
 * Read len bytes from offset off, or up to the end of the file.
 *
 *   ret_len  receives the number of bytes read; below len only at the end of the file
 *
 * Returns 0, or the negative errno of pread(2).
 */
int vhd_io_read(int fd, void *buf, size_t len, uint64_t off, size_t *ret_len);
