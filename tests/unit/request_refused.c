/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a meaningless request would be carried out, or its refusal would not say what is
 * wrong.
 */
#include "request/request.h"
#include "request/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "request.h"
#include "sentence.h"

/* Any other quotes are refused, and the sentence says so. */
static void other_quotes_are_refused(void **state)
{
    (void)state;
    const char *const texts[] = {
        "\"",
        "'",
        "\"4096",
        "4096\"",
        "\"4096'",
        "40\"96",
        "\"4096\" MB",
        "\"4096\"MB",
        "\"\"4096\"\"",
        "'\"4096\"'",
        "\"4096 MB\"type=dynamic",
        "\"4096 x\" type=dynamic",
        ("\"4096 type=dynamic\" uuid=" UUID),
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        struct vhd_request request;
        struct vhd_verdict verdict;
        assert_invalid(texts[i]);
        vhd_request_parse(texts[i], strlen(texts[i]), &request, &verdict);
        assert_non_null(strstr(verdict.sentence, "quotes"));
    }
    assert_invalid("\"\"");
    assert_invalid("\"\" 4096");
    assert_invalid("\" \"");
    assert_invalid("\"x\"");
    assert_invalid("4096 \"type=dynamic\"");
}

static void each_refusal_names_the_expected_form(void **state)
{
    (void)state;
    const char *const texts[] = {
        "",         "type=dynamic", "4096 type=fix",
        "4096 KB",  "4096 uuid=1",  "4096\n4096",
        "4096 x=1", "\"4096",       "4096 type=dynamic type=dynamic",
        "x",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        struct vhd_request request;
        struct vhd_verdict verdict;
        assert_int_not_equal(vhd_request_parse(texts[i], strlen(texts[i]), &request, &verdict),
                             VHD_OK);
        assert_non_null(strstr(verdict.sentence, "write "));
        assert_non_null(strstr(verdict.sentence, "such as"));
    }
}

static void without_a_size_there_is_no_request(void **state)
{
    (void)state;
    const char *const texts[] = {
        "",
        "\n",
        " ",
        " \t\r\n",
        "type=dynamic",
        "type=dynamic\n",
        "uuid=" UUID,
        "type=dynamic 4096",
        "uuid=" UUID " 4096\n",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        assert_invalid(texts[i]);
    }
}

static void other_words_are_no_size(void **state)
{
    (void)state;
    const char *const texts[] = {
        "0\n",     "-1\n",  "-4096",   "+4096",    "x\n",          "4096x\n",   "4 096",
        "4,096",   "4.5",   "0x1000",  "4096K\n",  "4096 K\n",     "4096 KB\n", "4096 M M\n",
        "4 G 4 G", "G 4\n", "1.3 G\n", "1 .5 G\n", "\u00A04096\n", "\v4096\n",  "4096\f\n",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        assert_invalid(texts[i]);
    }
}

static void sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_refused("1\n", VHD_SIZE_TOO_SMALL);
    assert_refused("2\n", VHD_SIZE_TOO_SMALL);
    assert_refused("2 type=dynamic\n", VHD_SIZE_TOO_SMALL);
    assert_refused("2 uuid=" UUID "\n", VHD_SIZE_TOO_SMALL);
    assert_refused("2088961\n", VHD_SIZE_TOO_LARGE);
    assert_refused("2088961 type=dynamic\n", VHD_SIZE_TOO_LARGE);
    assert_refused("99999999999999999999999999\n", VHD_SIZE_TOO_LARGE);
}

static void two_lines_are_no_request(void **state)
{
    (void)state;
    const char *const texts[] = {
        "4096\n4096\n",
        "4096\n4096",
        "4096\n8192\n",
        "4096\r\n4096\r\n",
        "4096\ntype=dynamic\n",
        "4096\n\n4096\n",
        "4096\nx",
        "4096 type=dynamic\nuuid=" UUID "\n",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        assert_invalid(texts[i]);
    }
}

static void two_sizes_are_no_request(void **state)
{
    (void)state;
    assert_invalid("4096 4096\n");
    assert_invalid("4096 8192\n");
    assert_invalid("4096 type=dynamic 4096\n");
}

static void unknown_options_are_refused(void **state)
{
    (void)state;
    const char *const texts[] = {
        "4096 bogus\n",
        "4096 bogus=1\n",
        "4096 type\n",
        "4096 uuid\n",
        "4096 =dynamic\n",
        "4096 =\n",
        "4096 Type=dynamic\n",
        "4096 TYPE=dynamic\n",
        "4096 typ=dynamic\n",
        "4096 types=dynamic\n",
        "4096 size=4096\n",
        "4096 type =dynamic\n",
        "4096 type= dynamic\n",
        "4096 dynamic\n",
        "4096 -o type=dynamic\n",
        "4096 type:dynamic\n",
        "4096,type=dynamic\n",
        "4096 type=dynamic,uuid=" UUID "\n",
        "4096 type=dynamic bogus\n",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        assert_invalid(texts[i]);
    }
}

static void unknown_values_are_refused(void **state)
{
    (void)state;
    const char *const texts[] = {
        "4096 type=\n",
        "4096 type=bogus\n",
        "4096 type=Dynamic\n",
        "4096 type=dynami\n",
        "4096 type=dynamics\n",
        "4096 type==dynamic\n",
        "4096 type=\"dynamic\n",
        "4096 type=\"dynamic\"s\n",
        "4096 type=\"dynamic'\n",
        "4096 type=fix\n",
        "4096 parent=\n",
        "4096 parent=\"\"\n",
        "4096 parent=a/b\n",
        "4096 parent=../b\n",
        "4096 parent=\"a b\n",
        "4096 parent=a type=dynamic\n",
        "parent=a type=dynamic\n",
        "4096 parent=a type=fixed\n",
        "type=fixed\n",
        "4096 type=Fixed\n",
        "4096 type=fixed,dynamic\n",
        "4096 type=differencing\n",
        "type=differencing\n",
        "type=dynamic\n",
        "uuid=" UUID "\n",
        "4096 type=3\n",
        "4096 uuid=\n",
        "4096 uuid=bogus\n",
        "4096 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e\n",
        "4096 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e60\n",
        "4096 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5eg\n",
        "4096 uuid=8f2b6a1c52de4c119d0e3b7a90c4d5e6\n",
        "4096 uuid=8f2b6a1c-52de-4c11-9d0e3b7a9-0c4d5e6\n",
        "4096 uuid={" UUID "}\n",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        assert_invalid(texts[i]);
    }
}

static void assert_says(const char *text, const char *part)
{
    struct vhd_request request;
    struct vhd_verdict verdict;

    assert_int_equal(vhd_request_parse(text, strlen(text), &request, &verdict),
                     VHD_INVALID_ARGUMENT);
    assert_non_null(strstr(verdict.sentence, part));
}

static void a_type_that_does_not_fit_a_parent_is_named(void **state)
{
    (void)state;
    const char *const fixed[] = {"parent=a type=fixed\n", "4096 type=fixed parent=a\n"};
    const char *const dynamic[] = {"parent=a type=dynamic\n", "4096 type=dynamic parent=a\n"};

    for (size_t i = 0; i < LENGTH(fixed); i++) {
        assert_says(fixed[i], "a disk with a parent is differencing, not fixed");
        assert_says(dynamic[i], "a disk with a parent is differencing, not dynamic");
    }
}

static void a_parent_has_a_name_that_a_file_can_have(void **state)
{
    (void)state;
    char text[300] = "parent=";
    struct vhd_request request;

    memset(text + 7, 'x', NAME_MAX);
    text[7 + NAME_MAX] = 0;
    assert_int_equal(vhd_request_parse(text, strlen(text), &request, NULL), VHD_OK);
    assert_int_equal(strlen(request.parent), NAME_MAX);
    strcat(text, "x");
    assert_invalid(text);
    assert_refused_bytes("parent=a\0b", 10, VHD_INVALID_ARGUMENT);
}

static void an_option_is_given_once(void **state)
{
    (void)state;
    assert_invalid("4096 type=dynamic type=dynamic\n");
    assert_invalid("4096 uuid=" UUID " uuid=" UUID "\n");
    assert_invalid("4096 type=dynamic uuid=" UUID " type=dynamic\n");
    assert_says("4096 type=dynamic type=dynamic\n", "twice");
    assert_says("4096 type=fixed type=fixed\n", "twice");
    assert_says("4096 type=fixed type=dynamic\n", "twice");
    assert_says("4096 type=dynamic type=fixed\n", "twice");
}

/* A mistyped option is named first, however wrong the size is as well. */
static void syntax_is_judged_before_figures(void **state)
{
    (void)state;
    const char *const texts[] = {
        "1 bogus=1\n",
        "2088961 bogus=1\n",
        "1 type=bogus\n",
        "1 type=dynamic type=dynamic\n",
        "1 uuid=bogus\n",
        "1\n4096\n",
        "2088961\n1\n",
        "1 4096\n",
        "99999999999999999999999999 bogus\n",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        assert_invalid(texts[i]);
    }
}

static void a_request_has_4096_bytes_at_most(void **state)
{
    (void)state;
    char text[VHD_LINE_MAX + 1];

    assert_int_equal(VHD_LINE_MAX, 4096);
    memset(text, ' ', sizeof text);
    memcpy(text, "4096", 4);
    assert_read_bytes(text, 4096, four_gb, no_uuid);
    assert_refused_bytes(text, 4097, VHD_INVALID_ARGUMENT);

    memset(text, '0', sizeof text);
    memcpy(text + 4091, "4096\n", 5);
    assert_read_bytes(text, 4096, four_gb, no_uuid);
    memmove(text + 1, text, 4096);
    assert_refused_bytes(text, 4097, VHD_INVALID_ARGUMENT);

    memset(text, ' ', sizeof text);
    memcpy(text, "1", 1);
    assert_refused_bytes(text, 4096, VHD_SIZE_TOO_SMALL);
    assert_refused_bytes(text, 4097, VHD_INVALID_ARGUMENT);
}

static void nul_bytes_are_no_blanks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"4096\0", 5},
        {"4096\0\n", 6},
        {"4096\n\0", 6},
        {"\0"
         "4096\n",
         6},
        {"40\0"
         "96\n",
         6},
        {"\0", 1},
        {"4096 \0", 6},
        {"4096 type=dynamic\0", 18},
        {"4096 type=dynamic\0x", 19},
        {"4096 type\0=dynamic", 18},
        {"4096 uuid=" UUID "\0", 47},
        {"4096 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e\0", 46},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        assert_refused_bytes(cases[i].text, cases[i].len, VHD_INVALID_ARGUMENT);
    }
}

/* The refused word is quoted, and the sentence is one line of UTF-8 all the same. */
static void junk_is_quoted_safely(void **state)
{
    (void)state;
    char text[VHD_LINE_MAX];
    const char *const texts[] = {
        "\xFF\xFE\n",
        "4096 \xFF=\x80\n",
        "4096 type=\xC0\xAF\n",
        "4096 uuid=\xED\xA0\x80\n",
        "4096 \x1B[2J\n",
        "4096 type=\x07\n",
        "%s%n\n",
        "4096 %s%n=%d\n",
        "4096 type=%s%n\n",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        assert_invalid(texts[i]);
    }
    memset(text, 'x', sizeof text);
    assert_refused_bytes(text, sizeof text, VHD_INVALID_ARGUMENT);
    memcpy(text, "4096 ", 5);
    assert_refused_bytes(text, sizeof text, VHD_INVALID_ARGUMENT);
    memcpy(text, "4096 type=", 10);
    assert_refused_bytes(text, sizeof text, VHD_INVALID_ARGUMENT);
    memset(text, '\xFF', sizeof text);
    assert_refused_bytes(text, sizeof text, VHD_INVALID_ARGUMENT);
    memset(text, '\0', sizeof text);
    assert_refused_bytes(text, sizeof text, VHD_INVALID_ARGUMENT);
}

/* A long word is quoted without cutting a character in two. */
static void a_long_word_is_quoted_in_whole_characters(void **state)
{
    (void)state;
    const char *const before[] = {"", "4096 ", "4096 type=", "4096 uuid="};

    for (size_t i = 0; i < LENGTH(before); i++) {
        for (size_t lead = 0; lead < 3; lead++) {
            char text[1000];
            size_t at = (size_t)sprintf(text, "%s%.*s", before[i], (int)lead, "xx");
            while (at + 3 < sizeof text) {
                memcpy(text + at, "\u65E5", 4);
                at += 3;
            }
            assert_invalid(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_quotes_are_refused),
        cmocka_unit_test(each_refusal_names_the_expected_form),
        cmocka_unit_test(without_a_size_there_is_no_request),
        cmocka_unit_test(other_words_are_no_size),
        cmocka_unit_test(sizes_out_of_range_are_refused),
        cmocka_unit_test(two_lines_are_no_request),
        cmocka_unit_test(two_sizes_are_no_request),
        cmocka_unit_test(unknown_options_are_refused),
        cmocka_unit_test(unknown_values_are_refused),
        cmocka_unit_test(a_type_that_does_not_fit_a_parent_is_named),
        cmocka_unit_test(a_parent_has_a_name_that_a_file_can_have),
        cmocka_unit_test(an_option_is_given_once),
        cmocka_unit_test(syntax_is_judged_before_figures),
        cmocka_unit_test(a_request_has_4096_bytes_at_most),
        cmocka_unit_test(nul_bytes_are_no_blanks),
        cmocka_unit_test(junk_is_quoted_safely),
        cmocka_unit_test(a_long_word_is_quoted_in_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
