/* SPDX-License-Identifier: MIT */
/*
 * If this fails, the owner of a damaged image gets no sentence, or one that is cut, doubled or
 * spread over lines, so that scripts which read "info" fail.
 */
#include "format/defect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sentence.h"

static void every_defect_has_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < VHD_DEFECT_COUNT; a++) {
        const char *sentence = vhd_defect_sentence((enum vhd_defect)a);
        assert_sentence(sentence);
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(sentence, vhd_defect_sentence((enum vhd_defect)b));
        }
    }
}

/* Zeroed memory must mean "nothing found", not a defect. */
static void sound_is_zero(void **state)
{
    (void)state;
    assert_int_equal(VHD_SOUND, 0);
}

static void a_fault_without_figures_is_the_sentence(void **state)
{
    (void)state;
    for (int i = 0; i < VHD_DEFECT_COUNT; i++) {
        struct vhd_fault fault;
        memset(&fault, '#', sizeof fault);
        assert_int_equal(vhd_fault_set(&fault, (enum vhd_defect)i, NULL), i);
        assert_int_equal(fault.defect, i);
        assert_string_equal(fault.sentence, vhd_defect_sentence((enum vhd_defect)i));
    }
}

static void figures_stand_behind_a_colon(void **state)
{
    (void)state;
    struct vhd_fault fault;
    char expected[512];

    assert_int_equal(vhd_fault_set(&fault, VHD_BLOCK_SIZE, "%u bytes at %s", 513u, "544"),
                     VHD_BLOCK_SIZE);
    assert_int_equal(fault.defect, VHD_BLOCK_SIZE);
    snprintf(expected, sizeof expected, "%s: 513 bytes at 544",
             vhd_defect_sentence(VHD_BLOCK_SIZE));
    assert_string_equal(fault.sentence, expected);
}

static void a_place_stands_behind_all(void **state)
{
    (void)state;
    struct vhd_fault fault;
    char expected[512];

    vhd_fault_set(&fault, VHD_BLOCK_SIZE, "%u", 513u);
    vhd_fault_locate(&fault, UINT64_MAX);
    snprintf(expected, sizeof expected, "%s: 513, at byte 18446744073709551615",
             vhd_defect_sentence(VHD_BLOCK_SIZE));
    assert_string_equal(fault.sentence, expected);
    vhd_fault_set(&fault, VHD_HEADER_COOKIE, NULL);
    vhd_fault_locate(&fault, 512);
    snprintf(expected, sizeof expected, "%s: at byte 512", vhd_defect_sentence(VHD_HEADER_COOKIE));
    assert_string_equal(fault.sentence, expected);
}

/* No sentence leaves too little space for three 64-bit figures. */
static void there_is_room_for_figures(void **state)
{
    (void)state;
    for (int i = 0; i < VHD_DEFECT_COUNT; i++) {
        struct vhd_fault fault;
        vhd_fault_set(&fault, (enum vhd_defect)i, "%llu %llu %llu end", ~0ULL, ~0ULL, ~0ULL);
        assert_non_null(strstr(fault.sentence, " end"));
        assert_sentence(fault.sentence);
    }
}

static void too_many_figures_are_cut(void **state)
{
    (void)state;
    struct vhd_fault fault;
    char figures[1000];

    memset(figures, '7', sizeof figures - 1);
    figures[sizeof figures - 1] = '\0';
    memset(&fault, '#', sizeof fault);
    assert_int_equal(vhd_fault_set(&fault, VHD_FILE_TOO_SHORT, "%s", figures), VHD_FILE_TOO_SHORT);
    assert_int_equal(strnlen(fault.sentence, sizeof fault.sentence), sizeof fault.sentence - 1);
    assert_sentence(fault.sentence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_defect_has_a_sentence_of_its_own),
        cmocka_unit_test(sound_is_zero),
        cmocka_unit_test(a_fault_without_figures_is_the_sentence),
        cmocka_unit_test(figures_stand_behind_a_colon),
        cmocka_unit_test(a_place_stands_behind_all),
        cmocka_unit_test(there_is_room_for_figures),
        cmocka_unit_test(too_many_figures_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
