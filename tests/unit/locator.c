/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a parent would not be found by the locators of other programs, or a hostile
 * locator would be read beyond its end or lead out of the store.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>
#include <cmocka.h>

#include "base/utf.h"
#include "format/locator.h"
#include "sample.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* Read a copy of exactly that length into a buffer of exactly that size; free the answer. */
static char *file_of(uint32_t platform, const void *data, size_t len, size_t size)
{
    uint8_t *copy = malloc(len);
    char *buf = malloc(size);

    assert_true((copy || len == 0) && buf);
    memset(buf, 'X', size);
    if (len > 0)
        memcpy(copy, data, len);
    vhd_locator_file(platform, copy, len, buf, size);
    free(copy);
    assert_true(strnlen(buf, size) < size);
    assert_null(strpbrk(buf, "/\\"));
    return buf;
}

static void names(uint32_t platform, const void *data, size_t len, const char *expected)
{
    char *file = file_of(platform, data, len, 512);
    assert_string_equal(file, expected);
    free(file);
}

/* The bytes of a Windows path as a locator holds them, without the zero unit. */
static size_t windows_path(const char16_t *path, uint8_t bytes[1024])
{
    size_t len = 0;
    for (; *path; path++) {
        assert_true(len + 2 <= 1024);
        bytes[len++] = (uint8_t)*path;
        bytes[len++] = (uint8_t)(*path >> 8);
    }
    return len;
}

static void names_the_file_of_a_windows_path(void **state)
{
    (void)state;
    static const struct {
        const char16_t *path;
        const char *file;
    } paths[] = {
        {u".\\base.vhd", "base.vhd"},
        {u"..\\..\\images\\base.VHD", "base.VHD"},
        {u"base.vhd", "base.vhd"},
        {u"C:\\Disks\\with blank.avhd", "with blank.avhd"},
        {u"\\\\server\\share\\base.vhd", "base.vhd"},
        {u"\\\\?\\Volume{1b3b1146-4076-11e1-84aa-806e6f6e6963}\\base.vhd", "base.vhd"},
        {u".\\mixed/ways\\and/base.vhd", "base.vhd"},
        {u"C:base.vhd", "C:base.vhd"}, /* no separator; never a disk's name */
        {u"100%20.vhd", "100%20.vhd"}, /* no URL */
        {u".\\\u00E4\u65E5\U0001F600.vhd", "\u00E4\u65E5\U0001F600.vhd"},
        {u".\\folder\\", ""},
        {u"..", ".."},
        {u"", ""},
    };
    uint8_t bytes[1024];

    for (size_t i = 0; i < LENGTH(paths); i++) {
        size_t len = windows_path(paths[i].path, bytes);
        names(VHD_PLATFORM_W2RU, bytes, len, paths[i].file);
        names(VHD_PLATFORM_W2KU, bytes, len, paths[i].file);
    }
}

/* Some programs count the zero unit, or pad with zeros. */
static void a_windows_path_ends_at_its_zero(void **state)
{
    (void)state;
    const uint8_t padded[] = {'a', 0, '.', 0, 'v', 0, 0, 0, '\\', 0, 'b', 0};
    const uint8_t high[] = {0, 'a', 'b', 0}; /* U+6100: a zero byte is no zero unit */

    names(VHD_PLATFORM_W2RU, padded, sizeof padded, "a.v");
    names(VHD_PLATFORM_W2RU, padded, 8, "a.v");
    names(VHD_PLATFORM_W2RU, padded, 5, "a."); /* half a unit is none */
    names(VHD_PLATFORM_W2RU, padded, 1, "");
    names(VHD_PLATFORM_W2RU, padded + 6, 6, "");
    names(VHD_PLATFORM_W2RU, high, sizeof high, "\u6100b");
}

static void unpaired_surrogates_are_shown_as_such(void **state)
{
    (void)state;
    static const struct {
        char16_t units[8];
        const char *file;
    } paths[] = {
        {{'a', 0xD83D, 'b'}, "a\uFFFDb"},   {{'a', 0xDE00, 'b'}, "a\uFFFDb"},
        {{0xDE00, 0xD83D}, "\uFFFD\uFFFD"}, {{0xD83D, 0xD83D, 0xDE00}, "\uFFFD\U0001F600"},
        {{'a', 0xDBFF}, "a\uFFFD"},         {{0xD83D, '\\', 0xDE00}, "\uFFFD"},
    };
    uint8_t bytes[1024];

    for (size_t i = 0; i < LENGTH(paths); i++)
        names(VHD_PLATFORM_W2KU, bytes, windows_path(paths[i].units, bytes), paths[i].file);
}

static void names_the_file_of_a_url(void **state)
{
    (void)state;
    static const struct {
        const char *url, *file;
    } urls[] = {
        {"file:///Disks/base.vhd", "base.vhd"},
        {"file://localhost/Disks/base.vhd", "base.vhd"},
        {"base.vhd", "base.vhd"},
        {"file:///with%20blank.vhd", "with blank.vhd"},
        {"file:///a+b.vhd", "a+b.vhd"},
        {"file:///%C3%A4%e6%97%a5.vhd", "\u00E4\u65E5.vhd"},
        {"file:///\u00E4.vhd", "\u00E4.vhd"}, /* not encoded at all */
        {"file:///%62%61%73%65%2E%76%68%64", "base.vhd"},
        {"file:///100%25.vhd", "100%.vhd"},
        {"file:///%2525", "%25"}, /* once, not twice */
        {"file:///folder/", ""},
        {"file:///", ""},
        {"", ""},
    };

    for (size_t i = 0; i < LENGTH(urls); i++) {
        size_t len = strlen(urls[i].url);
        names(VHD_PLATFORM_MACX, urls[i].url, len, urls[i].file);
        names(VHD_PLATFORM_MACX, urls[i].url, len + 1, urls[i].file);
    }
}

static void other_percent_signs_stay(void **state)
{
    (void)state;
    static const struct {
        const char *url, *file;
    } urls[] = {
        {"%", "%"},
        {"a%", "a%"},
        {"a%4", "a%4"},
        {"%zz", "%zz"},
        {"%4g", "%4g"},
        {"%g4", "%g4"},
        {"%%41", "%A"},
        {"%4%41", "%4A"},
        {"% 41", "% 41"},
        {"%+1", "%+1"},
        {"%00", "%00"},
        {"a%00b", "a%00b"},
        {"%\x14\x11", "%\x14\x11"},
        {"%4\x11", "%4\x11"},
    };

    for (size_t i = 0; i < LENGTH(urls); i++)
        names(VHD_PLATFORM_MACX, urls[i].url, strlen(urls[i].url), urls[i].file);
    /* The digits must lie within the locator. */
    names(VHD_PLATFORM_MACX, "%41", 2, "%4");
    names(VHD_PLATFORM_MACX, "%41", 1, "%");
    names(VHD_PLATFORM_MACX, "%41", 3, "A");
}

/* file_of() looks for separators. */
static void no_separator_comes_in_encoded(void **state)
{
    (void)state;
    const char *const urls[] = {"..%2F..%2fetc%2Fpasswd", "a%5Cb", "%2F", "%5c", "x%2f"};

    for (size_t i = 0; i < LENGTH(urls); i++)
        free(file_of(VHD_PLATFORM_MACX, urls[i], strlen(urls[i]), 512));
    names(VHD_PLATFORM_MACX, "..%2F..%2fetc%2Fpasswd", 22, "passwd");
}

/* "Mac " has a form of its own; "Wi2r" and "Wi2k" are deprecated; 0 is a free slot. */
static void other_platforms_name_nothing(void **state)
{
    (void)state;
    const uint32_t platforms[] = {0,          0x4D616320, 0x57693272, 0x5769326B,
                                  0x4D163258, 0x75723257, 1,          UINT32_MAX};

    for (size_t i = 0; i < LENGTH(platforms); i++) {
        names(platforms[i], "base.vhd", 8, "");
        names(platforms[i], "b\0a\0s\0e\0", 8, "");
    }
    assert_int_equal(VHD_PLATFORM_W2RU, 'W' << 24 | '2' << 16 | 'r' << 8 | 'u');
    assert_int_equal(VHD_PLATFORM_W2KU, 'W' << 24 | '2' << 16 | 'k' << 8 | 'u');
    assert_int_equal(VHD_PLATFORM_MACX, 'M' << 24 | 'a' << 16 | 'c' << 8 | 'X');
}

static void is_cut_at_a_whole_character(void **state)
{
    (void)state;
    const char *const text = "a\u00E4\u65E5\U0001F600b"; /* 1 + 2 + 3 + 4 + 1 bytes */
    const size_t ends[] = {0, 1, 3, 6, 10, 11};
    uint8_t bytes[1024];
    const size_t len = windows_path(u".\\a\u00E4\u65E5\U0001F600b", bytes);

    for (size_t size = 1; size <= 14; size++) {
        size_t fits = 0;
        for (size_t i = 0; i < LENGTH(ends); i++)
            fits = ends[i] < size ? ends[i] : fits;
        char *windows = file_of(VHD_PLATFORM_W2RU, bytes, len, size);
        char *url = file_of(VHD_PLATFORM_MACX, text, strlen(text), size);
        assert_int_equal(strlen(windows), fits);
        assert_memory_equal(windows, text, fits);
        assert_string_equal(windows, url);
        free(windows);
        free(url);
    }
}

/* Only the name at the end must fit, not the whole path. */
static void a_long_path_is_read_to_its_end(void **state)
{
    (void)state;
    const size_t lengths[] = {VHD_LOCATOR_MAX - 2, VHD_LOCATOR_MAX};
    uint8_t *path = malloc(VHD_LOCATOR_MAX + 2);
    char *file;

    assert_non_null(path);
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        const size_t len = lengths[i];
        for (size_t at = 0; at < len; at += 2) {
            path[at] = at == len - 10 ? '\\' : 'x';
            path[at + 1] = 0;
        }
        names(VHD_PLATFORM_W2RU, path, len, "xxxx");
        for (size_t at = 0; at < len; at += 2) { /* three bytes each in UTF-8 */
            path[at] = 0xAC;
            path[at + 1] = 0x20;
        }
        file = file_of(VHD_PLATFORM_W2RU, path, len, 256);
        assert_int_equal(strlen(file), 255);
        free(file);
        memset(path, 'x', len);
        memcpy(path + len - 5, "/%41b", 5);
        names(VHD_PLATFORM_MACX, path, len, "Ab");
    }
    memset(path, 'x', VHD_LOCATOR_MAX + 2);
    names(VHD_PLATFORM_W2RU, path, VHD_LOCATOR_MAX + 1, "");
    names(VHD_PLATFORM_W2KU, path, VHD_LOCATOR_MAX + 2, "");
    names(VHD_PLATFORM_MACX, path, VHD_LOCATOR_MAX + 1, "");
    free(path);
}

static void cuts_a_path_down_to_its_file(void **state)
{
    (void)state;
    static const struct {
        const char *path, *file;
    } paths[] = {
        {"", ""},           {"a", "a"},
        {"/", ""},          {"\\", ""},
        {"a/b", "b"},       {"a\\b", "b"},
        {"a/", ""},         {"/a\\b/c", "c"},
        {"C:\\a b", "a b"}, {"..\\\u00E4", "\u00E4"},
        {"//a", "a"},       {"a:b", "a:b"},
    };

    for (size_t i = 0; i < LENGTH(paths); i++) {
        char *path = strdup(paths[i].path);
        assert_non_null(path);
        vhd_path_to_file(path);
        assert_string_equal(path, paths[i].file);
        free(path);
    }
}

static void any_bytes_are_read_all_the_same(void **state)
{
    (void)state;
    enum { TIMES = 20000 };
    static const char pieces[] = "%/\\2Ff0:.\0\xD8\x00\xDC\xFF";
    const uint32_t platforms[] = {VHD_PLATFORM_W2RU, VHD_PLATFORM_W2KU, VHD_PLATFORM_MACX};
    uint64_t seed = UINT64_C(0xF11E);
    uint8_t data[64];

    print_message("seed 0x%" PRIX64 ", %d locators\n", seed, TIMES);
    for (int i = 0; i < TIMES; i++) {
        const size_t len = sample_random(&seed) % sizeof data;
        for (size_t at = 0; at < len; at++) {
            uint64_t random = sample_random(&seed);
            data[at] = random & 1 ? (uint8_t)(random >> 8)
                                  : (uint8_t)pieces[(random >> 8) % (sizeof pieces - 1)];
        }
        free(file_of(platforms[i % 3], data, len, 1 + sample_random(&seed) % 80));
    }
}

/* What a child records, read back by the reader; and its bytes, typed from the specification. */
static void a_parent_is_recorded_in_three_forms(void **state)
{
    (void)state;
    static const char *const files[] = {"base.vhd", "a b%c#\xC3\xBC.vhd", "\xF0\x9F\x98\x80.VHD",
                                        "it's (1)~!*_-.vhd"};
    struct vhd_locators locators;
    uint16_t units[VHD_NAME_UNITS];
    const uint8_t windows[] = {'.', 0, '\\', 0, 'b', 0, 'a', 0, 's', 0,
                               'e', 0, '.',  0, 'v', 0, 'h', 0, 'd', 0};
    const uint64_t at = UINT64_C(0x100002000);

    for (size_t i = 0; i < LENGTH(files); i++) {
        assert_int_equal(vhd_locators_encode(files[i], at, &locators), 0);
        const int count = vhd_utf8_to_utf16(files[i], units, LENGTH(units));
        assert_memory_equal(locators.parent_name, units, (size_t)count * 2);
        assert_int_equal(locators.parent_name[count], 0);
        assert_int_equal(locators.length, 3 * 512);
        for (int j = 0; j < 3; j++) {
            const struct vhd_locator *entry = &locators.entries[j];
            assert_int_equal(entry->data_offset, at + 512u * (unsigned)j);
            assert_int_equal(entry->data_space, 512);
            names(entry->platform, locators.data + (entry->data_offset - at), entry->data_length,
                  files[i]);
        }
        for (int j = 3; j < VHD_LOCATORS; j++)
            assert_int_equal(locators.entries[j].platform, 0);
    }
    assert_int_equal(vhd_locators_encode("base.vhd", at, &locators), 0);
    assert_int_equal(locators.entries[0].platform, 0x4D616358);
    assert_int_equal(locators.entries[0].data_length, strlen("file://./base.vhd"));
    assert_memory_equal(locators.data, "file://./base.vhd", strlen("file://./base.vhd"));
    assert_int_equal(locators.entries[1].platform, 0x57326B75);
    assert_int_equal(locators.entries[2].platform, 0x57327275);
    for (int j = 1; j < 3; j++) {
        assert_int_equal(locators.entries[j].data_length, sizeof windows);
        assert_memory_equal(locators.data + 512 * j, windows, sizeof windows);
    }
    assert_int_equal(vhd_locators_encode("a b.vhd", at, &locators), 0);
    assert_memory_equal(locators.data, "file://./a%20b.vhd", strlen("file://./a%20b.vhd"));
}

static void the_longest_name_of_a_parent_fits(void **state)
{
    (void)state;
    char file[NAME_MAX + 1];
    struct vhd_locators locators;

    memset(file, '%', NAME_MAX);
    file[NAME_MAX] = 0;
    assert_int_equal(vhd_locators_encode(file, 0, &locators), 0);
    assert_int_equal(locators.entries[0].data_length, 9 + 3 * NAME_MAX);
    assert_int_equal(locators.entries[1].data_length, 2 * (2 + NAME_MAX));
    assert_int_equal(locators.length, VHD_LOCATORS_SPACE);
    file[3] = '\\';
    assert_int_equal(vhd_locators_encode(file, 0, &locators), -EILSEQ);
    file[3] = (char)0xFF;
    assert_int_equal(vhd_locators_encode(file, 0, &locators), -EILSEQ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_file_of_a_windows_path),
        cmocka_unit_test(a_windows_path_ends_at_its_zero),
        cmocka_unit_test(unpaired_surrogates_are_shown_as_such),
        cmocka_unit_test(names_the_file_of_a_url),
        cmocka_unit_test(other_percent_signs_stay),
        cmocka_unit_test(no_separator_comes_in_encoded),
        cmocka_unit_test(other_platforms_name_nothing),
        cmocka_unit_test(is_cut_at_a_whole_character),
        cmocka_unit_test(a_long_path_is_read_to_its_end),
        cmocka_unit_test(cuts_a_path_down_to_its_file),
        cmocka_unit_test(a_parent_is_recorded_in_three_forms),
        cmocka_unit_test(the_longest_name_of_a_parent_fits),
        cmocka_unit_test(any_bytes_are_read_all_the_same),
    };
    return cmocka_run_group_tests_name("locator", tests, NULL, NULL);
}
