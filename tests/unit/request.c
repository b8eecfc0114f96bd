/* SPDX-License-Identifier: MIT */
/*
 * If this failed, "echo 4096 > new/disk1" would make no disk or a wrong one.
 */
#include "request/request.h"
#include "request/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "request.h"
#include "sentence.h"

static void assert_read(const char *text, uint64_t size, const uint8_t uuid[16])
{
    assert_read_bytes(text, strlen(text), size, uuid);
}

static void a_size_is_a_whole_request(void **state)
{
    (void)state;
    assert_read("4096\n", four_gb, no_uuid);
    assert_read("4096", four_gb, no_uuid);
    assert_read("4096M\n", four_gb, no_uuid);
    assert_read("4G", four_gb, no_uuid);
    assert_read("3\n", 3145728, no_uuid);
    assert_read("3146240B\n", 3146240, no_uuid);
    assert_read("2088960\n", UINT64_C(2190433320960), no_uuid);
}

static void the_unit_may_be_a_word_of_its_own(void **state)
{
    (void)state;
    assert_read("4096 MB\n", four_gb, no_uuid);
    assert_read("4096 M", four_gb, no_uuid);
    assert_read("4 GiB\r\n", four_gb, no_uuid);
    assert_read(" 4\tgb ", four_gb, no_uuid);
    assert_read("0.5 G type=dynamic", four_gb / 8, no_uuid);
    assert_read("4096 MB type=dynamic uuid=" UUID "\n", four_gb, uuid_bytes);
    assert_read("4096 MB uuid=" UUID, four_gb, uuid_bytes);
}

/* A user who quotes for the shell, and once more for vhdfs, means the same. */
static void a_pair_of_quotes_means_nothing(void **state)
{
    (void)state;
    const char *const texts[] = {
        "\"4096\"\n",
        "'4096'\n",
        "\"4096 MB\"\n",
        "'4 GB'",

        "\" 4096 MB \"\n",
        " \"4096\" \r\n",
        "\"4096\" type=dynamic\n",
        "'4G' type=dynamic",
        "\"4096 MB\" type=dynamic",
        "\"4096 MB type=dynamic\"\n",
        "'4096 type=dynamic'",
    };

    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_read(texts[i], four_gb, no_uuid);
}

static void blanks_and_line_ends_of_any_kind_are_accepted(void **state)
{
    (void)state;
    const char *const texts[] = {
        "4096\r\n", "4096\r",     " 4096\n",           "\t4096\n",
        "4096 \n",  "4096\t\r\n", "  \t 4096 \t \r\n", "4096   ",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        assert_read(texts[i], four_gb, no_uuid);
    }
}

static void the_text_is_not_terminated(void **state)
{
    (void)state;
    assert_read_bytes("40967", 4, four_gb, no_uuid);
    assert_read_bytes("4096\n4096\n", 5, four_gb, no_uuid);
    assert_read_bytes("4096 type=dynamic bogus", 17, four_gb, no_uuid);
}

static void options_are_read_in_any_order(void **state)
{
    (void)state;
    assert_read("4096 type=dynamic\n", four_gb, no_uuid);
    assert_read("4096 uuid=" UUID "\n", four_gb, uuid_bytes);
    assert_read("4096 type=dynamic uuid=" UUID, four_gb, uuid_bytes);
    assert_read("4096 uuid=" UUID " type=dynamic\r\n", four_gb, uuid_bytes);
    assert_read("\t4096 \t type=dynamic\t\tuuid=" UUID " \t\r\n", four_gb, uuid_bytes);
    assert_read("4096 uuid=8F2B6A1C-52DE-4C11-9D0E-3B7A90C4D5E6", four_gb, uuid_bytes);
}

static void a_parent_makes_a_differencing_disk(void **state)
{
    (void)state;
    static const struct {
        const char *text, *parent;
        uint64_t size;
    } requests[] = {
        {"parent=base\n", "base", 0},
        {"parent=base.vhd", "base", 0},
        {"parent=base.VHD", "base", 0},
        {" parent=base  type=differencing \r\n", "base", 0},
        {"type=differencing parent=base\n", "base", 0},
        {"4096 parent=base\n", "base", four_gb},
        {"4 GB parent=base\n", "base", four_gb},
        {"4096 type=differencing parent=base\n", "base", four_gb},
        {"\"parent=base\"\n", "base", 0},
        {"'parent=base type=differencing'\n", "base", 0},
        {"'4096 parent=base'\n", "base", four_gb},
        {"parent=\"my base\"\n", "my base", 0},
        {"parent='my \"base\"' uuid=" UUID "\n", "my \"base\"", 0},
        {"4096 parent='my base' type=\"differencing\"", "my base", four_gb},
        {"'parent=\"my base\"'", "my base", 0},
    };
    struct vhd_request request;

    for (size_t i = 0; i < LENGTH(requests); i++) {
        const char *text = requests[i].text;
        assert_int_equal(vhd_request_parse(text, strlen(text), &request, NULL), VHD_OK);
        assert_string_equal(request.parent, requests[i].parent);
        assert_int_equal(request.size, requests[i].size);
    }
    assert_int_equal(vhd_request_parse("4096", 4, &request, NULL), VHD_OK);
    assert_string_equal(request.parent, "");
    assert_invalid("parent=a parent=b\n");
    assert_invalid("'parent=a' uuid=" UUID "\n");
    assert_refused("2 parent=a\n", VHD_SIZE_TOO_SMALL);
}

static void a_type_makes_a_fixed_disk(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_fixed;
    } requests[] = {
        {"4096 type=fixed\n", true},
        {"4 GB type='fixed' uuid=" UUID "\r\n", true},
        {"\"4096 type=fixed\"", true},
        {"4096 type=dynamic\n", false},
        {"4096\n", false},
        {"4096 parent=a\n", false},
    };

    for (size_t i = 0; i < LENGTH(requests); i++) {
        const char *text = requests[i].text;
        struct vhd_request request;
        memset(&request, 0xFF, sizeof request);
        assert_int_equal(vhd_request_parse(text, strlen(text), &request, NULL), VHD_OK);
        assert_int_equal(request.is_fixed, requests[i].is_fixed);
        assert_int_equal(request.size, four_gb);
    }
    assert_refused("2 type=fixed\n", VHD_SIZE_TOO_SMALL);
    assert_refused("2088961 type=fixed\n", VHD_SIZE_TOO_LARGE);
}

static void blank_texts_are_known(void **state)
{
    (void)state;
    const char *const blank[] = {"", " ", "\n", "\t", "\r\n", " \t\r\n \n\n"};
    const char *const not_blank[] = {"x", " x", "x ", "\n4", ".", "\v", "\u00A0", " \n\n\n0"};

    for (size_t i = 0; i < LENGTH(blank); i++) {
        assert_true(vhd_line_is_blank(blank[i], strlen(blank[i])));
    }
    for (size_t i = 0; i < LENGTH(not_blank); i++) {
        assert_false(vhd_line_is_blank(not_blank[i], strlen(not_blank[i])));
    }
    assert_false(vhd_line_is_blank("\0", 1));
    assert_false(vhd_line_is_blank(" \0 ", 3));
    assert_true(vhd_line_is_blank("  x", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_a_whole_request),
        cmocka_unit_test(the_unit_may_be_a_word_of_its_own),
        cmocka_unit_test(a_pair_of_quotes_means_nothing),
        cmocka_unit_test(blanks_and_line_ends_of_any_kind_are_accepted),
        cmocka_unit_test(the_text_is_not_terminated),
        cmocka_unit_test(options_are_read_in_any_order),
        cmocka_unit_test(a_parent_makes_a_differencing_disk),
        cmocka_unit_test(a_type_makes_a_fixed_disk),
        cmocka_unit_test(blank_texts_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
