/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a table or a block that lies outside its file or over other parts would be
 * accepted: writing would spoil the image.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "image/image.h"
#include "judged.h"
#include "sample.h"

static void a_table_that_is_too_small(void **state)
{
    (void)state;
    expect_defect(with_header(28, 4, SAMPLE_BLOCKS - 1), VHD_TABLE_TOO_SMALL);
    expect_defect(with_header(28, 4, 0), VHD_TABLE_TOO_SMALL);
    expect_defect(with_header(32, 4, 512), VHD_TABLE_TOO_SMALL);
    expect_defect(with_footer(48, 8, SAMPLE_SIZE + 512), VHD_TABLE_TOO_SMALL);
    expect_defect(with_footer(48, 8, UINT64_C(2040) << 30), VHD_TABLE_TOO_SMALL);
}

static void a_disk_that_is_too_large(void **state)
{
    (void)state;
    /* Entries of 2 GiB would suffice for the size, but no such disk exists. */
    struct sample sample = with_footer(48, 8, (UINT64_C(1) << 41) + 512);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, UINT32_MAX, UINT32_C(1) << 31);
    struct vhd_image image = expect_defect(sample, VHD_DISK_TOO_LARGE);
    assert_non_null(strstr(image.fault.sentence, ": 2199023256064 bytes"));
    expect_defect(with_footer(48, 8, UINT64_MAX - 511), VHD_DISK_TOO_LARGE);
}

/* A disk of so many blocks of a sector, none of them in the file: a table of ones. */
static int many_blocks(uint32_t blocks)
{
    enum { PIECE = 1 << 20 };
    static uint8_t ones[PIECE];
    const uint64_t table = 4 * (uint64_t)blocks;
    struct sample sample = sample_dynamic(9, 0);
    int fd = memfd_create("many", MFD_CLOEXEC);

    assert_true(fd >= 0);
    memset(ones, 0xFF, sizeof ones);
    sample_footer(sample.bytes, SAMPLE_DYNAMIC, 512 * (uint64_t)blocks, 9);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, blocks, 512);
    assert_int_equal(pwrite(fd, sample.bytes, SAMPLE_TABLE, 0), SAMPLE_TABLE);
    for (uint64_t at = 0; at < table; at += PIECE)
        assert_true(pwrite(fd, ones, table - at < PIECE ? table - at : PIECE,
                           (off_t)(SAMPLE_TABLE + at)) > 0);
    off_t end = SAMPLE_TABLE + (off_t)(table + 511) / 512 * 512;
    assert_int_equal(pwrite(fd, sample.bytes, 512, end), 512);
    free(sample.bytes);
    return fd;
}

/* A hostile image must not use gigabytes of memory. */
static void a_disk_of_too_many_blocks(void **state)
{
    (void)state;
    bool is_usable;

    int fd = many_blocks(VHD_IMAGE_BLOCKS_MAX);
    struct vhd_image image = judge_fd(fd, &is_usable);
    close(fd);
    assert_int_equal(image.fault.defect, VHD_SOUND);
    assert_int_equal(image.blocks, VHD_IMAGE_BLOCKS_MAX);
    fd = many_blocks(VHD_IMAGE_BLOCKS_MAX + 1);
    image = judge_fd(fd, &is_usable);
    close(fd);
    assert_int_equal(image.fault.defect, VHD_TOO_MANY_BLOCKS);
    assert_non_null(strstr(image.fault.sentence, ": 16777217 of 512 bytes"));
}

static void a_table_outside(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    const uint64_t end = sample.len - 512;
    free(sample.bytes);
    const uint64_t offsets[] = {0,
                                256,
                                SAMPLE_HEADER,
                                SAMPLE_HEADER + 512,
                                SAMPLE_TABLE + 1,
                                SAMPLE_TABLE + 256,
                                end,
                                end + 512,
                                INT64_MAX - 511,
                                UINT64_C(1) << 63,
                                UINT64_MAX - 511,
                                UINT64_MAX - 15,
                                UINT64_MAX};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct vhd_image image = expect_defect(with_header(16, 8, offsets[i]), VHD_TABLE_OUTSIDE);
        assert_true(image.has_header);
    }
    /* Entries without end, in a small file. */
    const uint32_t entries[] = {UINT32_MAX, UINT32_MAX - 1, UINT32_C(1) << 31, UINT32_C(1) << 30,
                                (uint32_t)(end - SAMPLE_TABLE) / 4 + 1};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        expect_defect(with_header(28, 4, entries[i]), VHD_TABLE_OUTSIDE);
    /* Before the header, and reaching into it. */
    sample = sample_dynamic(9, 2);
    put64(sample_end(&sample) + 16, 1024);
    sample_seal_footer(sample_end(&sample));
    sample_header(sample.bytes + 1024, 512, 129, SAMPLE_BLOCK);
    expect_defect(sample, VHD_TABLE_OUTSIDE);
}

static void a_block_outside(void **state)
{
    (void)state;
    const uint32_t last = SAMPLE_DATA / 512 + SAMPLE_STRIDE / 512; /* the last place */
    const uint32_t sectors[] = {0,
                                1,
                                2,
                                3, /* over copy, header, table */
                                last + 1,
                                last + SAMPLE_STRIDE / 512,
                                0x7FFFFFFF,
                                0x80000000,
                                UINT32_MAX - 1};
    for (size_t i = 0; i < sizeof sectors / sizeof *sectors; i++) {
        struct vhd_image image = expect_defect(with_entry(0, sectors[i]), VHD_BLOCK_OUTSIDE);
        assert_true(image.has_header);
    }
    /* A block larger than the file. */
    struct sample sample = with_header(32, 4, UINT32_C(1) << 31);
    expect_defect(sample, VHD_BLOCK_OUTSIDE);
    /* Surplus entries are metadata as well. */
    sample = sample_dynamic(9, 2);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 129, SAMPLE_BLOCK);
    expect_defect(sample, VHD_BLOCK_OUTSIDE);
    /* Without a footer at the end, the end of the file counts. */
    sample = with_entry(0, last + 1);
    memset(sample_end(&sample), 0, 512);
    sample_entry(&sample, 1)[0] = 0xFF;
    memset(sample_entry(&sample, 1), 0xFF, 4);
    expect_defect(sample, VHD_FOOTER_LOST);
}

static void blocks_that_overlap(void **state)
{
    (void)state;
    /* In a large file, at every distance, in both orders. */
    for (int distance = -10; distance <= 10; distance++) {
        struct sample sample = sample_dynamic(9, 4);
        const int base = SAMPLE_DATA / 512 + 14;
        for (unsigned i = 0; i < SAMPLE_BLOCKS; i++)
            memset(sample_entry(&sample, i), 0xFF, 4);
        put32(sample_entry(&sample, 1), (uint32_t)base);
        put32(sample_entry(&sample, 3), (uint32_t)(base + distance));
        if (distance > -9 && distance < 9)
            expect_defect(sample, VHD_BLOCK_OVERLAP);
        else
            accept_image(sample);
    }
}

/* The last test. */
static void every_defect_of_tables_was_provoked(void **state)
{
    (void)state;
    expect_provoked(VHD_DISK_TOO_LARGE, VHD_NO_PARENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_that_is_too_small),
        cmocka_unit_test(a_disk_that_is_too_large),
        cmocka_unit_test(a_disk_of_too_many_blocks),
        cmocka_unit_test(a_table_outside),
        cmocka_unit_test(a_block_outside),
        cmocka_unit_test(blocks_that_overlap),
        cmocka_unit_test(every_defect_of_tables_was_provoked),
    };
    return cmocka_run_group_tests_name("image_table", tests, NULL, NULL);
}
