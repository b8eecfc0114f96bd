/* SPDX-License-Identifier: MIT */
/*
 * The inode numbers of a mount, on a host whose devices, inode numbers and time a test chooses. A
 * file that includes this has included cmocka.h before, and is in unit_wraps of meson.build.
 */
#pragma once

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tree/numbers.h"
#include "gate.h"
#include "scratch.h"
#include "tree/ino.h"

/*
 * The linker leads the calls of these here (--wrap), under both of their names: a test chooses the
 * device and the inode number of an image, and the time.
 */
int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __real_fstatat(int dir, const char *path, struct stat *ret, int flags);
int __real_fstatat64(int dir, const char *path, struct stat *ret, int flags);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_fstatat(int dir, const char *path, struct stat *ret, int flags);
int __wrap_fstatat64(int dir, const char *path, struct stat *ret, int flags);

static struct {
    const char *file; /* NULL: the end */
    uint64_t ino;     /* 0: as it is */
    dev_t dev_above;  /* how far from its own device */
} images[4];

static time_t seconds_passed;
static unsigned image_stats; /* atomic: stat calls for images */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int err = __real_clock_gettime(clock, ret);
    ret->tv_sec += seconds_passed;
    return err;
}

static inline int note_stat(const char *path, struct stat *image)
{
    COUNT(image_stats);
    for (size_t i = 0; i < 4 && images[i].file; i++) {
        if (strcmp(images[i].file, path) != 0)
            continue;
        image->st_dev += images[i].dev_above;
        image->st_ino = images[i].ino ? images[i].ino : image->st_ino;
    }
    return 0;
}

int __wrap_fstatat(int dir, const char *path, struct stat *ret, int flags)
{
    int err = __real_fstatat(dir, path, ret, flags);
    return err < 0 ? err : note_stat(path, ret);
}

int __wrap_fstatat64(int dir, const char *path, struct stat *ret, int flags)
{
    int err = __real_fstatat64(dir, path, ret, flags);
    return err < 0 ? err : note_stat(path, ret);
}

/* A store, and the index of one mount. */
struct mount {
    struct vhd_store *store;
    struct fs_numbers numbers;
};

static inline void mount_begin(struct mount *mount, const char *path)
{
    *mount = (struct mount){.numbers = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    assert_int_equal(vhd_store_open(path, 0, &mount->store, NULL), VHD_OK);
}

static inline void mount_end(struct mount *mount)
{
    fs_numbers_free(&mount->numbers);
    vhd_store_unref(mount->store);
}

static inline struct stat image_of(const struct mount *mount, const char *name)
{
    char file[NAME_MAX + 1];
    struct stat image;

    assert_int_equal(vhd_store_find(mount->store, name, file, &image), 0);
    return image;
}

static inline uint64_t number_of(struct mount *mount, const char *name)
{
    const struct stat image = image_of(mount, name);
    const uint64_t number = fs_numbers_of(&mount->numbers, mount->store, name, &image);

    assert_true(number < FS_NUMBER_END);
    return number;
}

/* The same of the next mount of the store. */
static inline uint64_t next_number_of(const char *path, const char *name)
{
    struct mount mount;

    mount_begin(&mount, path);
    const uint64_t number = number_of(&mount, name);
    mount_end(&mount);
    return number;
}

static inline void put(const char *folder, const char *file)
{
    scratch_put(folder, file, "image", 5);
}

static inline void put_link(const char *folder, const char *file, const char *to)
{
    assert_int_equal(link(scratch_path(folder, to), scratch_path(folder, file)), 0);
}

static inline int numbers_setup(void **state)
{
    memset(images, 0, sizeof images);
    seconds_passed = 0;
    return scratch_setup(state);
}

#define NUMBERS_TEST(test) cmocka_unit_test_setup_teardown(test, numbers_setup, scratch_teardown)
