/*
 * If this fails, a user gets a disk of another size than asked for, or a size that is allowed is
 * refused.
 */
#include "request/size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sentence.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const uint64_t untouched = UINT64_C(0x5A5A5A5A5A5A5A5A);

static void assert_size(const char *word, uint64_t bytes)
{
    struct vhd_verdict verdict;
    uint64_t size = untouched;

    assert_int_equal(vhd_size_parse(word, strlen(word), &size, &verdict), VHD_OK);
    assert_int_equal(size, bytes);
    size = untouched;
    assert_int_equal(vhd_size_parse(word, strlen(word), &size, NULL), VHD_OK);
    assert_int_equal(size, bytes);
}

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

static void a_plain_number_counts_mb(void **state)
{
    (void)state;
    assert_size("3", 3145728);
    assert_size("4", 4194304);
    assert_size("10", 10485760);
    assert_size("4096", UINT64_C(4294967296));
    assert_size("2088959", UINT64_C(2190432272384));
    assert_size("2088960", UINT64_C(2190433320960));
}

static void suffixes_count_powers_of_1024(void **state)
{
    (void)state;
    assert_size("3M", 3145728);
    assert_size("4096M", UINT64_C(4294967296));
    assert_size("2088960M", UINT64_C(2190433320960));
    assert_size("1G", 1073741824);
    assert_size("4G", UINT64_C(4294967296));
    assert_size("2040G", UINT64_C(2190433320960));
    assert_size("1T", UINT64_C(1099511627776));
    assert_size("3145728B", 3145728);
    assert_size("3146240B", 3146240);
    assert_size("2190433320960B", UINT64_C(2190433320960));
    assert_size("2190433320448B", UINT64_C(2190433320448));
}

static void leading_zeros_mean_nothing(void **state)
{
    (void)state;
    char word[301];

    assert_size("0004096", UINT64_C(4294967296));
    assert_size("010", 10485760);
    assert_size("003M", 3145728);
    memset(word, '0', sizeof word);
    word[299] = '5';
    word[300] = '\0';
    assert_size(word, 5242880);
}

static void the_word_is_not_terminated(void **state)
{
    (void)state;
    struct vhd_verdict verdict;
    uint64_t size = 0;

    assert_int_equal(vhd_size_parse("40967", 4, &size, &verdict), VHD_OK);
    assert_int_equal(size, UINT64_C(4294967296));
    assert_int_equal(vhd_size_parse("4096T", 4, &size, &verdict), VHD_OK);
    assert_int_equal(size, UINT64_C(4294967296));
    assert_int_equal(vhd_size_parse((const char[]){'4', 'G'}, 2, &size, &verdict), VHD_OK);
    assert_int_equal(size, UINT64_C(4294967296));
}

static void below_3_mb_is_too_small(void **state)
{
    (void)state;
    const char *const words[] = {"1", "2", "1M", "2M", "002", "512B", "3145216B", "2097152B"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_SIZE_TOO_SMALL);
    }
}

static void above_2088960_mb_is_too_large(void **state)
{
    (void)state;
    const char *const words[] = {
        "2088961",        "2088961M", "2041G",      "2T",         "3T",
        "2190433321472B", "9999999",  "4294967296", "4294967299",
    };

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_SIZE_TOO_LARGE);
    }
}

/* Numbers that 64 bits cannot hold, some of which would come round to a size that is allowed. */
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
    const char *const words[] = {"0", "00", "0M", "0G", "0T", "0B", "-0"};

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
        "",           "M",      "G",
        "T",          "B",      "x",
        "abc",        "4096x",  "x4096",
        "4096MB",     "4096MM", "4GB",
        "4GiB",       "4096K",  "4P",
        "4096 ",      " 4096",  "4 096",
        "4096 M",     "4,096",  "4.5G",
        "4.0",        "0x1000", "4e3",
        "1/2",        "4096\n", "4096\t",
        "\t4096",     "0b11",   "M4096",
        "4096:",      "4096/",  "\uFF14\uFF10\uFF19\uFF16",
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

/* In the status a sentence is one line, whatever was written. */
static void junk_does_not_get_into_the_sentence(void **state)
{
    (void)state;
    const char *const words[] = {"4096\r\nstate completed", "\xFF\xFE", "4096\x80", "\x1B[2J"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
}

/* However long the word, quoting it cuts no character in two. */
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

static void assert_written(uint64_t bytes, const char *expected)
{
    struct {
        char text[VHD_SIZE_TEXT];
        char behind[8];
    } buf;

    memset(&buf, '#', sizeof buf);
    vhd_size_format(bytes, buf.text);
    assert_string_equal(buf.text, expected);
    assert_memory_equal(buf.behind, "########", 8);
}

static void sizes_are_written_in_mb_or_bytes(void **state)
{
    (void)state;
    assert_written(0, "0");
    assert_written(1048576, "1");
    assert_written(3145728, "3");
    assert_written(UINT64_C(4294967296), "4096");
    assert_written(UINT64_C(2190433320960), "2088960");
    assert_written(3146240, "3146240B");
    assert_written(UINT64_C(4294967296) - 512, "4294966784B");
    assert_written(512, "512B");
    assert_written(UINT64_MAX, "18446744073709551615B");
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    const uint64_t largest = UINT64_C(2190433320960);

    for (uint64_t bytes = 3145728; bytes <= largest; bytes += bytes / 7 / 512 * 512) {
        char text[VHD_SIZE_TEXT];
        vhd_size_format(bytes, text);
        assert_size(text, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_number_counts_mb),
        cmocka_unit_test(suffixes_count_powers_of_1024),
        cmocka_unit_test(leading_zeros_mean_nothing),
        cmocka_unit_test(the_word_is_not_terminated),
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
        cmocka_unit_test(sizes_are_written_in_mb_or_bytes),
        cmocka_unit_test(what_was_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
