/* SPDX-License-Identifier: MIT */
/*
 * A change of an image that a disk has open. A file that includes this has included
 * cmocka.h before.
 */
#pragma once

#include "engine.h"

/* Give a file times of long ago, so that each change shows in them. */
static inline void age(const char *folder, const char *file)
{
    const struct timespec times[2] = {{.tv_sec = 1000000001, .tv_nsec = 5},
                                      {.tv_sec = 1000000002, .tv_nsec = 6}};
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(folder, file), times, 0), 0);
}

static inline void write_at(const char *folder, const char *file, const void *bytes, size_t len,
                            uint64_t at)
{
    int fd = open(scratch_path(folder, file), O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
    close(fd);
}
