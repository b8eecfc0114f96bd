/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a disk would get a name or a path that is too long for Windows, or a good name
 * would be refused as too long.
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
