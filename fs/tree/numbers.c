/* SPDX-License-Identifier: MIT */
#include "tree/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "tree/ino.h"

/*
 * How long the index counts while the folder looks unchanged. The folder's last change must also be
 * older than this, because FAT keeps times in steps of two seconds.
 */
#define FOLDER_NANOSECONDS INT64_C(2000000000)

struct fs_numbered {
    char *name;
    dev_t dev;
    ino_t ino;
    uint64_t number;
    const char *first; /* the disk whose image this is a link to; NULL for one of its own */
};

/* FNV-1a: quick, and as even as is needed here. */
static uint64_t hash(uint64_t seed, const void *bytes, size_t len)
{
    uint64_t value = seed ^ UINT64_C(0xCBF29CE484222325);

    for (const unsigned char *p = bytes; len > 0; p++, len--)
        value = (value ^ *p) * UINT64_C(0x100000001B3);
    return value;
}

/* The bits of a hash that fit, the upper ones folded in. */
static uint64_t fold(uint64_t value)
{
    return (value ^ value >> 56) % FS_NUMBER_END;
}

static uint64_t hash_image(dev_t dev, ino_t ino, uint64_t salt)
{
    const uint64_t words[] = {dev, ino, salt};
    return fold(hash(0, words, sizeof words));
}

static uint64_t hash_name(const char *name, uint64_t salt)
{
    return fold(hash(~salt, name, strlen(name)));
}

/* The device of the store's folder; 0 where fstat(2) fails. */
static dev_t device_of(const struct vhd_store *store, struct stat *ret_folder)
{
    return fstat(vhd_store_fd(store), ret_folder) == 0 ? ret_folder->st_dev : 0;
}

/* Can the inode's number be used as it is? */
static bool is_plain(dev_t dev, ino_t ino, dev_t folder)
{
    return dev == folder && ino < FS_NUMBER_END;
}

/*
 * The index.
 */

static void drop(struct fs_numbers *numbers)
{
    for (size_t i = 0; i < numbers->count; i++)
        free(numbers->disks[i].name);
    numbers->count = 0;
    numbers->listed_at = (struct timespec){0};
}

void fs_numbers_free(struct fs_numbers *numbers)
{
    drop(numbers);
    free(numbers->disks);
    pthread_mutex_destroy(&numbers->lock);
}

static int add(void *arg, const struct vhd_file *file)
{
    struct fs_numbers *numbers = arg;

    struct fs_numbered *disks =
        array_grow(numbers->disks, numbers->count, &numbers->capacity, sizeof *disks);
    if (!disks)
        return -1;
    numbers->disks = disks;
    char *name = strdup(file->name);
    if (!name)
        return -1;
    numbers->disks[numbers->count++] = (struct fs_numbered){
        .name = name,
        .dev = file->attributes.st_dev,
        .ino = file->attributes.st_ino,
    };
    return 0;
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct fs_numbered *)a)->name, ((const struct fs_numbered *)b)->name);
}

/* By image, and the names of one image in their order. */
static int compare_images(const void *a, const void *b)
{
    const struct fs_numbered *first = *(struct fs_numbered *const *)a;
    const struct fs_numbered *second = *(struct fs_numbered *const *)b;

    int order = compare(first->dev, second->dev);
    if (order == 0)
        order = compare(first->ino, second->ino);
    return order != 0 ? order : strcmp(first->name, second->name);
}

/* Find the links among the disks. */
static bool find_links(struct fs_numbers *numbers)
{
    AUTO_FREE struct fs_numbered **by_image = calloc(numbers->count + 1, sizeof(void *));

    if (!by_image)
        return false;
    for (size_t i = 0; i < numbers->count; i++)
        by_image[i] = &numbers->disks[i];
    qsort(by_image, numbers->count, sizeof(void *), compare_images);
    for (size_t i = 1; i < numbers->count; i++) {
        const struct fs_numbered *before = by_image[i - 1];
        if (before->dev == by_image[i]->dev && before->ino == by_image[i]->ino)
            by_image[i]->first = before->first ? before->first : before->name;
    }
    return true;
}

static int compare_numbers(const void *a, const void *b)
{
    return compare(*(const uint64_t *)a, *(const uint64_t *)b);
}

/* Insert a number into the sorted array of those taken. Returns false when it is there already. */
static bool insert_number(uint64_t *taken, size_t *count, uint64_t number)
{
    if (bsearch(&number, taken, *count, sizeof *taken, compare_numbers))
        return false;
    size_t i = (*count)++;
    for (; i > 0 && taken[i - 1] > number; i--)
        taken[i] = taken[i - 1];
    taken[i] = number;
    return true;
}

/*
 * Give the numbers: the plain ones first, then hashes in the order of names. So each mount of the
 * same store gives the same numbers.
 */
static bool give_numbers(struct fs_numbers *numbers, dev_t folder)
{
    AUTO_FREE uint64_t *taken = calloc(numbers->count + 1, sizeof *taken);
    size_t count = 0;

    if (!taken)
        return false;
    for (size_t i = 0; i < numbers->count; i++) {
        struct fs_numbered *disk = &numbers->disks[i];
        if (!disk->first && is_plain(disk->dev, disk->ino, folder))
            taken[count++] = disk->number = disk->ino;
    }
    qsort(taken, count, sizeof *taken, compare_numbers);
    for (size_t i = 0; i < numbers->count; i++) {
        struct fs_numbered *disk = &numbers->disks[i];
        uint64_t salt = 0;
        if (!disk->first && is_plain(disk->dev, disk->ino, folder))
            continue;
        do {
            disk->number =
                disk->first ? hash_name(disk->name, salt) : hash_image(disk->dev, disk->ino, salt);
            salt++;
        } while (!insert_number(taken, &count, disk->number));
    }
    return true;
}

/* Nanoseconds from one time to another. */
static int64_t between(struct timespec from, struct timespec to)
{
    return (int64_t)(to.tv_sec - from.tv_sec) * 1000000000 + (to.tv_nsec - from.tv_nsec);
}

static bool is_current(const struct fs_numbers *numbers, const struct stat *folder)
{
    const int64_t age = between(numbers->listed_at, clock_real());

    return numbers->listed_at.tv_sec != 0 && age >= 0 && age < FOLDER_NANOSECONDS &&
           between(numbers->folder_changed, folder->st_ctim) == 0 &&
           between(folder->st_ctim, numbers->listed_at) > FOLDER_NANOSECONDS;
}

/* Search the store for a disk, under the lock. NULL when it is not there, or memory is short. */
static const struct fs_numbered *search(struct fs_numbers *numbers, const struct vhd_store *store,
                                        const char *name, const struct stat *folder)
{
    const struct timespec now = clock_real();
    const struct fs_numbered key = {.name = (char *)(uintptr_t)name};

    if (!is_current(numbers, folder)) {
        drop(numbers);
        int err = vhd_store_each(store, add, numbers);
        if (numbers->count > 0)
            qsort(numbers->disks, numbers->count, sizeof *numbers->disks, compare_names);
        if (err != 0 || !find_links(numbers) || !give_numbers(numbers, folder->st_dev))
            drop(numbers);
        else
            numbers->listed_at = now;
        numbers->folder_changed = folder->st_ctim;
    }
    if (numbers->count == 0)
        return NULL;
    return bsearch(&key, numbers->disks, numbers->count, sizeof *numbers->disks, compare_names);
}

uint64_t fs_numbers_of(struct fs_numbers *numbers, const struct vhd_store *store, const char *name,
                       const struct stat *image)
{
    struct stat folder = {0};
    const bool is_as_it_is = is_plain(image->st_dev, image->st_ino, device_of(store, &folder));

    if (is_as_it_is && image->st_nlink < 2)
        return image->st_ino;
    HOLD_LOCK(&numbers->lock);
    const struct fs_numbered *disk = search(numbers, store, name, &folder);
    if (disk && disk->dev == image->st_dev && disk->ino == image->st_ino)
        return disk->number;
    return is_as_it_is ? image->st_ino : hash_image(image->st_dev, image->st_ino, 0);
}

bool fs_numbers_is_link(struct fs_numbers *numbers, const struct vhd_store *store, const char *name,
                        const struct stat *image, char ret_first[NAME_MAX + 1])
{
    struct stat folder = {0};

    if (image->st_nlink < 2)
        return false;
    device_of(store, &folder);
    HOLD_LOCK(&numbers->lock);
    const struct fs_numbered *disk = search(numbers, store, name, &folder);
    if (!disk || !disk->first)
        return false;
    snprintf(ret_first, NAME_MAX + 1, "%s", disk->first);
    return true;
}
