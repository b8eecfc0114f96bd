/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/catalogue.h"
#include "image/check.h"
#include "disk/disk.h"
#include "image/info.h"
#include "repair/changes.h"
#include "repair/write.h"
#include "store/store.h"

#define NAME      "spoilt-image"
#define FILE_NAME NAME ".vhd"

/* The largest disks that are read whole, and checked byte by byte. */
#define WHOLE ((uint64_t)1 << 20)

/* The number of data ranges to read in larger ones. */
#define STRETCHES 64

struct harness {
    struct vhd_store *store;
    struct vhd_catalogue *catalogue;
    uint8_t *content, *found; /* WHOLE bytes each */
};

struct harness *harness_new(const char *folder)
{
    struct harness *harness = calloc(1, sizeof *harness);
    struct vhd_verdict why;

    if (!harness)
        err(2, "calloc");
    if (vhd_store_open(folder, 0, &harness->store, &why) != VHD_OK)
        errx(2, "%s", why.sentence);
    harness->catalogue = vhd_catalogue_new(harness->store);
    harness->content = malloc(WHOLE);
    harness->found = malloc(WHOLE);
    if (!harness->catalogue || !harness->content || !harness->found)
        err(2, "malloc");
    return harness;
}

void harness_free(struct harness *harness)
{
    if (!harness)
        return;
    unlinkat(vhd_store_fd(harness->store), FILE_NAME, 0);
    vhd_catalogue_unref(harness->catalogue);
    vhd_store_unref(harness->store);
    free(harness->content);
    free(harness->found);
    free(harness);
}

static void put_image(const struct harness *harness, const uint8_t *bytes, size_t len)
{
    int fd = openat(vhd_store_fd(harness->store), FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) < 0)
        err(2, FILE_NAME);
}

/* Read a small disk whole. Of a larger one read both ends and some of the data. */
static void read_disk(struct vhd_disk *disk, uint8_t *buf)
{
    const uint64_t size = vhd_disk_size(disk);
    uint64_t at = 0;

    if (size <= WHOLE) {
        if (vhd_disk_read(disk, buf, size, 0, NULL) < 0)
            errx(1, "a sound disk cannot be read");
        return;
    }
    vhd_disk_read(disk, buf, WHOLE, 0, NULL);
    vhd_disk_read(disk, buf, WHOLE, size - WHOLE, NULL);
    for (int i = 0; i < STRETCHES && vhd_disk_seek(disk, at, false, &at) == 0; i++) {
        vhd_disk_read(disk, buf, at < size - 4096 ? 4096 : (size_t)(size - at), at, NULL);
        if (vhd_disk_seek(disk, at, true, &at) < 0)
            break;
    }
}

/* Returns NULL if the disk is refused; *ret then has the sentence. */
static struct vhd_disk *open_disk(struct harness *harness, unsigned flags, struct vhd_verdict *ret)
{
    struct vhd_disk *disk = NULL;

    vhd_disk_open(harness->catalogue, NAME, flags | VHD_DISK_NO_FLUSHER, &disk, ret);
    return disk;
}

/* Write and discard at places that the image's own bytes choose. */
static void change(struct harness *harness, struct vhd_disk *disk, const uint8_t *bytes, size_t len)
{
    const uint64_t size = vhd_disk_size(disk);
    uint64_t random = 0x9E3779B97F4A7C15;

    for (size_t i = 0; i < len && i < 4096; i += 61)
        random = (random ^ bytes[i]) * 0x100000001B3;
    for (int i = 0; i < 6; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        uint64_t most = 1 + (random >> 20) % 20000, off = (random >> 33) * 7919 % size;
        size_t count = (size_t)(most < size - off ? most : size - off);
        uint8_t buf[20000];
        memset(buf, i % 3 == 2 ? 0 : (int)(random >> 56), count);
        int err =
            i % 3 == 2 ? vhd_disk_discard(disk, count, off) : vhd_disk_write(disk, buf, count, off);
        if (err < 0 && err != -EFBIG && err != -ENOSPC)
            errx(1, "write: %s", strerrorname_np(-err));
        if (err == 0 && size <= WHOLE)
            memcpy(harness->content + off, buf, count);
        if (i == 3 && vhd_disk_flush(disk) < 0)
            errx(1, "a flush has failed");
    }
}

/* In a small disk, every byte must be the one that was written last. */
static void read_whole(struct harness *harness, struct vhd_disk *disk, const char *when)
{
    const uint64_t size = vhd_disk_size(disk);

    read_disk(disk, harness->found);
    if (size > WHOLE || memcmp(harness->found, harness->content, size) == 0)
        return;
    uint64_t i = 0;
    while (harness->found[i] == harness->content[i])
        i++;
    errx(1, "%s, byte %ju is 0x%02X, expected 0x%02X", when, (uintmax_t)i, harness->found[i],
         harness->content[i]);
}

static void use_for_writing(struct harness *harness, const uint8_t *bytes, size_t len)
{
    struct vhd_verdict why;

    struct vhd_disk *disk = open_disk(harness, VHD_DISK_WRITE, &why);
    if (!disk)
        return;
    read_whole(harness, disk, "opened for writing");
    change(harness, disk, bytes, len);
    read_whole(harness, disk, "written to");
    if (vhd_disk_close(disk, NULL) < 0)
        errx(1, "a disk cannot be closed");
    disk = open_disk(harness, 0, &why);
    /*
     * A locator may name a place inside a block. Then the guest overwrites the name of its parent.
     */
    if (!disk && why.result == VHD_PARENT_LOST)
        return;
    if (!disk)
        errx(1, "a disk that was written to does not open any more: %s", why.sentence);
    read_whole(harness, disk, "closed and opened");
    vhd_disk_close(disk, NULL);
}

static void ignore(void *arg, const struct vhd_finding *finding)
{
    (void)arg, (void)finding;
}

/* Check the image, repair it, and check it again. What was readable reads the same then. */
static void repair(struct harness *harness, bool was_open)
{
    const struct vhd_checker checker = {ignore, NULL, NULL};
    struct vhd_repair_plan plan;
    struct vhd_verdict why;
    uint64_t findings;

    int fd = openat(vhd_store_fd(harness->store), FILE_NAME, O_RDWR);
    if (fd < 0)
        err(2, FILE_NAME);
    if (vhd_check_image(harness->store, FILE_NAME, fd, &checker, &findings) < 0)
        errx(1, "an image cannot be checked");
    if (!was_open && findings == 0)
        errx(1, "a check passes an image that does not open");
    if (vhd_repair_plan_make(fd, false, NULL, NULL, &plan) == 0) {
        int error = vhd_repair_plan_is_empty(&plan) ? 0 : vhd_repair_write(fd, &plan);
        if (error < 0 && error != -EFBIG && error != -ENOSPC)
            errx(1, "repair: %s", strerrorname_np(-error));
        vhd_repair_changes_tell(&plan, ignore, NULL);
        vhd_repair_plan_free(&plan);
    }
    if (vhd_check_image(harness->store, FILE_NAME, fd, &checker, &findings) < 0)
        errx(1, "a repaired image cannot be checked");
    close(fd);
    struct vhd_disk *disk = open_disk(harness, 0, &why);
    /* A locator may name the place of a footer, which is the name of a parent no longer. */
    if (was_open && !disk && why.result != VHD_PARENT_LOST)
        errx(1, "a repaired disk does not open any more: %s", why.sentence);
    if (was_open && disk)
        read_whole(harness, disk, "repaired");
    vhd_disk_close(disk, NULL);
}

int harness_use(struct harness *harness, const uint8_t *bytes, size_t len)
{
    struct vhd_verdict why;
    struct vhd_info info;

    put_image(harness, bytes, len);
    vhd_info_read_all(harness->catalogue, NAME, &info);
    struct vhd_disk *disk = open_disk(harness, 0, &why);
    const bool is_open = disk;
    if (is_open)
        read_disk(disk, harness->content);
    vhd_disk_close(disk, NULL);
    repair(harness, is_open);
    if (!is_open)
        return 0;
    put_image(harness, bytes, len);
    use_for_writing(harness, bytes, len);
    return 1;
}

static uint32_t checksum(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += bytes[i];
    return ~sum;
}

void harness_seal_part(uint8_t *bytes, size_t len, size_t at)
{
    harness_put32(bytes + at, 0);
    harness_put32(bytes + at, checksum(bytes, len));
}

void harness_seal(uint8_t *bytes, size_t len)
{
    uint64_t header = 0;

    if (len < 512)
        return;
    harness_seal_part(bytes, 512, 64);
    uint8_t *end = bytes + len - 512;
    for (size_t i = 0; i < 8; i++)
        header = header << 8 | end[16 + i];
    if (header >= 512 && header <= len && len - header >= 1024 + 512)
        harness_seal_part(bytes + header, 1024, 36);
    harness_seal_part(end, 512, 64);
}
