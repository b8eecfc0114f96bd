/* SPDX-License-Identifier: MIT */
/*
 * If this failed, format= and label= would make another file system than a user asks for, or accept
 * a size or a label that makes an unusable one.
 */
#include "request/filesystem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "request/request.h"
#include "sentence.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void expect_read(const char *text, uint64_t size, uint32_t bits, const char *label)
{
    struct vhd_request request;
    struct vhd_verdict verdict;

    memset(&request, 0x5A, sizeof request);
    assert_int_equal(vhd_request_parse(text, strlen(text), &request, &verdict), VHD_OK);
    assert_int_equal(request.size, size);
    assert_int_equal(request.fat_bits, bits);
    assert_string_equal(request.label, label);
}

/* A refusal, whose sentence has these words. */
static void expect_refused(const char *text, enum vhd_result expected, const char *words)
{
    struct vhd_request request;
    struct vhd_verdict verdict = {0};

    assert_int_equal(vhd_request_parse(text, strlen(text), &request, &verdict), expected);
    assert_sentence(verdict.sentence);
    if (!strstr(verdict.sentence, words))
        fail_msg("\"%s\" lacks \"%s\"", verdict.sentence, words);
}

static void a_format_and_a_label_are_read(void **state)
{
    (void)state;
    const uint64_t mb = UINT64_C(1) << 20;

    expect_read("512", 512 * mb, 0, "");
    expect_read("512 format=fat16", 512 * mb, 16, "");
    expect_read("1G label=DATA format=fat32", 1024 * mb, 32, "DATA");
    expect_read("512 format=fat16 label=data", 512 * mb, 16, "DATA");
    expect_read("512 format=\"fat16\" label=\"my data\" type=fixed", 512 * mb, 16, "MY DATA");
    expect_read("512 format=fat16 label=A2345678901", 512 * mb, 16, "A2345678901");
    expect_read("512 format=fat16 label=-!#$%&()-@^", 512 * mb, 16, "-!#$%&()-@^");
    expect_read("512 format=fat16 label=x_`{}~'9", 512 * mb, 16, "X_`{}~'9");
}

static void a_format_is_one_of_two(void **state)
{
    (void)state;
    const char *const wrong[] = {"",      "fat",  "fat12", "FAT16",  "fat166", "fat 16",
                                 "exfat", "ntfs", "16",    "fat32 ", "fat1",   "vfat"};

    for (size_t i = 0; i < LENGTH(wrong); i++) {
        char text[64];
        snprintf(text, sizeof text, "512 format=\"%s\"", wrong[i]);
        expect_refused(text, VHD_INVALID_ARGUMENT, "fat16 or fat32");
    }
    expect_refused("512 format=fat16 format=fat16", VHD_INVALID_ARGUMENT, "twice");
    expect_refused("512 format", VHD_INVALID_ARGUMENT, "format=");
}

static void a_label_is_one_that_fat_allows(void **state)
{
    (void)state;
    const char *const wrong[] = {"",
                                 "A23456789012",
                                 " a",
                                 "a ",
                                 "a.b",
                                 "a*b",
                                 "a/b",
                                 "a:b",
                                 "a;b",
                                 "a,b",
                                 "a+b",
                                 "a=b",
                                 "a[b",
                                 "a]b",
                                 "a|b",
                                 "a\\b",
                                 "a<b",
                                 "a>b",
                                 "a?b",
                                 ("a\x7F"
                                  "b"),
                                 "a\tb",
                                 "\xC3\x84"};

    for (size_t i = 0; i < LENGTH(wrong); i++) {
        char text[64];
        snprintf(text, sizeof text, "512 format=fat16 label='%s'", wrong[i]);
        expect_refused(text, VHD_INVALID_ARGUMENT, "label=DATA");
    }
    expect_refused("512 format=fat16 label=a\"b", VHD_INVALID_ARGUMENT, "label=DATA");
    expect_refused("512 format=fat16 label=MY DATA", VHD_INVALID_ARGUMENT, "\"DATA\"");
    expect_refused("512 format=fat16 label=A label=A", VHD_INVALID_ARGUMENT, "twice");
    char label[VHD_FAT_LABEL_MAX + 1];
    assert_int_equal(vhd_label_parse("a\0b", 3, label, NULL), VHD_INVALID_ARGUMENT);
}

static void options_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    expect_refused("512 label=DATA", VHD_INVALID_ARGUMENT, "format");
    expect_refused("512 format=fat16 parent=a", VHD_INVALID_ARGUMENT, "parent= out");
    expect_refused("parent=a format=fat16", VHD_INVALID_ARGUMENT, "parent= out");
    expect_refused("format=fat16 from=a", VHD_INVALID_ARGUMENT, "from= out");
    expect_refused("from=a label=DATA", VHD_INVALID_ARGUMENT, "format");
    expect_refused("format=fat16", VHD_INVALID_ARGUMENT, "neither a size");
    expect_refused("512 format=fat16 type=differencing", VHD_INVALID_ARGUMENT, "needs a parent");
}

static void sizes_have_the_limits_of_their_type(void **state)
{
    (void)state;
    const uint64_t mb = UINT64_C(1) << 20;

    expect_refused("3 format=fat16", VHD_SIZE_TOO_SMALL, "3 MB");
    expect_refused("3176960B format=fat16", VHD_SIZE_TOO_SMALL, "3177472B");
    expect_read("3177472B format=fat16", 3177472, 16, "");
    expect_read("1999 format=fat16", 1999 * mb, 16, "");
    expect_refused("2096103936B format=fat16", VHD_SIZE_TOO_LARGE, "fat32");
    expect_refused("2000 format=fat16", VHD_SIZE_TOO_LARGE, "1999 MB");
    expect_refused("3 format=fat32", VHD_SIZE_TOO_SMALL, "514 MB");
    expect_refused("513 format=fat32", VHD_SIZE_TOO_SMALL, "fat16");
    expect_refused("538967552B format=fat32", VHD_SIZE_TOO_SMALL, "514 MB");
    expect_read("514 format=fat32", 514 * mb, 32, "");
    expect_read("2088960 format=fat32", 2088960 * mb, 32, "");
    /* The limits of every disk come first. */
    expect_refused("2 format=fat16", VHD_SIZE_TOO_SMALL, "at least 3 MB");
    expect_refused("2088961 format=fat16", VHD_SIZE_TOO_LARGE, "at most 2088960 MB");
    expect_refused("2088961 format=fat32", VHD_SIZE_TOO_LARGE, "at most 2088960 MB");
    /* Syntax comes before figures. */
    expect_refused("3 format=fat32 label=a.b", VHD_INVALID_ARGUMENT, "label=DATA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_format_and_a_label_are_read),
        cmocka_unit_test(a_format_is_one_of_two),
        cmocka_unit_test(a_label_is_one_that_fat_allows),
        cmocka_unit_test(options_that_do_not_fit_are_refused),
        cmocka_unit_test(sizes_have_the_limits_of_their_type),
    };
    return cmocka_run_group_tests_name("filesystem", tests, NULL, NULL);
}
