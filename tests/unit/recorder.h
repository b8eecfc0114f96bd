/* SPDX-License-Identifier: MIT */
/*
 * A record of the calls that change an image, and a host that fails them. The calls of the library
 * come here. A file that includes this has included cmocka.h before, and is in unit_wraps of
 * meson.build.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum event_kind { WRITE, ZERO, TRUNCATE, SYNC };

/* A call that succeeded. */
struct event {
    enum event_kind kind;
    uint64_t at, len; /* of TRUNCATE: `at` is the new length */
    uint8_t *bytes;   /* of WRITE */
};

enum { EVENTS_MAX = 1000 };

static struct record {
    bool is_on;
    struct event events[EVENTS_MAX];
    size_t count;
    unsigned syncs, calls;
    unsigned failing; /* the call that fails, from 1, as all after it; 0 for none */
    int err;          /* the errno of these */
    size_t done;      /* events when the change of the image returned */
} record;

static inline void record_forget(void)
{
    for (size_t i = 0; i < record.count; i++)
        free(record.events[i].bytes);
    record = (struct record){0};
}

/* Record from now on, until record_end(). The host is broken from the call `failing` on. */
static inline void record_begin(unsigned failing, int err)
{
    record_forget();
    record.failing = failing;
    record.err = err;
    record.is_on = true;
}

static inline void record_end(void)
{
    record.is_on = false;
}

static inline struct event *record_add(enum event_kind kind, uint64_t at, uint64_t len)
{
    assert_true(record.count < EVENTS_MAX);
    record.events[record.count] = (struct event){kind, at, len, NULL};
    return &record.events[record.count++];
}

static inline bool record_fails(void)
{
    if (!record.is_on || record.failing == 0 || ++record.calls < record.failing)
        return false;
    errno = record.err;
    return true;
}

ssize_t __real_pwrite64(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off);
int __real_fallocate64(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t off, off_t len);
int __real_ftruncate64(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __wrap_ftruncate64(int fd, off_t len);
int __wrap_fdatasync(int fd);

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off)
{
    if (record_fails())
        return -1;
    ssize_t done = __real_pwrite64(fd, buf, len, off);
    if (record.is_on && done > 0) {
        struct event *event = record_add(WRITE, (uint64_t)off, (uint64_t)done);
        event->bytes = malloc((size_t)done);
        assert_non_null(event->bytes);
        memcpy(event->bytes, buf, (size_t)done);
    }
    return done;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off)
{
    return __wrap_pwrite64(fd, buf, len, off);
}

/* The library punches holes alone: zeros, within the length of the file. */
int __wrap_fallocate64(int fd, int mode, off_t off, off_t len)
{
    if (record_fails())
        return -1;
    if (record.is_on)
        record_add(ZERO, (uint64_t)off, (uint64_t)len);
    return __real_fallocate64(fd, mode, off, len);
}

int __wrap_fallocate(int fd, int mode, off_t off, off_t len)
{
    return __wrap_fallocate64(fd, mode, off, len);
}

int __wrap_ftruncate64(int fd, off_t len)
{
    if (record_fails())
        return -1;
    if (record.is_on)
        record_add(TRUNCATE, (uint64_t)len, 0);
    return __real_ftruncate64(fd, len);
}

int __wrap_ftruncate(int fd, off_t len)
{
    return __wrap_ftruncate64(fd, len);
}

/* No power is lost, so nothing is synced. */
int __wrap_fdatasync(int fd)
{
    (void)fd;
    if (record_fails())
        return -1;
    if (record.is_on) {
        record_add(SYNC, 0, 0);
        record.syncs++;
    }
    return 0;
}
