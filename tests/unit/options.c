/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a path of the command line or of fstab would lead elsewhere, or a mistake in it
 * would not be named.
 */
#include "process/options.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "command_line.h"
#include "scratch.h"

static void a_store_and_a_mountpoint_will_do(void **state)
{
    (void)state;
    struct call *call = expect_run(CALL("/vhdfs-s", "/vhdfs-m"));
    const struct fs_options *options = &call->options;

    assert_string_equal(options->store, "/vhdfs-s");
    assert_string_equal(options->mountpoint, "/vhdfs-m");
    assert_int_equal(options->given_fd, -1);
    assert_false(options->is_shared || options->is_foreground || options->is_read_only ||
                 options->is_unsafe_store);
    assert_false(options->has_uid || options->has_gid || options->has_umask);
    assert_int_equal(options->uid, geteuid());
    assert_int_equal(options->gid, getegid());
    assert_int_equal(options->user.uid, geteuid());
    assert_int_equal(options->umask, 0);
    assert_int_equal(options->history, 4096);
    assert_null(options->pidfile);
    assert_null(options->user_name);
    assert_true(fuse_has(call, "default_permissions"));
    assert_true(fuse_has(call, "subtype=vhdfs"));
    assert_true(fuse_has(call, "fsname=/vhdfs-s"));
    assert_false(fuse_has(call, "/vhdfs-s")); /* libfuse mounts nothing by itself */
    call_end(call);
}

static void options_stand_anywhere(void **state)
{
    (void)state;
    static const char *const lines[][6] = {
        {"-f", "-o", "ro", "/vhdfs-s", "/vhdfs-m", NULL},
        {"/vhdfs-s", "-o", "ro", "-f", "/vhdfs-m", NULL},
        {"/vhdfs-s", "/vhdfs-m", "-oro", "-f", NULL},
        {"/vhdfs-s", "/vhdfs-m", "-f", "-o", "rw,ro", NULL},
        {"-f", "-oro", "--", "/vhdfs-s", "/vhdfs-m", NULL},
    };

    for (size_t i = 0; i < 5; i++) {
        struct call *call = expect_run(call_of(lines[i]));
        assert_true(call->options.is_foreground && call->options.is_read_only);
        assert_string_equal(call->options.store, "/vhdfs-s");
        assert_string_equal(call->options.mountpoint, "/vhdfs-m");
        assert_true(fuse_has(call, "ro"));
        call_end(call);
    }
}

static void help_and_version_are_printed(void **state)
{
    (void)state;
    static const char *const words[] = {"-h", "--help", "-V", "--version"};

    for (size_t i = 0; i < 4; i++) {
        struct call *call = CALL(words[i]);
        assert_int_equal(call->parsed, FS_PARSED_DONE);
        assert_string_equal(call->err, "");
        assert_ptr_equal(strstr(call->out, i < 2 ? "usage: vhdfs STORE MOUNTPOINT" : "vhdfs "),
                         call->out);
        call_end(call);
    }
    struct call *call = CALL("/vhdfs-s", "/vhdfs-m", "-f", "--help");
    assert_int_equal(call->parsed, FS_PARSED_DONE);
    call_end(call);
}

/*
 * Paths.
 */

static void too_few_paths_are_answered_with_the_usage(void **state)
{
    (void)state;
    struct call *calls[] = {call_of((const char *const[]){NULL}), CALL("/vhdfs-s"),
                            CALL("-o", "ro"), CALL("--")};

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(calls[i]->parsed, FS_PARSED_WRONG);
        assert_ptr_equal(strstr(calls[i]->err, "usage: vhdfs STORE MOUNTPOINT"), calls[i]->err);
        assert_string_equal(calls[i]->out, "");
        call_end(calls[i]);
    }
}

static void a_path_too_many_is_named(void **state)
{
    (void)state;
    expect_refusal(CALL("/vhdfs-s", "/vhdfs-m", "third"),
                   "too many arguments: \"third\"; give one STORE and one MOUNTPOINT");
    expect_refusal(CALL("", "/vhdfs-m"), "STORE is empty; give the path of a folder");
    expect_refusal(CALL("/vhdfs-s", ""), "MOUNTPOINT is empty; give the path of a folder");
}

/* Names of files may begin with a dash. */
static void a_double_dash_ends_the_options(void **state)
{
    char *here = getcwd(NULL, 0), path[PATH_MAX];
    static const char *const names[] = {"-f", "-o", "--help", "--"};

    assert_non_null(here);
    assert_int_equal(chdir(*state), 0);
    for (size_t i = 0; i < 4; i++) {
        struct call *call = expect_run(CALL("-o", "ro", "--", "/vhdfs-s", names[i]));
        snprintf(path, sizeof path, "%s/%s", (const char *)*state, names[i]);
        assert_string_equal(call->options.store, "/vhdfs-s");
        assert_string_equal(call->options.mountpoint, path);
        assert_true(call->options.is_read_only);
        assert_false(call->options.is_foreground);
        assert_false(fuse_has(call, "--")); /* libfuse's own options follow */
        call_end(call);
    }
    assert_int_equal(chdir(here), 0);
    free(here);
}

static void paths_are_absolute_and_without_symlinks(void **state)
{
    char *here = getcwd(NULL, 0), path[PATH_MAX];

    assert_non_null(here);
    assert_int_equal(mkdir(scratch_path(*state, "real"), 0755), 0);
    assert_int_equal(symlink("real", scratch_path(*state, "link")), 0);
    assert_int_equal(chdir(*state), 0);

    struct call *call = expect_run(CALL("link", "./real/../new"));
    assert_string_equal(call->options.store, scratch_path(*state, "real"));
    assert_string_equal(call->options.mountpoint, scratch_path(*state, "new"));
    call_end(call);

    call = expect_run(CALL("link/new", "no/such/folder")); /* the second leads nowhere */
    assert_string_equal(call->options.store, scratch_path(*state, "real/new"));
    snprintf(path, sizeof path, "%s/no/such/folder", (const char *)*state);
    assert_string_equal(call->options.mountpoint, path);
    call_end(call);

    assert_int_equal(chdir(here), 0);
    free(here);
}

static void a_path_in_a_folder_that_is_gone_is_refused(void **state)
{
    char *here = getcwd(NULL, 0), *gone = scratch_path(*state, "gone");

    assert_non_null(here);
    assert_int_equal(mkdir(gone, 0755), 0);
    assert_int_equal(chdir(gone), 0);
    assert_int_equal(rmdir(gone), 0);
    expect_refusal(CALL("s", "/vhdfs-m"), "cannot tell where \"s\" is: the current folder is gone; "
                                          "give an absolute path");
    call_end(expect_run(CALL("/vhdfs-s", "/vhdfs-m")));
    assert_int_equal(chdir(here), 0);
    free(here);
}

static void store_and_mountpoint_lie_apart(void **state)
{
    (void)state;
    static const char *const inside[][2] = {
        {"/vhdfs-s", "/vhdfs-s"}, {"/vhdfs-s", "/vhdfs-s/m"}, {"/vhdfs-m/s/t", "/vhdfs-m"},
        {"/", "/vhdfs-m"},        {"/vhdfs-s", "/"},          {"/vhdfs-s/", "/vhdfs-s"},
    };

    for (size_t i = 0; i < 6; i++)
        expect_refusal(CALL(inside[i][0], inside[i][1]),
                       "STORE and MOUNTPOINT overlap; give two folders, neither inside the other");
    call_end(expect_run(CALL("/vhdfs", "/vhdfs-m"))); /* one name only begins as the other */
}

/* A comma in the path of the store begins no option. */
static void a_store_with_a_comma_is_one_word(void **state)
{
    (void)state;
    struct call *call = expect_run(CALL("/vhdfs-a,allow_other", "/vhdfs-m"));

    assert_string_equal(call->options.store, "/vhdfs-a,allow_other");
    assert_true(fuse_has(call, "fsname=/vhdfs-a\\,allow_other"));
    assert_false(call->options.is_shared);
    call_end(call);
}

/*
 * A mount that was given: /dev/fd/N.
 */

static void a_descriptor_of_fuse_is_a_mountpoint(void **state)
{
    (void)state;
    char path[32];
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        print_message("skipped: needs /dev/fuse\n");
        skip();
    }
    assert_true(fd > STDERR_FILENO);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    struct call *call = expect_run(CALL("/vhdfs-s", path, "-o", "rw"));
    assert_int_equal(call->options.given_fd, fd);
    assert_string_equal(call->options.mountpoint, path);
    assert_string_equal(call->options.store, "/vhdfs-s");
    call_end(call);

    char name[] = "vhdfs", store[] = "/vhdfs-s", option[] = "-f", other[] = "/dev/fd/0";
    assert_int_equal(fs_options_given_fd(4, (char *[]){name, store, path, option}), fd);
    assert_int_equal(fs_options_given_fd(4, (char *[]){name, path, other, option}), fd);
    assert_int_equal(fs_options_given_fd(3, (char *[]){name, store, other}), -1);
    assert_int_equal(fs_options_given_fd(1, (char *[]){path}), -1); /* the program's own name */
    assert_int_equal(fs_options_given_fd(0, NULL), -1);
    strcat(path, "x");
    assert_int_equal(fs_options_given_fd(3, (char *[]){name, store, path}), -1);
    close(fd);
}

static void any_other_descriptor_is_refused(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    char path[32], sentence[256];

    assert_true(fd >= 0);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    for (int i = 0; i < 2; i++) {
        snprintf(sentence, sizeof sentence,
                 "\"%s\" is no open descriptor of /dev/fuse above 2; give one that is mounted, or "
                 "the path of a folder",
                 path);
        expect_refusal(CALL("/vhdfs-s", path), sentence);
        strcpy(path, "/dev/fd/999");
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_and_a_mountpoint_will_do),
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(help_and_version_are_printed),
        cmocka_unit_test(too_few_paths_are_answered_with_the_usage),
        cmocka_unit_test(a_path_too_many_is_named),
        SCRATCH_TEST(a_double_dash_ends_the_options),
        SCRATCH_TEST(paths_are_absolute_and_without_symlinks),
        SCRATCH_TEST(a_path_in_a_folder_that_is_gone_is_refused),
        cmocka_unit_test(store_and_mountpoint_lie_apart),
        cmocka_unit_test(a_store_with_a_comma_is_one_word),
        cmocka_unit_test(a_descriptor_of_fuse_is_a_mountpoint),
        cmocka_unit_test(any_other_descriptor_is_refused),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
