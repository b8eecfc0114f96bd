/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a file with a damaged footer or header, or one that is no image, would be
 * accepted, or the user would not learn what is wrong.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "image/image.h"
#include "judged.h"
#include "sample.h"

static void uses_the_copy_where_the_end_is_lost(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct sample sample = sample_dynamic(9, 2);
        if (way == 0)
            memset(sample_end(&sample), 0, 512);
        else if (way == 1)
            memset(sample_end(&sample), 0xC7, 512); /* as tapdisk does while it writes */
        else if (way == 2)
            sample_end(&sample)[100] ^= 1;
        else
            sample.len -= 512;
        struct vhd_image image = expect_defect(sample, VHD_FOOTER_LOST);
        assert_true(image.has_footer);
        assert_int_equal(image.footer.uuid[0], 9);
        expect_header(&image, SAMPLE_BLOCKS, 2);
    }
}

/* Put other bytes into both footers, and seal them. */
static void change_footers(const struct sample *sample, size_t at, const void *bytes, size_t len)
{
    uint8_t *const footers[] = {sample->bytes, sample_end(sample)};
    for (int i = 0; i < 2; i++) {
        memcpy(footers[i] + at, bytes, len);
        sample_seal_footer(footers[i]);
    }
}

/*
 * The library follows blktap's own rules: it does not write to an image that blktap would not write
 * to.
 */
static void some_images_are_for_reading_only(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    change_footers(&sample, 0, "v_poison", 8);
    struct vhd_image image = expect_defect(sample, VHD_DISABLED);
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_DISABLED);
    expect_header(&image, SAMPLE_BLOCKS, 2);

    sample = sample_dynamic(9, 2);
    change_footers(&sample, 28, "tap\0\0\0\0\1", 8);
    image = expect_defect(sample, VHD_OLD_BITMAPS);
    assert_true(vhd_image_has_old_bitmaps(&image));
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_OLD_BITMAPS);

    /* Both defects, and no end: the sentence names one, but both are known. */
    sample = sample_dynamic(9, 2);
    change_footers(&sample, 0, "v_poison", 8);
    change_footers(&sample, 28, "tap\0\0\0\0\1", 8);
    memset(sample_end(&sample), 0, 512);
    image = expect_defect(sample, VHD_FOOTER_LOST);
    assert_true(vhd_image_has_old_bitmaps(&image));
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_DISABLED);

    /* Other versions, and disks without bitmaps. */
    sample = sample_dynamic(9, 2);
    change_footers(&sample, 28, "tap\0\0\1\0\1", 8);
    image = accept_image(sample);
    assert_false(vhd_image_has_old_bitmaps(&image));
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_SOUND);
    sample = sample_fixed(9);
    change_footers(&sample, 28, "tap\0\0\0\0\1", 8);
    image = accept_image(sample);
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_SOUND);
}

static void a_file_that_is_no_image(void **state)
{
    (void)state;
    const size_t lengths[] = {0, 1, 510, 511, 512, 513, 1024, 4096};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct vhd_image image = expect_defect(sample_of(lengths[i]), VHD_FOOTER_MISSING);
        assert_false(image.has_footer);
        assert_false(image.has_header);
    }
    /* The copy of a fixed disk is its guest's sector. */
    struct sample sample = sample_of(4096);
    sample_footer(sample.bytes, SAMPLE_FIXED, 1024, 9);
    expect_defect(sample, VHD_FOOTER_MISSING);
}

static void an_image_of_another_format(void **state)
{
    (void)state;
    struct sample sample = sample_of(4096);
    memcpy(sample.bytes, "vhdxfile", 8);
    struct vhd_image image = expect_defect(sample, VHD_FOREIGN);
    assert_false(image.has_footer);
    assert_string_equal(image.fault.sentence, "this is a VHDX image; vhdfs reads VHD images only");

    /* The content that a guest has written does not matter. */
    sample = sample_fixed(9);
    memcpy(sample.bytes, "vhdxfile", 8);
    accept_image(sample);
    /* And a damaged VHD is a VHD. */
    sample = sample_fixed(9);
    memcpy(sample.bytes, "vhdxfile", 8);
    sample.bytes[sample.len - 448] ^= 1;
    expect_defect(sample, VHD_FOOTER_CHECKSUM);
}

static void a_file_that_cannot_be_read(void **state)
{
    (void)state;
    bool is_usable;
    struct sample sample = sample_dynamic(9, 0);
    int fd = file_of(&sample);
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int write_only = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(write_only >= 0);
    struct vhd_image image = judge_fd(write_only, &is_usable);
    assert_int_equal(image.fault.defect, VHD_UNREADABLE);
    image = judge_fd(-1, &is_usable);
    assert_int_equal(image.fault.defect, VHD_UNREADABLE);
    close(write_only);
    close(fd);
    free(sample.bytes);
}

/* The defect whose sentence is about this. */
static enum vhd_defect defect_about(const char *what)
{
    for (int i = 0; i < VHD_DEFECT_COUNT; i++) {
        if (strstr(vhd_defect_sentence((enum vhd_defect)i), what))
            return (enum vhd_defect)i;
    }
    fail();
    return VHD_SOUND;
}

static void defects_of_the_footer(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 0);
    sample.bytes[70] ^= 1;
    sample_end(&sample)[70] ^= 1;
    struct vhd_image image = expect_defect(sample, VHD_FOOTER_CHECKSUM);
    assert_false(image.has_footer);

    expect_defect(with_footer(12, 4, 0x00020000), VHD_FOOTER_VERSION);
    const uint32_t types[] = {0, 1, 5, 6, 7, 0x03000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        expect_defect(with_footer(60, 4, types[i]), VHD_FOOTER_TYPE);
    const uint64_t sizes[] = {0, 1, 511, 513, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        expect_defect(with_footer(48, 8, sizes[i]), defect_about("current size"));
}

static void a_fixed_disk_that_is_too_short(void **state)
{
    (void)state;
    const uint64_t sizes[] = {SAMPLE_SIZE + 512, UINT64_C(2040) << 30, UINT64_MAX - 511};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct sample sample = sample_fixed(9);
        sample_footer(sample_end(&sample), SAMPLE_FIXED, sizes[i], 9);
        struct vhd_image image = expect_defect(sample, VHD_FILE_TOO_SHORT);
        assert_true(image.has_footer);
        assert_int_equal(image.footer.current_size, sizes[i]);
    }
    struct sample sample = sample_fixed(9);
    sample_footer(sample_end(&sample), SAMPLE_FIXED, SAMPLE_SIZE - 512, 9);
    accept_image(sample);
}

static void a_header_outside(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    const uint64_t end = sample.len - 512;
    free(sample.bytes);
    const uint64_t offsets[] = {0,
                                1,
                                511,
                                513,
                                1000,
                                end - 512,
                                end,
                                end + 512,
                                INT64_MAX - 511,
                                UINT64_C(1) << 63,
                                UINT64_MAX - 1023,
                                UINT64_MAX - 511,
                                UINT64_MAX};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct vhd_image image = expect_defect(with_footer(16, 8, offsets[i]), VHD_HEADER_OUTSIDE);
        assert_true(image.has_footer);
        assert_false(image.has_header);
    }
    /* A file with a footer and too short for a header. */
    sample = sample_of(512);
    sample_footer(sample.bytes, SAMPLE_DYNAMIC, SAMPLE_SIZE, 9);
    expect_defect(sample, VHD_HEADER_OUTSIDE);
}

static void defects_of_the_header(void **state)
{
    (void)state;
    expect_defect(with_header(0, 4, 0), VHD_HEADER_COOKIE);
    expect_defect(with_header(24, 4, 0), VHD_HEADER_VERSION);
    const uint32_t blocks[] = {0, 1, 256, 511, 513, 4097, 0x7FFFFFFF, 0x80000001, UINT32_MAX};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        expect_defect(with_header(32, 4, blocks[i]), VHD_BLOCK_SIZE);
    struct sample sample = sample_dynamic(9, 2);
    sample.bytes[SAMPLE_HEADER + 900] ^= 0x80;
    struct vhd_image image = expect_defect(sample, VHD_HEADER_CHECKSUM);
    assert_true(image.has_footer);
    assert_false(image.has_header);
}

/* The sentence of a defective image; releases it. */
static void expect_sentence(struct sample sample, const char *expected)
{
    bool is_usable;
    struct vhd_image image = judge(&sample, &is_usable);
    free(sample.bytes);
    assert_false(is_usable);
    assert_string_equal(image.fault.sentence, expected);
}

static void sentences_say_where(void **state)
{
    (void)state;
    const unsigned first = SAMPLE_DATA / 512, stride = SAMPLE_STRIDE / 512;

    expect_sentence(with_footer(12, 4, 7),
                    "the footer's format version is not 1.0: 0x00000007, at byte 11264");
    struct sample sample = with_header(0, 4, 0);
    expect_sentence(sample, "the dynamic header does not begin with \"cxsparse\": at byte 512");
    expect_sentence(with_header(32, 4, 513),
                    "the block size is below 512 bytes or not a power of two: 513, at byte 512");
    expect_sentence(with_entry(3, 0), "a block lies outside the file or over metadata: block 3 at "
                                      "sector 0 reaches over the footer's copy");
    expect_sentence(with_entry(3, 2), "a block lies outside the file or over metadata: block 3 at "
                                      "sector 2 reaches over the dynamic header");
    expect_sentence(with_entry(0, 3), "a block lies outside the file or over metadata: block 0 at "
                                      "sector 3 reaches over the table");
    expect_sentence(with_entry(0, first + stride + 1),
                    "a block lies outside the file or over metadata: block 0 at sector 14 ends at "
                    "byte 11776, expected at most 11264");
    expect_sentence(with_entry(3, first), "two blocks overlap: block 1 at sector 4 and block 3 at "
                                          "sector 4");
    expect_sentence(with_entry(0, first + 1), "two blocks overlap: block 1 at sector 4 and block 0 "
                                              "at sector 5");
}

/* The last test. Tables are in image_table.c. */
static void every_defect_of_footers_and_headers_was_provoked(void **state)
{
    (void)state;
    expect_provoked(VHD_SOUND, VHD_DISK_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uses_the_copy_where_the_end_is_lost),
        cmocka_unit_test(some_images_are_for_reading_only),
        cmocka_unit_test(a_file_that_is_no_image),
        cmocka_unit_test(an_image_of_another_format),
        cmocka_unit_test(a_file_that_cannot_be_read),
        cmocka_unit_test(defects_of_the_footer),
        cmocka_unit_test(a_fixed_disk_that_is_too_short),
        cmocka_unit_test(a_header_outside),
        cmocka_unit_test(defects_of_the_header),
        cmocka_unit_test(sentences_say_where),
        cmocka_unit_test(every_defect_of_footers_and_headers_was_provoked),
    };
    return cmocka_run_group_tests_name("image_defects", tests, NULL, NULL);
}
