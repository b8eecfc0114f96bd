/* SPDX-License-Identifier: MIT */
/*
 * If this fails, names with characters beyond ASCII are refused or counted wrongly, and the parent
 * of a differencing disk is shown under a garbled name.
 */
#include "base/utf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void characters_are_read_and_stepped_past(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int32_t c;
    } cases[] = {
        {"\x01", 0x01},
        {"A", 'A'},
        {"\x7F", 0x7F},
        {"\xC2\x80", 0x80},
        {"\xC3\xBC", 0xFC},
        {"\xDF\xBF", 0x7FF},
        {"\xE0\xA0\x80", 0x800},
        {"\xE2\x82\xAC", 0x20AC},
        {"\xED\x9F\xBF", 0xD7FF},
        {"\xEE\x80\x80", 0xE000},
        {"\xEF\xBF\xBF", 0xFFFF},
        {"\xF0\x90\x80\x80", 0x10000},
        {"\xF0\x9F\x98\x80", 0x1F600},
        {"\xF4\x8F\xBF\xBF", 0x10FFFF},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[8];
        size_t len = strlen(cases[i].text);
        memcpy(text, cases[i].text, len);
        memcpy(text + len, "z", 2);

        const char *at = text;
        assert_int_equal(vhd_utf8_next(&at), cases[i].c);
        assert_ptr_equal(at, text + len);
        assert_int_equal(vhd_utf8_next(&at), 'z');
    }
}

static void the_end_is_zero_and_not_stepped_past(void **state)
{
    (void)state;
    const char *end = "";
    const char *at = end;

    assert_int_equal(vhd_utf8_next(&at), 0);
    assert_ptr_equal(at, end);
    assert_int_equal(vhd_utf8_next(&at), 0);
    assert_ptr_equal(at, end);
}

static const char *const not_utf8[] = {
    "\x80",             /* a continuation without a start */
    "\xBF",             /* the last such */
    "\xC0\x80",         /* overlong: U+0000 in two bytes */
    "\xC0\xAF",         /* overlong: a slash */
    "\xC1\xBF",         /* overlong: U+007F */
    "\xE0\x80\xAF",     /* overlong in three */
    "\xE0\x9F\xBF",     /* overlong: U+07FF */
    "\xF0\x80\x80\xAF", /* overlong in four */
    "\xF0\x8F\xBF\xBF", /* overlong: U+FFFF */
    "\xED\xA0\x80",     /* the first surrogate */
    "\xED\xBF\xBF",     /* the last surrogate */
    "\xF4\x90\x80\x80", /* U+110000 */
    "\xF5\x80\x80\x80", /* beyond */
    "\xF8\x88\x80\x80\x80",
    "\xFC\x84\x80\x80\x80\x80",
    "\xFE",
    "\xFF",
    "\xC3", /* truncated by the end */
    "\xE2\x82",
    "\xF0\x9F\x98",
    "\xC3(", /* truncated by another character */
    "\xE2\x82(",
    "\xE2(",
    "\xF0\x9F\x98(",
    "\xF0\x9F(",
    "\xC3\xC3\xBC", /* truncated by another start */
};

static void bytes_that_are_not_utf8_are_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(not_utf8); i++) {
        const char *at = not_utf8[i];
        assert_int_equal(vhd_utf8_next(&at), -EILSEQ);
    }
}

static void units_are_counted(void **state)
{
    (void)state;
    assert_int_equal(vhd_utf8_utf16_units(""), 0);
    assert_int_equal(vhd_utf8_utf16_units("disk1"), 5);
    assert_int_equal(vhd_utf8_utf16_units("\xC3\xBCn\xC3\xAF"), 3);
    assert_int_equal(vhd_utf8_utf16_units("\xE6\x97\xA5\xE6\x9C\xAC"), 2);
    assert_int_equal(vhd_utf8_utf16_units("\xEF\xBF\xBF"), 1);
    assert_int_equal(vhd_utf8_utf16_units("\xF0\x90\x80\x80"), 2);
    assert_int_equal(vhd_utf8_utf16_units("a\xF0\x9F\x98\x80z"), 4);
}

static void each_byte_that_is_not_utf8_counts_as_one_unit(void **state)
{
    (void)state;
    assert_int_equal(vhd_utf8_utf16_units("\xFF"), 1);
    assert_int_equal(vhd_utf8_utf16_units("a\x80z"), 3);
    assert_int_equal(vhd_utf8_utf16_units("\xC0\x80"), 2);
    assert_int_equal(vhd_utf8_utf16_units("\xED\xA0\x80"), 3);
    assert_int_equal(vhd_utf8_utf16_units("\xF4\x90\x80\x80"), 4);
    assert_int_equal(vhd_utf8_utf16_units("\xE2\x82"), 2);
    assert_int_equal(vhd_utf8_utf16_units("\xE2\x82z"), 3);
    assert_int_equal(vhd_utf8_utf16_units("\xC3\xC3\xBC"), 2);
}

static void assert_utf8_of(const uint16_t *units, size_t count, const char *expected)
{
    char buf[64];
    memset(buf, '#', sizeof buf);
    vhd_utf16_to_utf8(units, count, buf, sizeof buf);
    assert_string_equal(buf, expected);
}

static void utf16_becomes_utf8(void **state)
{
    (void)state;
    const uint16_t edges[] = {0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF};
    const uint16_t pairs[] = {0xD800, 0xDC00, 0xD83D, 0xDE00, 0xDBFF, 0xDFFF};

    assert_utf8_of(edges, 0, "");
    assert_utf8_of((const uint16_t[]){'d', '1'}, 2, "d1");
    assert_utf8_of(edges, LENGTH(edges),
                   "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF");
    assert_utf8_of(pairs, LENGTH(pairs), "\xF0\x90\x80\x80\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF");
}

static void a_zero_unit_ends_the_text(void **state)
{
    (void)state;
    assert_utf8_of((const uint16_t[]){'a', 0, 'b'}, 3, "a");
    assert_utf8_of((const uint16_t[]){0, 'b'}, 2, "");
}

static void unpaired_surrogates_are_replaced(void **state)
{
    (void)state;
    assert_utf8_of((const uint16_t[]){0xD83D}, 1, "\xEF\xBF\xBD");
    assert_utf8_of((const uint16_t[]){0xDE00}, 1, "\xEF\xBF\xBD");
    assert_utf8_of((const uint16_t[]){0xD83D, 'a'}, 2,
                   "\xEF\xBF\xBD"
                   "a");
    assert_utf8_of((const uint16_t[]){0xDE00, 'a'}, 2,
                   "\xEF\xBF\xBD"
                   "a");
    assert_utf8_of((const uint16_t[]){0xD83D, 0xD83D, 0xDE00}, 3, "\xEF\xBF\xBD\xF0\x9F\x98\x80");
    assert_utf8_of((const uint16_t[]){0xDE00, 0xD83D}, 2, "\xEF\xBF\xBD\xEF\xBF\xBD");
    /* the other half lies behind the count, or behind the end */
    assert_utf8_of((const uint16_t[]){0xD83D, 0xDE00}, 1, "\xEF\xBF\xBD");
    assert_utf8_of((const uint16_t[]){0xD83D, 0, 0xDE00}, 3, "\xEF\xBF\xBD");
}

static void a_small_buffer_cuts_at_a_whole_character(void **state)
{
    (void)state;
    /* a, two bytes, three bytes, four bytes, z: 11 bytes and a NUL */
    const uint16_t units[] = {'a', 0xFC, 0x20AC, 0xD83D, 0xDE00, 'z'};
    const char *expected[] = {
        [1] = "",
        [2] = "a",
        [3] = "a",
        [4] = "a\xC3\xBC",
        [5] = "a\xC3\xBC",
        [6] = "a\xC3\xBC",
        [7] = "a\xC3\xBC\xE2\x82\xAC",
        [8] = "a\xC3\xBC\xE2\x82\xAC",
        [9] = "a\xC3\xBC\xE2\x82\xAC",
        [10] = "a\xC3\xBC\xE2\x82\xAC",
        [11] = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80",
        [12] = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z",
    };

    for (size_t size = 1; size < LENGTH(expected); size++) {
        char buf[16];
        memset(buf, '#', sizeof buf);
        vhd_utf16_to_utf8(units, LENGTH(units), buf, size);
        assert_string_equal(buf, expected[size]);
        for (size_t i = size; i < sizeof buf; i++) {
            assert_int_equal(buf[i], '#');
        }
    }
}

static void utf8_becomes_utf16(void **state)
{
    (void)state;
    const uint16_t expected[] = {'a', 0xFC, 0x20AC, 0xD83D, 0xDE00, 0xDBFF, 0xDFFF, 'z'};
    const char text[] = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBFz";
    uint16_t units[LENGTH(expected)];

    assert_int_equal(vhd_utf8_utf16_units(text), LENGTH(expected));
    assert_int_equal(vhd_utf8_to_utf16(text, units, LENGTH(units)), LENGTH(expected));
    assert_memory_equal(units, expected, sizeof expected);
    assert_int_equal(vhd_utf8_to_utf16("", units, 0), 0);
    assert_int_equal(vhd_utf8_to_utf16("a\xFF", units, LENGTH(units)), -EILSEQ);
    assert_int_equal(vhd_utf8_to_utf16("\xED\xA0\x80", units, LENGTH(units)), -EILSEQ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_read_and_stepped_past),
        cmocka_unit_test(the_end_is_zero_and_not_stepped_past),
        cmocka_unit_test(bytes_that_are_not_utf8_are_reported),
        cmocka_unit_test(units_are_counted),
        cmocka_unit_test(each_byte_that_is_not_utf8_counts_as_one_unit),
        cmocka_unit_test(utf16_becomes_utf8),
        cmocka_unit_test(utf8_becomes_utf16),
        cmocka_unit_test(a_zero_unit_ends_the_text),
        cmocka_unit_test(unpaired_surrogates_are_replaced),
        cmocka_unit_test(a_small_buffer_cuts_at_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
