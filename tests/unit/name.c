/* SPDX-License-Identifier: MIT */
/*
 * If this fails, disks get names that Windows cannot open or that are those of an editor's
 * temporary files, or a good name is refused.
 */
#include "request/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "name.h"
#include "sentence.h"

static void assert_forbidden(const char *name)
{
    struct vhd_verdict verdict;
    memset(&verdict, '#', sizeof verdict);
    assert_int_equal(vhd_name_judge(name, &verdict), VHD_INVALID_NAME);
    assert_int_equal(verdict.result, VHD_INVALID_NAME);
    assert_sentence(verdict.sentence);
    assert_int_equal(vhd_name_judge(name, NULL), VHD_INVALID_NAME);
}

static void plain_names_are_allowed(void **state)
{
    (void)state;
    const char *const names[] = {
        "a",
        "disk1",
        "DISK",
        "0",
        "a.b",
        "a-b",
        "a b",
        "a~b",
        "a..b",
        "a--b",
        "a_",
        "_a",
        "~a",
        " a",
        "system.2026-01-02",
        "!#$%&'()+,;=@[]^`{}",
        "disk%20one",
        "a-",
        "a'",
    };

    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_allowed(names[i]);
    }
}

static void names_beyond_ascii_are_allowed(void **state)
{
    (void)state;
    assert_allowed("\u00FCn\u00EFcode");
    assert_allowed("\u65E5\u672C");
    assert_allowed("\U0001F600");
    assert_allowed("a\u00B9");
    assert_allowed("\uFF0F\uFF1F"); /* full-width '/' and '?' are other characters */
}

static void an_empty_name_is_forbidden(void **state)
{
    (void)state;
    assert_forbidden("");
}

static void each_forbidden_character_is_found_anywhere(void **state)
{
    (void)state;
    for (const char *c = "*?:<>/|\"\\"; *c != '\0'; c++) {
        assert_forbidden((char[]){*c, '\0'});
        assert_forbidden((char[]){*c, 'a', '\0'});
        assert_forbidden((char[]){'a', *c, 'a', '\0'});
        assert_forbidden((char[]){'a', *c, '\0'});
    }
}

static void no_other_printable_character_is_forbidden_inside(void **state)
{
    (void)state;
    for (char c = ' '; c < 0x7F; c++) {
        if (strchr("*?:<>/|\"\\", c) == NULL) {
            assert_allowed((char[]){'a', c, 'a', '\0'});
        }
    }
}

static void control_bytes_are_forbidden_anywhere(void **state)
{
    (void)state;
    for (char c = 1; c < ' '; c++) {
        assert_forbidden((char[]){c, '\0'});
        assert_forbidden((char[]){'a', c, 'a', '\0'});
        assert_forbidden((char[]){'a', c, '\0'});
    }
    assert_forbidden("a\x7F"
                     "a");
}

static void leading_dots_and_dashes_are_forbidden(void **state)
{
    (void)state;
    const char *const names[] = {".", "..", "...", ".a", ".hidden.swp", "-", "-a", "--help", "-."};

    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_forbidden(names[i]);
    }
}

static void trailing_tildes_dots_and_blanks_are_forbidden(void **state)
{
    (void)state;
    const char *const names[] = {"a~", "~", "a.b~", "a.", "a..", "a ", " ", "a. ", "a .", "  "};

    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_forbidden(names[i]);
    }
}

static void bytes_that_are_not_utf8_are_forbidden(void **state)
{
    (void)state;
    const char *const names[] = {
        "\xFF", "a\x80z", "a\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82(",
    };

    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_forbidden(names[i]);
    }
}

/* Two faults at once: the sentence about one must not contain the other. */
static void sentences_stay_clean_for_any_name(void **state)
{
    (void)state;
    const char *const names[] = {"a\n\xFF", "*\xFF", "a\xFF*", "\n\xE2\x82", ".\xFF", "-\n"};

    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_forbidden(names[i]);
    }
}

static void devices_of_windows_are_forbidden(void **state)
{
    (void)state;
    const char *const devices[] = {
        "CON",   "PRN",       "AUX",       "NUL",         "COM1",      "COM2",      "COM3",
        "COM4",  "COM5",      "COM6",      "COM7",        "COM8",      "COM9",      "LPT1",
        "LPT2",  "LPT3",      "LPT4",      "LPT5",        "LPT6",      "LPT7",      "LPT8",
        "LPT9",  "COM\u00B9", "COM\u00B2", "COM\u00B3",   "LPT\u00B9", "LPT\u00B2", "LPT\u00B3",
        "con",   "Prn",       "aUx",       "nul",         "com1",      "Lpt9",      "cOm\u00B2",
        "NUL.x", "con.a.b",   "COM1.disk", "lpt\u00B3.x", "AUX..a",
    };

    for (size_t i = 0; i < LENGTH(devices); i++) {
        assert_forbidden(devices[i]);
    }
}

static void neighbours_of_devices_are_allowed(void **state)
{
    (void)state;
    const char *const names[] = {
        "CONS",      "CO",         "xCON",  "NULL",      "NU",        "NUL1",
        "NUL-x",     "NUL_",       "PRN0",  "AUXILIARY", "a.NUL",     "COM",
        "LPT",       "COM0",       "LPT0",  "COM10",     "LPT11",     "COM1a",
        "COM1-x",    "COMA",       "xCOM1", "COM.1",     "COM\u2074", "LPT\u00B9\u00B9",
        "COM\u00BC", "COM1\u00B9",
    };

    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_allowed(names[i]);
    }
}

/*
 * A user who writes the ending of another image format wants that format: vhdfs would make a VHD of
 * that name.
 */
static void endings_of_images_are_forbidden(void **state)
{
    (void)state;
    const struct {
        const char *name, *expected;
    } cases[] = {
        {"a.vhd", "\"a\""},           {"a.VHD", "\"a\""},
        {"a.vhdx", "\"a\""},          {"a.VhdX", "\"a\""},
        {"a.avhd", "\"a\""},          {"a.avhdx", "\"a\""},
        {"a.qcow2", "\"a\""},         {"a.QCOW2", "\"a\""},
        {"a.vmdk", "\"a\""},          {"a.vdi", "\"a\""},
        {"a.img", "\"a\""},           {"a.Img", "\"a\""},
        {"a.raw", "\"a\""},           {"a.iso", "\"a\""},
        {"a.b.iso", "\"a.b\""},       {"a.img.vhd", "\"a\""},
        {"a.vhd.vhd", "\"a\""},       {"a b.raw", "\"a b\""},
        {"\u65E5.img", "\"\u65E5\""}, {"lost+found.iso", "\"lost+found\""},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct vhd_verdict verdict;
        assert_forbidden(cases[i].name);
        vhd_name_judge(cases[i].name, &verdict);
        assert_non_null(strstr(verdict.sentence, cases[i].expected));
        assert_non_null(strstr(verdict.sentence, "VHD disks"));
    }
}

static void a_similar_ending_is_allowed(void **state)
{
    (void)state;
    const char *const names[] = {
        "vhd", "img",    "raw",      "aimg",      "a.imgs", "a.img.old", "a.vhd-1",
        "iso", "a.qcow", "a.vhdx_b", "a.iso9660", "raw.a",  "a-img",     "vhdx",
    };

    for (size_t i = 0; i < LENGTH(names); i++)
        assert_allowed(names[i]);
}

static void the_ending_is_not_of_the_stem(void **state)
{
    (void)state;
    assert_int_equal(vhd_name_stem_length("disk1.vhd"), 5);
    assert_int_equal(vhd_name_stem_length("disk1.VHD"), 5);
    assert_int_equal(vhd_name_stem_length("a.vHd"), 1);
    assert_int_equal(vhd_name_stem_length("a.b.vhd"), 3);
    assert_int_equal(vhd_name_stem_length("a.vhd.vhd"), 5);
    assert_int_equal(vhd_name_stem_length("\u00FC.vhd"), 2);
    assert_int_equal(vhd_name_stem_length(".vhd"), 0);
}

static void without_the_ending_the_stem_is_all(void **state)
{
    (void)state;
    const char *const names[] = {
        "", "a", "disk1", "vhd", "avhd", "a.vh", "a.vhdx", "a.vhd.bak", "a.vhd ", "a,vhd", "a.",
    };

    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_int_equal(vhd_name_stem_length(names[i]), strlen(names[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_names_are_allowed),
        cmocka_unit_test(names_beyond_ascii_are_allowed),
        cmocka_unit_test(an_empty_name_is_forbidden),
        cmocka_unit_test(each_forbidden_character_is_found_anywhere),
        cmocka_unit_test(no_other_printable_character_is_forbidden_inside),
        cmocka_unit_test(control_bytes_are_forbidden_anywhere),
        cmocka_unit_test(leading_dots_and_dashes_are_forbidden),
        cmocka_unit_test(trailing_tildes_dots_and_blanks_are_forbidden),
        cmocka_unit_test(bytes_that_are_not_utf8_are_forbidden),
        cmocka_unit_test(sentences_stay_clean_for_any_name),
        cmocka_unit_test(devices_of_windows_are_forbidden),
        cmocka_unit_test(neighbours_of_devices_are_allowed),
        cmocka_unit_test(endings_of_images_are_forbidden),
        cmocka_unit_test(a_similar_ending_is_allowed),
        cmocka_unit_test(the_ending_is_not_of_the_stem),
        cmocka_unit_test(without_the_ending_the_stem_is_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
