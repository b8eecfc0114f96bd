/* SPDX-License-Identifier: MIT */
/*
 * A catalogue of a store on a host whose opens are counted, and whose clock may be coarse. A file
 * that includes this has included cmocka.h before, and is in unit_wraps of meson.build.
 */
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "disks.h"
#include "gate.h"

/*
 * The linker leads the library's calls of these here (--wrap), under both of their names: opens are
 * counted, and the host's clock can be as coarse as on many hosts.
 */
int __real_open_beneath(int dir, const char *name, int flags, mode_t mode);
int __wrap_open_beneath(int dir, const char *name, int flags, mode_t mode);
int __real_fstatat(int dir, const char *path, struct stat *ret, int flags);
int __real_fstatat64(int dir, const char *path, struct stat *ret, int flags);
int __real_fstat(int fd, struct stat *ret);
int __real_fstat64(int fd, struct stat *ret);
int __wrap_fstatat(int dir, const char *path, struct stat *ret, int flags);
int __wrap_fstatat64(int dir, const char *path, struct stat *ret, int flags);
int __wrap_fstat(int fd, struct stat *ret);
int __wrap_fstat64(int fd, struct stat *ret);

static unsigned listings, images_opened; /* atomic: opens of the folder, and of files in it */
static long tick_ns = 1;                 /* the step of the host's clock */

static inline void note_open(const char *path)
{
    if (strcmp(path, ".") == 0)
        COUNT(listings);
    else
        COUNT(images_opened);
}

int __wrap_open_beneath(int dir, const char *name, int flags, mode_t mode)
{
    note_open(name);
    return __real_open_beneath(dir, name, flags, mode);
}

static inline int coarsen(int result, struct stat *attributes)
{
    if (result == 0) {
        attributes->st_ctim.tv_nsec -= attributes->st_ctim.tv_nsec % tick_ns;
        attributes->st_mtim.tv_nsec -= attributes->st_mtim.tv_nsec % tick_ns;
    }
    return result;
}

int __wrap_fstat(int fd, struct stat *ret)
{
    return coarsen(__real_fstat(fd, ret), ret);
}

int __wrap_fstat64(int fd, struct stat *ret)
{
    return coarsen(__real_fstat64(fd, ret), ret);
}

int __wrap_fstatat(int dir, const char *path, struct stat *ret, int flags)
{
    return coarsen(__real_fstatat(dir, path, ret, flags), ret);
}

int __wrap_fstatat64(int dir, const char *path, struct stat *ret, int flags)
{
    return coarsen(__real_fstatat64(dir, path, ret, flags), ret);
}

/* The store, with a file that all children of these tests name as their parent. */
static inline struct disks store_of(const char *folder)
{
    scratch_put(folder, "base.vhd", "any", 3);
    return disks_open(folder);
}

static inline unsigned count_with(int (*count)(struct vhd_catalogue *, const char *, const uuid_t,
                                               unsigned *),
                                  struct disks disks, const char *file, uint8_t id)
{
    uuid_t parent;
    unsigned children = 42;
    memset(parent, id, sizeof parent);
    assert_int_equal(count(disks.catalogue, file, parent, &children), 0);
    return children;
}

static inline unsigned children_of(struct disks disks, uint8_t id)
{
    return count_with(vhd_catalogue_count_children, disks, "base.vhd", id);
}

static inline unsigned children_now(struct disks disks, uint8_t id)
{
    return count_with(vhd_catalogue_count_children_now, disks, "base.vhd", id);
}

static inline bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static inline struct timespec change_time(const char *folder, const char *file)
{
    struct stat attributes;
    assert_int_equal(fstatat(AT_FDCWD, scratch_path(folder, file), &attributes, 0), 0);
    return attributes.st_ctim;
}

/* Write an image over a file, which stays the same file, and release it. */
static inline void write_over(const char *folder, const char *file, struct sample sample)
{
    int fd = open(scratch_path(folder, file), O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, sample.bytes, sample.len, 0), sample.len);
    assert_int_equal(ftruncate(fd, (off_t)sample.len), 0);
    close(fd);
    free(sample.bytes);
}

static inline bool touch(const char *folder, const char *file, struct timespec before)
{
    assert_int_equal(chmod(scratch_path(folder, file), 0644), 0);
    return !is_same_time(before, change_time(folder, file));
}

/* The same, and late enough that the file's time shows it. */
static inline void write_over_later(const char *folder, const char *file, struct sample sample)
{
    struct timespec before = change_time(folder, file);

    write_over(folder, file, sample);
    UNTIL(touch(folder, file, before));
}

/* A count now finds that the last listing is still right. */
static inline bool counts_without_a_listing(struct disks disks)
{
    unsigned before = READ(listings);
    assert_int_equal(children_of(disks, 2), 1);
    return READ(listings) == before;
}
