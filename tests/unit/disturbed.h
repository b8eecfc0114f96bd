/* SPDX-License-Identifier: MIT */
/*
 * A host that writes and reads less than it is asked for, is interrupted, or zeroes nothing. The
 * calls of the library come here. A file that includes this has included cmocka.h before.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/io.h"

/*
 * The library's calls of pwritev(2), pwrite(2), pread(2) and fallocate(2) end here. So a test can
 * have the kernel do only a part of the work, or none. The siblings of these calls do the work.
 */
static size_t piece;              /* bytes of one call at most; 0: as the kernel likes */
static unsigned int interrupts;   /* calls still to be interrupted before one succeeds */
static unsigned int interrupt_by; /* interruptions before each call that succeeds */
static unsigned int calls;
static int fallocate_fails; /* the errno of fallocate(2); 0: it works */

static inline int is_interrupted(void)
{
    calls++;
    if (interrupts > 0) {
        interrupts--;
        errno = EINTR;
        return 1;
    }
    interrupts = interrupt_by;
    return 0;
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t off)
{
    if (is_interrupted()) {
        return -1;
    }
    if (piece == 0) {
        return pwritev2(fd, iov, count, off, 0);
    }
    size_t done = 0;
    for (int i = 0; i < count && done < piece; i++) {
        size_t len = iov[i].iov_len < piece - done ? iov[i].iov_len : piece - done;
        struct iovec part = {.iov_base = iov[i].iov_base, .iov_len = len};
        ssize_t n = pwritev2(fd, &part, 1, off + (off_t)done, 0);
        if (n < 0) {
            return done > 0 ? (ssize_t)done : -1;
        }
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
    if (is_interrupted()) {
        return -1;
    }
    struct iovec one = {.iov_base = (void *)buf, .iov_len = piece > 0 && len > piece ? piece : len};
    return pwritev2(fd, &one, 1, off, 0);
}

int fallocate(int fd, int mode, off_t off, off_t len)
{
    if (is_interrupted()) {
        return -1;
    }
    if (fallocate_fails) {
        errno = fallocate_fails;
        return -1;
    }
    return (int)syscall(SYS_fallocate, fd, mode, off, len);
}

ssize_t pread(int fd, void *buf, size_t len, off_t off)
{
    if (is_interrupted()) {
        return -1;
    }
    struct iovec one = {.iov_base = buf, .iov_len = piece > 0 && len > piece ? piece : len};
    return preadv(fd, &one, 1, off);
}

static inline void disturb(size_t bytes_a_call, unsigned int interrupts_a_call)
{
    piece = bytes_a_call;
    interrupt_by = interrupts = interrupts_a_call;
    calls = 0;
}

static inline int undisturbed(void **state)
{
    (void)state;
    disturb(0, 0);
    fallocate_fails = 0;
    return 0;
}

static inline int empty_file(void)
{
    int fd = memfd_create("io", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* The content from off on is these bytes, and ends behind them. */
static inline void assert_ends_with(int fd, uint64_t off, const char *expected)
{
    char buf[256];
    size_t len = 0;
    assert_int_equal(vhd_io_read(fd, buf, sizeof buf, off, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(buf, expected, len);
}
