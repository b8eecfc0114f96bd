/* SPDX-License-Identifier: MIT */
/*
 * If this failed, an allowed size would be refused, or a word that is no size would be a disk.
 */
#include "request/size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "sentence.h"
#include "size.h"

static void assert_refused_bytes(const char *word, size_t len, enum vhd_result expected)
{
    struct vhd_verdict verdict;
    uint64_t size = untouched;

    memset(&verdict, '#', sizeof verdict);
    assert_int_equal(vhd_size_parse(word, len, &size, &verdict), expected);
    assert_int_equal(verdict.result, expected);
    assert_sentence(verdict.sentence);
    assert_int_equal(vhd_size_parse(word, len, &size, NULL), expected);
    assert_int_equal(size, untouched);
}

static void assert_refused(const char *word, enum vhd_result expected)
{
    assert_refused_bytes(word, strlen(word), expected);
}

static void nothing_else_is_a_unit(void **state)
{
    (void)state;
    const char *const words[] = {"", "K", "KB", "P", "BB", "MM", "Mi", "iB", "MiBs", "dynamic"};

    for (size_t i = 0; i < LENGTH(words); i++)
        assert_false(vhd_size_is_unit(words[i], strlen(words[i])));
}

/* A size that would need rounding is refused: no user gets another size than requested. */
static void fractions_that_are_not_exact_are_refused(void **state)
{
    (void)state;
    const char *const words[] = {
        "1.3G",
        "1.1T",
        "3.1M",
        "3.0001M",
        "1.00000000000000000000000000000000000000000000000000000000000000000000000000001G",
        "1.33333333333333333333333333333333333333333333333333333333333333333333333333333T",
        "3145728.5B",
        "4096.000244140625M", /* 256 bytes too many */
    };

    for (size_t i = 0; i < LENGTH(words); i++)
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
}

static void a_fraction_needs_a_unit(void **state)
{
    (void)state;
    const char *const words[] = {"4.5", "4096.0", "0.5", "1.5", "2088960.5"};

    for (size_t i = 0; i < LENGTH(words); i++)
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
}

static void each_refusal_shows_the_word_and_an_example(void **state)
{
    (void)state;
    const char *const words[] = {"x",    "0",   "-1",  "4096K",  "4,096",   "4.5",
                                 "1.3G", "2",   "2M",  "3T",     "9999999", "4 096",
                                 "5.G",  ".5G", "4e3", "0x1000", "1,5G"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        struct vhd_verdict verdict;
        uint64_t size;
        assert_int_not_equal(vhd_size_parse(words[i], strlen(words[i]), &size, &verdict), VHD_OK);
        assert_non_null(strstr(verdict.sentence, words[i]));
        assert_non_null(strstr(verdict.sentence, "write "));
        if (!strstr(verdict.sentence, "at most"))
            assert_non_null(strstr(verdict.sentence, "such as"));
    }
}

static void below_3_mb_is_too_small(void **state)
{
    (void)state;
    const char *const words[] = {"1",
                                 "2",
                                 "1M",
                                 "2M",
                                 "002",
                                 "512B",
                                 "3145216B",
                                 "2097152B",
                                 "2.9999999M",
                                 "0.001G",
                                 "0.000000000001T",
                                 "2 mb"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_SIZE_TOO_SMALL);
    }
}

static void above_2088960_mb_is_too_large(void **state)
{
    (void)state;
    const char *const words[] = {
        "2088961", "2088961M",   "2041G",      "2T",      "3T",     "2190433321472B",
        "9999999", "4294967296", "4294967299", "2040.5G", "1.993T", "2041 gb",
    };

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_SIZE_TOO_LARGE);
    }
}

/* Numbers that 64 bits cannot hold; some would wrap to an allowed size. */
static void beyond_64_bits_is_too_large(void **state)
{
    (void)state;
    const char *const words[] = {
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551619", /* 2^64 + 3 */
        "18446744073709555712", /* 2^64 + 4096 */
        "17592186044416",       /* 2^64 bytes */
        "17592186044419",       /* 2^64 bytes and 3 MB */
        "17592186048512",       /* 2^64 bytes and 4096 MB */
        "17592186048512M",
        "17179869188G",          /* 2^64 bytes and 4 GB */
        "16777217T",             /* 2^64 bytes and 1 TB */
        "18446744073709551104B", /* the last multiple of 512 */
        "18446744073709551616B",
        "18446744078004518912B", /* 2^64 + 4096 MB */
        "184467440737095516160000000000000000004096",
        "18446744073709551615T",
    };

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_SIZE_TOO_LARGE);
    }
}

static void any_length_of_number_is_judged(void **state)
{
    (void)state;
    static char word[4096];

    memset(word, '9', sizeof word);
    assert_refused_bytes(word, 300, VHD_SIZE_TOO_LARGE);
    assert_refused_bytes(word, sizeof word, VHD_SIZE_TOO_LARGE);
    memset(word, '0', sizeof word);
    assert_refused_bytes(word, sizeof word, VHD_INVALID_ARGUMENT);
    memset(word, 'x', sizeof word);
    assert_refused_bytes(word, sizeof word, VHD_INVALID_ARGUMENT);
}

static void zero_is_no_size(void **state)
{
    (void)state;
    const char *const words[] = {"0", "00", "0M", "0G", "0T", "0B", "-0", "0.0G", "0 MB"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
}

static void signs_are_no_size(void **state)
{
    (void)state;
    const char *const words[] = {
        "-1",
        "-4096",
        "+4096",
        "--4096",
        "+",
        "-",
        "4096-",
        "4096+",
        "-9223372036854775808",
        "-18446744073709547520", /* 4096 in 64 bits */
    };

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
}

static void junk_is_no_size(void **state)
{
    (void)state;
    const char *const words[] = {
        "",           "M",        "G",      "T",       "B",      "MB",
        "x",          "abc",      "4096x",  "x4096",   "4096MM", "4096K",
        "4096KB",     "4P",       "4096 ",  " 4096",   "4 096",  "4,096",
        "4.",         ".5G",      "5.G",    ".",       ".G",     "1..5G",
        "1.5.2G",     "0x1000",   "4e3",    "1/2",     "1,5G",   "4096\n",
        "4096\t",     "\t4096",   "0b11",   "M4096",   "4096:",  "4096/",
        "4096M ",     "4096 M B", "4096Mi", "4096\nM", "1.5 .G", "\uFF14\uFF10\uFF19\uFF16",
        "4096\u00A0",
    };

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
    assert_refused_bytes("4096\0", 5, VHD_INVALID_ARGUMENT);
    assert_refused_bytes("40\0"
                         "96",
                         5, VHD_INVALID_ARGUMENT);
    assert_refused_bytes("\0"
                         "4096",
                         5, VHD_INVALID_ARGUMENT);
}

/* In the status a sentence is one line, whatever the request was. */
static void junk_does_not_get_into_the_sentence(void **state)
{
    (void)state;
    const char *const words[] = {"4096\r\nstate completed", "\xFF\xFE", "4096\x80", "\x1B[2J"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
}

/* A long word is quoted without cutting a character in two. */
static void a_long_word_is_quoted_in_whole_characters(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        char word[1000] = "xxx";
        for (size_t at = lead; at + 4 < sizeof word; at += 4) {
            memcpy(word + at, "\U0001F600", 5);
        }
        assert_refused(word, VHD_INVALID_ARGUMENT);
    }
}

static void bytes_come_in_whole_sectors(void **state)
{
    (void)state;
    const char *const words[] = {"3145729B", "3146239B", "4294967297B", "2190433320959B"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
}

static void numbers_of_mb_have_the_same_limits(void **state)
{
    (void)state;
    const struct {
        int64_t mb;
        enum vhd_result result;
    } cases[] = {
        {INT64_MIN, VHD_INVALID_ARGUMENT},
        {-4096, VHD_INVALID_ARGUMENT},
        {-1, VHD_INVALID_ARGUMENT},
        {0, VHD_INVALID_ARGUMENT},
        {1, VHD_SIZE_TOO_SMALL},
        {2, VHD_SIZE_TOO_SMALL},
        {3, VHD_OK},
        {4096, VHD_OK},
        {2088960, VHD_OK},
        {2088961, VHD_SIZE_TOO_LARGE},
        {INT64_C(17592186044419), VHD_SIZE_TOO_LARGE}, /* 2^64 bytes and 3 MB */
        {INT64_MAX, VHD_SIZE_TOO_LARGE},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct vhd_verdict verdict;
        memset(&verdict, '#', sizeof verdict);
        assert_int_equal(vhd_size_judge_mb(cases[i].mb, &verdict), cases[i].result);
        if (cases[i].result != VHD_OK) {
            assert_int_equal(verdict.result, cases[i].result);
            assert_sentence(verdict.sentence);
        }
        assert_int_equal(vhd_size_judge_mb(cases[i].mb, NULL), cases[i].result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_else_is_a_unit),
        cmocka_unit_test(fractions_that_are_not_exact_are_refused),
        cmocka_unit_test(a_fraction_needs_a_unit),
        cmocka_unit_test(each_refusal_shows_the_word_and_an_example),
        cmocka_unit_test(below_3_mb_is_too_small),
        cmocka_unit_test(above_2088960_mb_is_too_large),
        cmocka_unit_test(beyond_64_bits_is_too_large),
        cmocka_unit_test(any_length_of_number_is_judged),
        cmocka_unit_test(zero_is_no_size),
        cmocka_unit_test(signs_are_no_size),
        cmocka_unit_test(junk_is_no_size),
        cmocka_unit_test(junk_does_not_get_into_the_sentence),
        cmocka_unit_test(a_long_word_is_quoted_in_whole_characters),
        cmocka_unit_test(bytes_come_in_whole_sectors),
        cmocka_unit_test(numbers_of_mb_have_the_same_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
