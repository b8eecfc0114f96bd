/* SPDX-License-Identifier: MIT */
/*
 * A child whose header and locators name its parents. A file that includes this has included
 * cmocka.h before.
 */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/image.h"
#include "image/parent.h"
#include "disks.h"
#include "format/locator.h"

/* Put bytes between the blocks and the footer, padded to whole sectors; returns their place. */
static inline uint32_t append(struct sample *sample, const void *data, size_t len)
{
    const size_t at = sample->len - 512, padded = (len + 511) / 512 * 512;

    sample->bytes = realloc(sample->bytes, sample->len + padded);
    assert_non_null(sample->bytes);
    memmove(sample->bytes + at + padded, sample->bytes + at, 512);
    memset(sample->bytes + at, 0, padded);
    memcpy(sample->bytes + at, data, len);
    sample->len += padded;
    return (uint32_t)at;
}

static inline void set_locator(const struct sample *sample, unsigned slot, uint32_t platform,
                               uint32_t space, uint32_t length, uint64_t offset)
{
    uint8_t *at = sample->bytes + SAMPLE_HEADER + 576 + 24 * slot;

    put32(at, platform);
    put32(at + 4, space);
    put32(at + 8, length);
    put32(at + 12, 0);
    put64(at + 16, offset);
    sample_seal_header(sample->bytes + SAMPLE_HEADER);
}

/* Give an image a locator with a text, which is ASCII here, in the platform's encoding. */
static inline void add_locator(struct sample *sample, unsigned slot, uint32_t platform,
                               const char *text)
{
    const unsigned width = platform == VHD_PLATFORM_MACX ? 1 : 2;
    const size_t len = width * strlen(text);
    uint8_t data[1024] = {0};

    assert_true(len <= sizeof data);
    for (size_t i = 0; text[i]; i++)
        data[width * i] = (uint8_t)text[i];
    uint32_t at = append(sample, data, len);
    set_locator(sample, slot, platform, (uint32_t)(len + 511) / 512 * 512, (uint32_t)len, at);
}

/* A child with this in its name field. */
static inline struct sample child(const char *field)
{
    return sample_child(3, 2, field);
}

/* The child's parent has this name and this file, none where that is empty; releases it. */
static inline void leads_to(const struct vhd_store *store, struct sample sample,
                            const char *expected, const char *expected_file)
{
    struct vhd_image image;
    char name[NAME_MAX + 2], file[NAME_MAX + 2], again[NAME_MAX + 1];
    int fd = memfd_create("child", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, sample.bytes, sample.len), sample.len);
    free(sample.bytes);
    assert_true(vhd_image_judge(fd, &image));
    assert_true(vhd_image_is_differencing(&image));
    memset(name, 'X', sizeof name);
    memset(file, 'X', sizeof file);
    vhd_parent_find(store, fd, &image.header, name, file);
    vhd_parent_name(store, fd, &image.header, again);
    close(fd);
    assert_true(strnlen(name, sizeof name) <= NAME_MAX);
    assert_true(strnlen(file, sizeof file) <= NAME_MAX);
    assert_int_equal(name[NAME_MAX + 1], 'X');
    assert_int_equal(file[NAME_MAX + 1], 'X');
    assert_string_equal(name, expected);
    assert_string_equal(again, expected);
    if (expected_file)
        assert_string_equal(file, expected_file);
}

/* The child's parent has this name; releases it. */
static inline void names(const struct vhd_store *store, struct sample sample, const char *expected)
{
    leads_to(store, sample, expected, NULL);
}

static inline struct vhd_store *open_store(const char *path)
{
    struct vhd_store *store;
    assert_int_equal(vhd_store_open(path, 0, &store, NULL), VHD_OK);
    return store;
}
