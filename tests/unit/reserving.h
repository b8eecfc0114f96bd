/* SPDX-License-Identifier: MIT */
/*
 * A host that reserves and writes as a test wants, in an instant. The calls of the library come
 * here. A file that includes this has included cmocka.h before, and is in unit_wraps of
 * meson.build.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "gate.h"

/* The library's calls of these come here, under both of their names. */
int __real_fallocate(int fd, int mode, off_t off, off_t len);
int __real_fallocate64(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t off, off_t len);
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __real_pwrite64(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

typedef int reserve_call(int fd, int mode, off_t off, off_t len);
typedef ssize_t write_call(int fd, const void *buf, size_t len, off_t off);

/* A kind of call: some succeed, then some fail. */
struct failing {
    unsigned after, times;
    int err;
};

static struct host {
    bool has_no_fallocate, is_pretended; /* is_pretended: fallocate does nothing, and succeeds */
    struct failing reserving, writing, syncing;
    struct vhd_task *cancels; /* a reservation or sync cancels this task ... */
    unsigned cancels_after;   /* ... after so many */
    struct gate *gate;        /* each reservation passes it; NULL for none */

    unsigned reservations, writes, syncs;
    uint64_t end;           /* of the bytes that were reserved or written, without a gap */
    uint64_t unsynced;      /* bytes written since the last sync */
    uint64_t most_unsynced; /* at any time */
    bool has_gap, has_other_bytes;
} host;

static inline bool fails(struct failing *failing)
{
    if (failing->times == 0 || (failing->after > 0 && failing->after--))
        return false;
    failing->times--;
    errno = failing->err;
    return true;
}

static inline void cover(off_t off, uint64_t len)
{
    host.has_gap |= (uint64_t)off != host.end;
    host.end = (uint64_t)off + len;
}

static inline void cancel_in_time(void)
{
    if (host.cancels && host.cancels_after-- == 0)
        vhd_task_cancel(host.cancels);
}

static inline int reserve(reserve_call *real, int fd, int mode, off_t off, off_t len)
{
    host.reservations++;
    if (host.gate)
        gate_pass(host.gate);
    if (host.has_no_fallocate) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (fails(&host.reserving))
        return -1;
    host.has_gap |= mode != 0; /* others keep the length, or make holes */
    cover(off, (uint64_t)len);
    cancel_in_time();
    return host.is_pretended ? 0 : real(fd, mode, off, len);
}

int __wrap_fallocate(int fd, int mode, off_t off, off_t len)
{
    return reserve(__real_fallocate, fd, mode, off, len);
}

int __wrap_fallocate64(int fd, int mode, off_t off, off_t len)
{
    return reserve(__real_fallocate64, fd, mode, off, len);
}

static inline ssize_t write_bytes(write_call *real, int fd, const void *buf, size_t len, off_t off)
{
    if (fails(&host.writing))
        return -1;
    ssize_t done = real(fd, buf, len, off);
    if (done < 0)
        return done;
    host.writes++;
    host.has_other_bytes |=
        len > 0 && (*(const char *)buf != 0 || memcmp(buf, (const char *)buf + 1, len - 1) != 0);
    cover(off, (uint64_t)done);
    host.unsynced += (uint64_t)done;
    if (host.most_unsynced < host.unsynced)
        host.most_unsynced = host.unsynced;
    return done;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off)
{
    return write_bytes(__real_pwrite, fd, buf, len, off);
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off)
{
    return write_bytes(__real_pwrite64, fd, buf, len, off);
}

/* Without the host's sync: the bytes are for this test alone, and a sync would cost seconds. */
int __wrap_fdatasync(int fd)
{
    (void)fd;
    if (fails(&host.syncing))
        return -1;
    host.syncs++;
    host.unsynced = 0;
    cancel_in_time();
    return 0;
}

static inline int calm(void **state)
{
    host = (struct host){.has_no_fallocate = false};
    return scratch_setup(state);
}

#define HOST_TEST(test) cmocka_unit_test_setup_teardown(test, calm, scratch_teardown)

/* All of a file's bytes up to this length are zeros. */
static inline void expect_zeros(const char *folder, const char *file, uint64_t length)
{
    size_t file_len;
    uint8_t *bytes = file_bytes(folder, file, &file_len);

    assert_true(file_len >= length);
    assert_int_equal(*bytes, 0);
    assert_int_equal(memcmp(bytes, bytes + 1, length - 1), 0);
    free(bytes);
}

/* The host has allocated each byte; not judged on a file system without reservations. */
static inline void expect_allocated(const char *folder, const char *file, uint64_t length)
{
    int fd = open(scratch_path(folder, "probe"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    const int result = __real_fallocate64(fd, 0, 0, 4096);

    close(fd);
    assert_int_equal(unlink(scratch_path(folder, "probe")), 0);
    if (result == 0)
        assert_true(file_used(folder, file) >= length);
    else
        print_message("not judged: this file system reserves no space\n");
}
