/* SPDX-License-Identifier: MIT */
/*
 * If this fails, scripts get an errno or an HRESULT with another meaning, or a message that is cut
 * or spread over lines.
 */
#include "result/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentence.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* Typed from Microsoft's pages, so that a slip in the library's table shows. */
static const struct {
    enum vhd_result result;
    const char *name;
    uint32_t hresult;
    int err;
    const char *err_name;
} expected[] = {
    {VHD_OK, "S_OK", 0x00000000, 0, "-"},
    {VHD_PENDING, "E_PENDING", 0x8000000A, 0, "-"},
    {VHD_NULL_POINTER, "E_POINTER", 0x80004003, EFAULT, "EFAULT"},
    {VHD_INVALID_ARGUMENT, "E_INVALIDARG", 0x80070057, EINVAL, "EINVAL"},
    {VHD_BAD_PATHNAME, "E_BAD_PATHNAME", 0x800700A1, EINVAL, "EINVAL"},
    {VHD_INVALID_NAME, "E_INVALID_NAME", 0x8007007B, EINVAL, "EINVAL"},
    {VHD_BUFFER_OVERFLOW, "E_BUFFER_OVERFLOW", 0x8007006F, ENAMETOOLONG, "ENAMETOOLONG"},
    {VHD_FILE_NOT_FOUND, "E_FILE_NOT_FOUND", 0x80070002, ENOENT, "ENOENT"},
    {VHD_PATH_NOT_FOUND, "E_PATH_NOT_FOUND", 0x80070003, ENOENT, "ENOENT"},
    {VHD_SIZE_TOO_SMALL, "VM_E_IMAGE_SIZE_TOO_SMALL", 0xA0040684, ERANGE, "ERANGE"},
    {VHD_SIZE_TOO_LARGE, "VM_E_IMAGE_SIZE_TOO_LARGE", 0xA0040683, ERANGE, "ERANGE"},
    {VHD_FILE_TOO_LARGE, "VM_E_FILE_TOO_LARGE_FOR_VOLUME", 0xA0040679, EFBIG, "EFBIG"},
    {VHD_DISK_FULL, "E_DISK_FULL", 0x80070070, ENOSPC, "ENOSPC"},
    {VHD_ALREADY_EXISTS, "E_ALREADY_EXISTS", 0x800700B7, EEXIST, "EEXIST"},
    {VHD_IN_USE, "E_SHARING_VIOLATION", 0x80070020, EBUSY, "EBUSY"},
    {VHD_WRONG_TYPE, "VM_E_WRONG_HD_IMAGE_TYPE", 0xA004067B, EOPNOTSUPP, "EOPNOTSUPP"},
    {VHD_NOT_A_DISK, "VM_E_INVALID_HD_FILE", 0xA0040682, EUCLEAN, "EUCLEAN"},
    {VHD_PARENT_LOST, "VM_E_PARENT_PATH_NOT_FOUND", 0xA0040677, EUCLEAN, "EUCLEAN"},
    {VHD_PARENT_NOT_FOUND, "VM_E_PARENT_PATH_NOT_FOUND", 0xA0040677, ENOENT, "ENOENT"},
    {VHD_PARENT_IDENTITY, "VM_E_PARENT_CHILD_ID_MISMATCH", 0xA0040685, EUCLEAN, "EUCLEAN"},
    {VHD_PARENT_MODIFIED, "VM_E_PARENT_MODIFIED", 0xA0040687, EUCLEAN, "EUCLEAN"},
    {VHD_ENDED, "E_FAIL", 0x80004005, ESRCH, "ESRCH"},
    {VHD_READ_ONLY, "VM_E_FILE_READ_ONLY", 0xA004067A, EROFS, "EROFS"},
    {VHD_ACCESS_DENIED, "E_ACCESSDENIED", 0x80070005, EACCES, "EACCES"},
    {VHD_CANCELLED, "E_ABORT", 0x80004004, ECANCELED, "ECANCELED"},
    {VHD_SHUTTING_DOWN, "VM_E_APP_SHUTTING_DOWN", 0xA0040209, ESHUTDOWN, "ESHUTDOWN"},
    {VHD_OUT_OF_MEMORY, "E_OUTOFMEMORY", 0x8007000E, ENOMEM, "ENOMEM"},
    {VHD_QUOTA_EXCEEDED, "E_DISK_FULL", 0x80070070, EDQUOT, "EDQUOT"},
    {VHD_NO_DESCRIPTORS, "E_OUTOFMEMORY", 0x8007000E, EMFILE, "EMFILE"},
    {VHD_CHAIN_ENDLESS, "VM_E_INVALID_HD_FILE", 0xA0040682, ELOOP, "ELOOP"},
    {VHD_ACCESS_FAILED, "VM_E_HD_IMAGE_ACCESS", 0xA0040681, EIO, "EIO"},
    {VHD_NOT_PERMITTED, "E_NOT_SUPPORTED", 0x80070032, EPERM, "EPERM"},
    {VHD_NOT_EMPTY, "E_DIR_NOT_EMPTY", 0x80070091, ENOTEMPTY, "ENOTEMPTY"},
    {VHD_NO_FORMATTER, "E_NOTIMPL", 0x80004001, EOPNOTSUPP, "EOPNOTSUPP"},
    {VHD_UNEXPECTED, "DISP_E_EXCEPTION", 0x80020009, EIO, "EIO"},
};

static void every_outcome_has_its_numbers(void **state)
{
    (void)state;
    assert_int_equal(LENGTH(expected), VHD_OUTCOME_COUNT);
    for (size_t i = 0; i < LENGTH(expected); i++) {
        const struct vhd_outcome *outcome = vhd_outcome(expected[i].result);
        assert_string_equal(outcome->name, expected[i].name);
        assert_int_equal(outcome->hresult, expected[i].hresult);
        assert_int_equal(outcome->err, expected[i].err);
        assert_string_equal(outcome->err_name, expected[i].err_name);
        assert_sentence(outcome->sentence);
    }
}

static void no_two_outcomes_are_the_same(void **state)
{
    (void)state;
    for (int a = 0; a < VHD_OUTCOME_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            const struct vhd_outcome *one = vhd_outcome((enum vhd_result)a);
            const struct vhd_outcome *other = vhd_outcome((enum vhd_result)b);
            /* Some share a code and differ by errno: Windows has one for a full disk and a quota.
             */
            assert_int_equal(strcmp(one->name, other->name) == 0, one->hresult == other->hresult);
            assert_true(one->hresult != other->hresult || one->err != other->err);
            assert_string_not_equal(one->sentence, other->sentence);
        }
    }
}

static void host_failures_become_outcomes(void **state)
{
    (void)state;
    const struct {
        int err;
        enum vhd_result result;
    } cases[] = {
        {ENOENT, VHD_PATH_NOT_FOUND}, {ENOTDIR, VHD_PATH_NOT_FOUND},
        {EEXIST, VHD_ALREADY_EXISTS}, {ENAMETOOLONG, VHD_BUFFER_OVERFLOW},
        {ENOSPC, VHD_DISK_FULL},      {EDQUOT, VHD_QUOTA_EXCEEDED},
        {EFBIG, VHD_FILE_TOO_LARGE},  {EBUSY, VHD_IN_USE},
        {ETXTBSY, VHD_IN_USE},        {EROFS, VHD_READ_ONLY},
        {EACCES, VHD_ACCESS_DENIED},  {ENOMEM, VHD_OUT_OF_MEMORY},
        {ECANCELED, VHD_CANCELLED},   {ESHUTDOWN, VHD_SHUTTING_DOWN},
        {EMFILE, VHD_NO_DESCRIPTORS}, {ENFILE, VHD_NO_DESCRIPTORS},
        {ELOOP, VHD_PATH_NOT_FOUND},  {ENOTEMPTY, VHD_NOT_EMPTY},
        {EIO, VHD_UNEXPECTED},        {EINVAL, VHD_UNEXPECTED},
        {ENOSYS, VHD_UNEXPECTED},     {ESTALE, VHD_UNEXPECTED},
        {EAGAIN, VHD_UNEXPECTED},     {EINTR, VHD_UNEXPECTED},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        assert_int_equal(vhd_result_of_errno(cases[i].err), cases[i].result);
        assert_int_equal(vhd_result_of_errno(-cases[i].err), cases[i].result);
    }
}

/* Callers treat these four in their own way, so no verdict may have them. */
static void no_failure_is_answered_as_success_or_as_try_again(void **state)
{
    (void)state;
    for (int err = 1; err < 200; err++) {
        int answer = vhd_outcome(vhd_result_of_errno(err))->err;
        assert_int_not_equal(answer, 0);
        assert_int_not_equal(answer, EAGAIN);
        assert_int_not_equal(answer, EINTR);
        assert_int_not_equal(answer, ENOSYS);
        assert_int_not_equal(answer, ESTALE);
    }
}

static void a_verdict_has_a_sentence(void **state)
{
    (void)state;
    struct vhd_verdict verdict;

    memset(&verdict, '#', sizeof verdict);
    assert_int_equal(vhd_verdict_set(&verdict, VHD_DISK_FULL, "%s needs %d MB", "d1", 8),
                     VHD_DISK_FULL);
    assert_int_equal(verdict.result, VHD_DISK_FULL);
    assert_string_equal(verdict.sentence, "d1 needs 8 MB");
}

static void without_a_format_it_is_the_sentence_of_the_table(void **state)
{
    (void)state;
    for (int i = 0; i < VHD_OUTCOME_COUNT; i++) {
        struct vhd_verdict verdict;
        enum vhd_result result = (enum vhd_result)i;
        memset(&verdict, '#', sizeof verdict);
        assert_int_equal(vhd_verdict_set(&verdict, result, NULL), result);
        assert_int_equal(verdict.result, result);
        assert_string_equal(verdict.sentence, vhd_outcome(result)->sentence);
    }
}

static void the_sentence_may_be_left_out(void **state)
{
    (void)state;
    assert_int_equal(vhd_verdict_set(NULL, VHD_IN_USE, NULL), VHD_IN_USE);
    assert_int_equal(vhd_verdict_set(NULL, VHD_IN_USE, "%s", "in use"), VHD_IN_USE);
    assert_int_equal(vhd_verdict_errno(NULL, ENOSPC, "writing %s", "x"), VHD_DISK_FULL);
}

/* A line end in a name must not forge a second line of status. */
static void control_bytes_are_made_visible(void **state)
{
    (void)state;
    struct vhd_verdict verdict;

    vhd_verdict_set(&verdict, VHD_INVALID_NAME, "a\nb\r\nc\td\x1B[1m\x7F%s", "\x01\n");
    assert_string_equal(verdict.sentence, "a?b??c?d?[1m???");
    vhd_verdict_set(&verdict, VHD_INVALID_NAME, "\xC3\xBC\xF0\x9F\x98\x80");
    assert_string_equal(verdict.sentence, "\xC3\xBC\xF0\x9F\x98\x80");
}

/* Readers of the status decode it as UTF-8; an invalid byte stops some of them. */
static void bytes_that_are_not_utf8_do_not_get_into_a_sentence(void **state)
{
    (void)state;
    const char *const bad[] = {"\xFF", "a\x80z", "\xC0\xAF", "\xED\xA0\x80", "z\xE2\x82"};

    for (size_t i = 0; i < LENGTH(bad); i++) {
        struct vhd_verdict verdict;
        vhd_verdict_set(&verdict, VHD_INVALID_ARGUMENT, "\"%s\" is no option", bad[i]);
        assert_sentence(verdict.sentence);
        vhd_verdict_errno(&verdict, ENOSPC, "making %s", bad[i]);
        assert_sentence(verdict.sentence);
    }
}

static void a_long_sentence_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    const char *const characters[] = {"a", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

    for (size_t i = 0; i < LENGTH(characters); i++) {
        size_t len = strlen(characters[i]);
        for (size_t lead = 0; lead < 4; lead++) {
            char text[2 * VHD_SENTENCE_SIZE] = "xxx";
            for (size_t at = lead; at < sizeof text - 8; at += len) {
                memcpy(text + at, characters[i], len);
            }
            struct vhd_verdict verdict;
            memset(&verdict, '#', sizeof verdict);
            vhd_verdict_set(&verdict, VHD_UNEXPECTED, "%s", text);

            size_t kept = strnlen(verdict.sentence, sizeof verdict.sentence);
            assert_in_range(kept, VHD_SENTENCE_SIZE - 1 - 2 * 4, VHD_SENTENCE_SIZE - 1);
            assert_int_equal((kept - lead) % len, 0);
            assert_memory_equal(verdict.sentence, text, kept);
        }
    }
}

static void the_longest_sentence_that_fits_is_not_cut(void **state)
{
    (void)state;
    char text[VHD_SENTENCE_SIZE];
    struct vhd_verdict verdict;

    memset(text, 'x', sizeof text - 1);
    memcpy(text + sizeof text - 3, "\xC3\xBC", 3);
    vhd_verdict_set(&verdict, VHD_UNEXPECTED, "%s", text);
    assert_string_equal(verdict.sentence, text);
}

static void a_host_failure_names_the_failed_step(void **state)
{
    (void)state;
    const int errs[] = {ENOSPC, -ENOSPC};
    char wanted[256];
    snprintf(wanted, sizeof wanted, "making /s/d1.vhd: %s; free some space and try again",
             strerror(ENOSPC));

    for (size_t i = 0; i < LENGTH(errs); i++) {
        struct vhd_verdict verdict;
        memset(&verdict, '#', sizeof verdict);
        assert_int_equal(vhd_verdict_errno(&verdict, errs[i], "making %s/%s.vhd", "/s", "d1"),
                         VHD_DISK_FULL);
        assert_int_equal(verdict.result, VHD_DISK_FULL);
        assert_string_equal(verdict.sentence, wanted);
    }
}

static void a_host_failure_stays_one_line(void **state)
{
    (void)state;
    struct vhd_verdict verdict;
    char text[2 * VHD_SENTENCE_SIZE];

    vhd_verdict_errno(&verdict, EACCES, "opening %s", "a\nb");
    assert_ptr_equal(strstr(verdict.sentence, "opening a?b: "), verdict.sentence);

    for (size_t lead = 0; lead < 2; lead++) {
        memset(text, 'x', sizeof text);
        for (size_t at = lead; at < sizeof text - 3; at += 2) {
            memcpy(text + at, "\xC3\xBC", 3);
        }
        memset(&verdict, '#', sizeof verdict);
        assert_int_equal(vhd_verdict_errno(&verdict, EACCES, "%s", text), VHD_ACCESS_DENIED);
        assert_in_range(strnlen(verdict.sentence, sizeof verdict.sentence), 1,
                        VHD_SENTENCE_SIZE - 1);
        assert_sentence(verdict.sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_numbers),
        cmocka_unit_test(no_two_outcomes_are_the_same),
        cmocka_unit_test(host_failures_become_outcomes),
        cmocka_unit_test(no_failure_is_answered_as_success_or_as_try_again),
        cmocka_unit_test(a_verdict_has_a_sentence),
        cmocka_unit_test(without_a_format_it_is_the_sentence_of_the_table),
        cmocka_unit_test(the_sentence_may_be_left_out),
        cmocka_unit_test(control_bytes_are_made_visible),
        cmocka_unit_test(bytes_that_are_not_utf8_do_not_get_into_a_sentence),
        cmocka_unit_test(a_long_sentence_is_cut_at_a_whole_character),
        cmocka_unit_test(the_longest_sentence_that_fits_is_not_cut),
        cmocka_unit_test(a_host_failure_names_the_failed_step),
        cmocka_unit_test(a_host_failure_stays_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
