/*
 * If this failed, a vhdfs would be refused in words about another process or another folder, or it
 * would wait for an owner that is not ending.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "scratch.h"
#include "store/owner.h"

static void a_line_brings_back_what_was_printed(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/mnt/v", "/a b\tc\nd", "/back\\slash\\040",
                                        "/\177\1x"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct vhd_owner owner, back;
        char line[VHD_OWNER_LINE_SIZE];
        vhd_owner_describe(paths[i], -1, &owner);
        size_t len = vhd_owner_print(&owner, line);
        assert_int_equal(len, strlen(line));
        assert_ptr_equal(strchr(line, '\n'), line + len - 1);
        assert_true(vhd_owner_parse(line, &back));
        assert_int_equal(back.pid, getpid());
        assert_string_equal(back.mountpoint, paths[i]);
        assert_string_equal(back.view, owner.view);
    }
}

static void the_longest_path_has_a_line(void **state)
{
    (void)state;
    struct vhd_owner owner, back;
    char path[PATH_MAX], line[VHD_OWNER_LINE_SIZE];

    memset(path, ' ', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = 0;
    vhd_owner_describe(path, INT_MAX, &owner);
    vhd_owner_print(&owner, line);
    assert_true(vhd_owner_parse(line, &back));
    assert_string_equal(back.mountpoint, path);
}

static void what_is_no_such_line_names_nobody(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "\n",
        "12",
        "x /mnt - - -",
        "0 /mnt - - -",
        "-1 /mnt - - -",
        "1 /mnt - -",
        "1 \\04 - - -",
        "1 \\09x - - -",
        "1 /mnt",
        "1 /a\\ - - -",
    };
    struct vhd_owner owner;
    char long_line[VHD_OWNER_LINE_SIZE];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_false(vhd_owner_parse(lines[i], &owner));
    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line, "1 ", 2);
    memcpy(long_line + sizeof long_line - 7, " - - -", 7);
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
    struct vhd_owner owner;

    vhd_owner_describe("/proc", mount_of("/proc"), &owner);
    assert_string_not_equal(owner.mount, "-");
    assert_false(vhd_owner_has_unmounted(&owner));
    snprintf(owner.device, sizeof owner.device, "0:0"); /* the id is another mount's by now */
    assert_true(vhd_owner_has_unmounted(&owner));
    snprintf(owner.mount, sizeof owner.mount, "%d", INT_MAX);
    assert_true(vhd_owner_has_unmounted(&owner));
}

static void a_mount_that_cannot_be_seen_from_here_proves_nothing(void **state)
{
    (void)state;
    struct vhd_owner owner;

    vhd_owner_describe("/mnt", INT_MAX, &owner);
    assert_false(vhd_owner_has_unmounted(&owner)); /* unknown from the start */
    snprintf(owner.mount, sizeof owner.mount, "%d", INT_MAX);
    assert_true(vhd_owner_has_unmounted(&owner));
    snprintf(owner.view, sizeof owner.view, "1:2:3");
    assert_false(vhd_owner_has_unmounted(&owner));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_brings_back_what_was_printed),
        cmocka_unit_test(the_longest_path_has_a_line),
        cmocka_unit_test(what_is_no_such_line_names_nobody),
        cmocka_unit_test(a_mount_that_is_there_is_not_gone),
        cmocka_unit_test(a_mount_that_cannot_be_seen_from_here_proves_nothing),
    };
    return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
