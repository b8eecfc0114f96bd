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

#include "sentence.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void assert_allowed(const char *name)
{
    struct vhd_verdict verdict;
    assert_int_equal(vhd_name_judge(name, &verdict), VHD_OK);
    assert_int_equal(vhd_name_judge(name, NULL), VHD_OK);
}

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

/* A string of count copies of a piece. */
static const char *repeated(const char *piece, size_t count)
{
    static char text[2][4096];
    static int turn;
    char *at = text[turn ^= 1];
    size_t len = strlen(piece);

    assert_true(len * count < sizeof text[0]);
    for (size_t i = 0; i < count; i++) {
        memcpy(at + i * len, piece, len);
    }
    at[len * count] = '\0';
    return at;
}

static void assert_fits(const char *folder, const char *file)
{
    struct vhd_verdict verdict;
    assert_int_equal(vhd_name_judge_length(folder, file, &verdict), VHD_OK);
    assert_int_equal(vhd_name_judge_length(folder, file, NULL), VHD_OK);
}

static void assert_too_long(const char *folder, const char *file)
{
    struct vhd_verdict verdict;
    memset(&verdict, '#', sizeof verdict);
    assert_int_equal(vhd_name_judge_length(folder, file, &verdict), VHD_BUFFER_OVERFLOW);
    assert_int_equal(verdict.result, VHD_BUFFER_OVERFLOW);
    assert_sentence(verdict.sentence);
    assert_int_equal(vhd_name_judge_length(folder, file, NULL), VHD_BUFFER_OVERFLOW);
}

static void file_of(char buf[512], const char *piece, size_t count)
{
    strcpy(buf, repeated(piece, count));
    strcat(buf, VHD_ENDING);
}

static void a_name_of_251_bytes_is_the_longest(void **state)
{
    (void)state;
    char file[512];

    file_of(file, "n", 251);
    assert_fits("/s", file);
    assert_allowed(repeated("n", 251));
    file_of(file, "n", 252);
    assert_too_long("/s", file);
}

/* The host counts bytes: 125 letters of two bytes fit, 126 do not. */
static void the_file_name_is_measured_in_bytes(void **state)
{
    (void)state;
    char file[512];

    file_of(file, "\u00FC", 125);
    assert_fits("/s", file);
    file_of(file, "\u00FC", 126);
    assert_too_long("/s", file);
    file_of(file, "\u65E5", 83);
    assert_fits("/s", file);
    file_of(file, "\u65E5", 84);
    assert_too_long("/s", file);
    file_of(file, "\U0001F600", 62);
    assert_fits("/s", file);
    file_of(file, "\U0001F600", 63);
    assert_too_long("/s", file);
}

/* Folder, slash and "d1.vhd": 253 - 1 units before the slash make 259. */
static void a_path_of_259_units_is_the_longest(void **state)
{
    (void)state;
    char folder[1024] = "/";

    strcpy(folder + 1, repeated("f", 251));
    assert_fits(folder, "d1.vhd");
    strcpy(folder + 1, repeated("f", 252));
    assert_too_long(folder, "d1.vhd");
    assert_fits(folder, "d.vhd");
}

static void the_path_is_measured_in_utf16_units(void **state)
{
    (void)state;
    char folder[2048] = "/";

    /* one unit each, two bytes or three */
    strcpy(folder + 1, repeated("\u00FC", 251));
    assert_fits(folder, "d1.vhd");
    strcpy(folder + 1, repeated("\u00FC", 252));
    assert_too_long(folder, "d1.vhd");
    strcpy(folder + 1, repeated("\uFFFD", 251));
    assert_fits(folder, "d1.vhd");

    /* beyond U+FFFF: two units each, in the folder and in the name */
    strcpy(folder + 1, repeated("\U0001F600", 125));
    assert_fits(folder, "d1.vhd");
    assert_fits(folder, "d12.vhd");
    assert_too_long(folder, "d123.vhd");
    assert_fits(folder, "\U0001F600.vhd");
    assert_fits(folder, "a\U0001F600.vhd");
    assert_too_long(folder, "\U0001F600\U0001F600.vhd");
}

/* Of the folder only the length counts. */
static void the_folder_is_not_judged(void **state)
{
    (void)state;
    assert_fits("/", "d1.vhd");
    assert_fits("/a:b*?/ .hidden/CON/x~", "d1.vhd");
    assert_fits("/\xFF\xFE", "d1.vhd");
}

/* A byte that is not UTF-8 is one unit, and none gets into the sentence. */
static void a_folder_that_is_not_utf8_is_measured(void **state)
{
    (void)state;
    char folder[1024] = "/";

    strcpy(folder + 1, repeated("\xFF", 251));
    assert_fits(folder, "d1.vhd");
    strcpy(folder + 1, repeated("\xFF", 252));
    assert_too_long(folder, "d1.vhd");
}

static void a_very_long_folder_is_named_in_one_sentence(void **state)
{
    (void)state;
    char folder[4096] = "/";

    strcpy(folder + 1, repeated("\u65E5", 1300));
    assert_too_long(folder, "d1.vhd");
    strcpy(folder + 1, repeated("\u00FC", 2000));
    assert_too_long(folder, "d1.vhd");
    strcpy(folder + 1, repeated("f", 4000));
    assert_too_long(folder, "d1.vhd");
}

static void assert_disk(const char *folder, const char *name, enum vhd_result result)
{
    struct vhd_verdict verdict;
    memset(&verdict, '#', sizeof verdict);
    assert_int_equal(vhd_name_judge_disk(folder, name, &verdict), result);
    if (result != VHD_OK) {
        assert_int_equal(verdict.result, result);
        assert_sentence(verdict.sentence);
    }
    assert_int_equal(vhd_name_judge_disk(folder, name, NULL), result);
}

static void a_disk_is_judged_by_characters_and_length(void **state)
{
    (void)state;
    const char *const good[] = {"a", "disk1", "a.vhd.b", "\U0001F600", "a b", "100%"};
    const char *const bad[] = {"",    ".a", "-a",  "a~",  "a.",   "a ",
                               "a/b", "..", "a:b", "NUL", "\xFF", "a.img"};

    for (size_t i = 0; i < LENGTH(good); i++)
        assert_disk("/s", good[i], VHD_OK);
    for (size_t i = 0; i < LENGTH(bad); i++)
        assert_disk("/s", bad[i], VHD_INVALID_NAME);
    assert_disk("/a:b*?/ .hidden/CON/x~", "a", VHD_OK);
}

/* The name gets its ending before it is measured. */
static void a_disk_is_measured_with_its_ending(void **state)
{
    (void)state;
    char folder[1024] = "/";

    assert_disk("/s", repeated("n", 251), VHD_OK);
    assert_disk("/s", repeated("n", 252), VHD_BUFFER_OVERFLOW);
    assert_disk("/s", repeated("n", 256), VHD_BUFFER_OVERFLOW);
    assert_disk("/s", repeated("n", 4000), VHD_BUFFER_OVERFLOW);
    assert_disk("/s", repeated("\u00FC", 125), VHD_OK);
    assert_disk("/s", repeated("\u00FC", 126), VHD_BUFFER_OVERFLOW);
    strcpy(folder + 1, repeated("f", 251));
    assert_disk(folder, "d1", VHD_OK);
    assert_disk(folder, "d12", VHD_BUFFER_OVERFLOW);
    assert_disk(folder, "\U0001F600", VHD_OK);
    assert_disk(folder, "a\U0001F600", VHD_BUFFER_OVERFLOW);
    strcpy(folder + 1, repeated("f", 248));
    assert_disk(folder, "a.dsk", VHD_OK); /* whose file is a.dsk.vhd */
    assert_disk(folder, "ab.dsk", VHD_BUFFER_OVERFLOW);
}

/* As the mount does, in the order of its checks. */
static void a_disks_length_is_judged_first(void **state)
{
    (void)state;
    char name[512] = ".";

    strcpy(name + 1, repeated("*", 300));
    assert_disk("/s", name, VHD_BUFFER_OVERFLOW);
    strcpy(name + 1, repeated("\xFF", 300));
    assert_disk("/s", name, VHD_BUFFER_OVERFLOW);
    strcpy(name + 1, repeated("*", 250));
    assert_disk("/s", name, VHD_INVALID_NAME);
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
        cmocka_unit_test(a_name_of_251_bytes_is_the_longest),
        cmocka_unit_test(the_file_name_is_measured_in_bytes),
        cmocka_unit_test(a_path_of_259_units_is_the_longest),
        cmocka_unit_test(the_path_is_measured_in_utf16_units),
        cmocka_unit_test(the_folder_is_not_judged),
        cmocka_unit_test(a_folder_that_is_not_utf8_is_measured),
        cmocka_unit_test(a_very_long_folder_is_named_in_one_sentence),
        cmocka_unit_test(a_disk_is_judged_by_characters_and_length),
        cmocka_unit_test(a_disk_is_measured_with_its_ending),
        cmocka_unit_test(a_disks_length_is_judged_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
