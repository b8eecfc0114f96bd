/* SPDX-License-Identifier: MIT */
/*
 * Judge images that a test holds in memory. A file that includes this has included cmocka.h before.
 */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/image.h"
#include "sample.h"

/* Defects that have occurred in the tests so far. */
static bool met[VHD_DEFECT_COUNT];

static inline int file_of(const struct sample *sample)
{
    int fd = memfd_create("sample", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, sample->bytes, sample->len, 0), sample->len);
    return fd;
}

static inline bool is_harmless(enum vhd_defect defect)
{
    return defect == VHD_SOUND || defect == VHD_FOOTER_LOST || defect == VHD_DISABLED ||
           defect == VHD_OLD_BITMAPS;
}

static inline struct vhd_image judge_fd(int fd, bool *ret_usable)
{
    struct vhd_image image;
    memset(&image, 0xA5, sizeof image);
    *ret_usable = vhd_image_judge(fd, &image);
    assert_in_range(image.fault.defect, 0, VHD_DEFECT_COUNT - 1);
    assert_int_equal(*ret_usable, is_harmless(image.fault.defect));
    const char *sentence = vhd_defect_sentence(image.fault.defect);
    if (image.fault.defect == VHD_FOREIGN)
        assert_memory_equal(image.fault.sentence, "this is a", 9);
    else
        assert_int_equal(strncmp(image.fault.sentence, sentence, strlen(sentence)), 0);
    met[image.fault.defect] = true;
    return image;
}

static inline struct vhd_image judge(const struct sample *sample, bool *ret_usable)
{
    int fd = file_of(sample);
    struct vhd_image image = judge_fd(fd, ret_usable);
    close(fd);
    assert_int_equal(image.length, sample->len);
    return image;
}

/* The image is sound; releases it. */
static inline struct vhd_image accept_image(struct sample sample)
{
    bool is_usable;
    struct vhd_image image = judge(&sample, &is_usable);
    free(sample.bytes);
    if (image.fault.defect != VHD_SOUND)
        print_error("%s\n", image.fault.sentence);
    assert_true(is_usable);
    assert_int_equal(image.fault.defect, VHD_SOUND);
    assert_true(image.has_footer);
    return image;
}

/* The image has this defect; releases it. */
static inline struct vhd_image expect_defect(struct sample sample, enum vhd_defect defect)
{
    bool is_usable;
    struct vhd_image image = judge(&sample, &is_usable);
    free(sample.bytes);
    if (image.fault.defect != defect)
        print_error("%s, expected: %s\n", image.fault.sentence, vhd_defect_sentence(defect));
    assert_int_equal(image.fault.defect, defect);
    return image;
}

static inline void expect_header(const struct vhd_image *image, unsigned blocks, unsigned allocated)
{
    assert_true(image->has_header);
    assert_int_equal(image->header.block_size, SAMPLE_BLOCK);
    assert_int_equal(image->blocks, blocks);
    assert_int_equal(image->allocated, allocated);
}

/* A number put into both footers of a small dynamic disk, and sealed. */
static inline struct sample with_footer(size_t at, unsigned width, uint64_t value)
{
    struct sample sample = sample_dynamic(9, 2);
    uint8_t *const footers[] = {sample.bytes, sample_end(&sample)};
    for (int i = 0; i < 2; i++) {
        if (width == 4)
            put32(footers[i] + at, (uint32_t)value);
        else
            put64(footers[i] + at, value);
        sample_seal_footer(footers[i]);
    }
    return sample;
}

/* The same for the header. */
static inline struct sample with_header(size_t at, unsigned width, uint64_t value)
{
    struct sample sample = sample_dynamic(9, 2);
    if (width == 4)
        put32(sample.bytes + SAMPLE_HEADER + at, (uint32_t)value);
    else
        put64(sample.bytes + SAMPLE_HEADER + at, value);
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    return sample;
}

/* The same for an entry of the table. */
static inline struct sample with_entry(unsigned block, uint32_t sector)
{
    struct sample sample = sample_dynamic(9, 2);
    put32(sample_entry(&sample, block), sector);
    return sample;
}

/* The tests before have provoked each of these defects. */
static inline void expect_provoked(enum vhd_defect first, enum vhd_defect end)
{
    for (enum vhd_defect i = first; i < end; i++) {
        if (!met[i])
            print_error("never met: %s\n", vhd_defect_sentence(i));
        assert_true(met[i]);
    }
}
