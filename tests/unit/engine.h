/* SPDX-License-Identifier: MIT */
/*
 * Open disks, and assertions about their content and the files that they leave. A file that
 * includes this has included cmocka.h before.
 */
#pragma once

#include <sys/stat.h>

#include "disk/disk.h"
#include "image/image.h"
#include "disks.h"

enum { BLOCK = SAMPLE_BLOCK, DISK = SAMPLE_SIZE, MB = 1 << 20 };

static inline struct vhd_disk *open_disk(struct disks disks, const char *name, unsigned flags)
{
    struct vhd_disk *disk = NULL;
    struct vhd_verdict why = {0};

    enum vhd_result result =
        vhd_disk_open(disks.catalogue, name, flags | VHD_DISK_NO_FLUSHER, &disk, &why);
    if (result != VHD_OK)
        print_error("%s\n", why.sentence);
    assert_int_equal(result, VHD_OK);
    return disk;
}

static inline struct vhd_disk *open_writable(struct disks disks, const char *name)
{
    return open_disk(disks, name, VHD_DISK_WRITE);
}

static inline void close_disk(struct vhd_disk *disk)
{
    assert_int_equal(vhd_disk_close(disk, NULL), 0);
}

/* The disk does not open. */
static inline void refuse_disk(struct disks disks, const char *name, unsigned flags,
                               enum vhd_result expected)
{
    struct vhd_disk *disk = NULL;
    struct vhd_verdict why = {0};

    assert_int_equal(vhd_disk_open(disks.catalogue, name, flags, &disk, &why), expected);
    assert_null(disk);
    assert_int_equal(why.result, expected);
    assert_true(*why.sentence);
    assert_int_equal(vhd_disk_open(disks.catalogue, name, flags, &disk, NULL), expected);
}

/* All bytes of a range are this one. */
static inline void expect(struct vhd_disk *disk, uint64_t off, size_t len, uint8_t byte)
{
    uint8_t *buf = malloc(len + 1);
    assert_non_null(buf);

    memset(buf, ~byte, len + 1);
    assert_int_equal(vhd_disk_read(disk, buf, len, off, NULL), 0);
    for (size_t i = 0; i < len; i++) {
        if (buf[i] != byte)
            print_error("byte %zu of %zu at %zu\n", i, len, (size_t)off);
        assert_int_equal(buf[i], byte);
    }
    assert_int_equal(buf[len], (uint8_t)~byte);
    free(buf);
}

/* Fill a range with one byte. */
static inline void fill(struct vhd_disk *disk, uint64_t off, size_t len, uint8_t byte)
{
    uint8_t *buf = malloc(len + 1);
    assert_non_null(buf);

    memset(buf, byte, len);
    assert_int_equal(vhd_disk_write(disk, buf, len, off), 0);
    free(buf);
}

/* A file's bytes, to be freed. */
static inline uint8_t *file_bytes(const char *folder, const char *file, size_t *ret_len)
{
    struct stat attributes;
    int fd = open(scratch_path(folder, file), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &attributes), 0);
    *ret_len = (size_t)attributes.st_size;
    uint8_t *bytes = malloc(*ret_len + 1);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, *ret_len, 0), *ret_len);
    close(fd);
    return bytes;
}

static inline uint64_t file_length(const char *folder, const char *file)
{
    struct stat attributes;
    assert_int_equal(stat(scratch_path(folder, file), &attributes), 0);
    return (uint64_t)attributes.st_size;
}

/* Bytes that a file uses on the host. */
static inline uint64_t file_used(const char *folder, const char *file)
{
    struct stat attributes;
    assert_int_equal(stat(scratch_path(folder, file), &attributes), 0);
    return (uint64_t)attributes.st_blocks * 512;
}

static inline uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The entry of a block, in a file with its table at 1536. */
static inline uint32_t file_entry(const char *folder, const char *file, unsigned block)
{
    uint8_t entry[4];
    int fd = open(scratch_path(folder, file), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, entry, 4, SAMPLE_TABLE + 4 * (off_t)block), 4);
    close(fd);
    return get32(entry);
}

/* The image is sound, and its file ends right behind the last block and the footer. */
static inline struct vhd_image expect_clean(const char *folder, const char *file)
{
    struct vhd_image image;
    int fd = open(scratch_path(folder, file), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    if (!vhd_image_judge(fd, &image) || image.fault.defect != VHD_SOUND)
        print_error("%s\n", image.fault.sentence);
    assert_int_equal(image.fault.defect, VHD_SOUND);
    close(fd);
    return image;
}

/* An empty dynamic disk with blocks of 2 MiB, as the library makes it; with a parent, a child. */
static inline void put_empty(const char *folder, const char *file, uint64_t size, uint8_t id,
                             uint8_t parent, const char *parent_name)
{
    const uint32_t blocks = (uint32_t)((size + 2 * MB - 1) / (2 * MB));
    const size_t table = ((size_t)blocks * 4 + 511) / 512 * 512;
    const uint32_t type = parent_name ? SAMPLE_DIFFERENCING : SAMPLE_DYNAMIC;
    struct sample sample = sample_of(SAMPLE_TABLE + table + 512);

    sample_footers(&sample, type, size, id);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, blocks, 2 * MB);
    if (parent_name)
        sample_parent(sample.bytes + SAMPLE_HEADER, parent, parent_name);
    memset(sample.bytes + SAMPLE_TABLE, 0xFF, table);
    put(folder, file, sample);
}

/* A file that stays as it is until expect_kept(). */
struct kept {
    uint8_t *bytes;
    size_t len;
    struct timespec changed;
};

static inline struct kept keep(const char *folder, const char *file)
{
    struct kept kept;
    struct stat attributes;

    assert_int_equal(stat(scratch_path(folder, file), &attributes), 0);
    kept.changed = attributes.st_mtim;
    kept.bytes = file_bytes(folder, file, &kept.len);
    return kept;
}

static inline void expect_kept(const char *folder, const char *file, struct kept kept)
{
    struct kept now = keep(folder, file);

    assert_int_equal(now.len, kept.len);
    assert_memory_equal(now.bytes, kept.bytes, kept.len);
    assert_int_equal(now.changed.tv_sec, kept.changed.tv_sec);
    assert_int_equal(now.changed.tv_nsec, kept.changed.tv_nsec);
    free(now.bytes);
    free(kept.bytes);
}
