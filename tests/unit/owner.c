/* SPDX-License-Identifier: MIT */
/*
 * If this failed, the refusal of a vhdfs would name another process or another folder, or it would
 * wait for an owner that is not ending.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "scratch.h"
#include "store/owner.h"

static void a_printed_line_is_read_back(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/mnt/v", "/a b\tc\nd", "/back\\slash\\040",
                                        "/\177\1x"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct vhd_owner owner = {.pid = 123}, back;
        char line[VHD_OWNER_LINE_SIZE];
        strcpy(owner.mountpoint, paths[i]);
        size_t len = vhd_owner_print(&owner, line);
        assert_int_equal(len, strlen(line));
        assert_ptr_equal(strchr(line, '\n'), line + len - 1);
        assert_true(vhd_owner_parse(line, &back));
        assert_int_equal(back.pid, 123);
        assert_string_equal(back.mountpoint, paths[i]);
    }
}

static void the_longest_path_has_a_line(void **state)
{
    (void)state;
    struct vhd_owner owner = {.pid = 999999999}, back;
    char line[VHD_OWNER_LINE_SIZE];

    memset(owner.mountpoint, ' ', sizeof owner.mountpoint - 1);
    vhd_owner_print(&owner, line);
    assert_true(vhd_owner_parse(line, &back));
    assert_string_equal(back.mountpoint, owner.mountpoint);
}

static void other_lines_name_nobody(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",       "\n",       "12\n",     "x /mnt\n",  "0 /mnt\n", "-1 /mnt\n",
        "1 /mnt", "1 /a b\n", "1 \\04\n", "1 \\09x\n", "1 /a\\\n", "1 \n",
    };
    struct vhd_owner owner;
    char long_line[VHD_OWNER_LINE_SIZE];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_false(vhd_owner_parse(lines[i], &owner));
    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line, "1 ", 2);
    memcpy(long_line + sizeof long_line - 2, "\n", 2);
    assert_false(vhd_owner_parse(long_line, &owner));
}

/* The id of the mount that a folder is on. */
static int mount_of(const char *path)
{
    struct statx found;
    assert_int_equal(statx(AT_FDCWD, path, 0, STATX_MNT_ID, &found), 0);
    return (int)found.stx_mnt_id;
}

static void a_mount_that_is_there_is_not_gone(void **state)
{
    (void)state;
    uint64_t token = 0, other = 0;

    assert_false(vhd_mount_token(-1, &token));
    assert_false(vhd_mount_token(INT_MAX, &token));
    assert_true(vhd_mount_token(mount_of("/proc"), &token));
    assert_true(token < VHD_MOUNT_TOKENS);
    assert_false(vhd_mount_is_gone(token));
    assert_true(vhd_mount_token(mount_of("/"), &other));
    assert_true(token != other);
}

static void a_mount_without_a_line_is_gone(void **state)
{
    (void)state;
    uint64_t token = 0;

    assert_true(vhd_mount_token(mount_of("/proc"), &token));
    assert_true(vhd_mount_is_gone(token ^ 0x3FFFFF));          /* another id */
    assert_true(vhd_mount_is_gone(token ^ UINT64_C(1) << 41)); /* the id is another mount's now */
}

static void a_mount_that_cannot_be_seen_from_here_proves_nothing(void **state)
{
    (void)state;
    uint64_t token = 0;

    assert_true(vhd_mount_token(mount_of("/proc"), &token));
    assert_false(vhd_mount_is_gone(token ^ 0x3FFFFF ^ UINT64_C(1) << 61));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_printed_line_is_read_back),
        cmocka_unit_test(the_longest_path_has_a_line),
        cmocka_unit_test(other_lines_name_nobody),
        cmocka_unit_test(a_mount_that_is_there_is_not_gone),
        cmocka_unit_test(a_mount_without_a_line_is_gone),
        cmocka_unit_test(a_mount_that_cannot_be_seen_from_here_proves_nothing),
    };
    return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
