/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a line of fstab would not mount, a wrong option would be accepted, or the message
 * would not name the wrong word.
 */
#include "process/options.h"

#include <limits.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "command_line.h"
#include "scratch.h"

/* The same with these options behind -o. */
static struct call *call_with(const char *list)
{
    return CALL("/vhdfs-s", "/vhdfs-m", "-o", list);
}

static void run_with(const char *list)
{
    call_end(expect_run(call_with(list)));
}

static void refuse_with(const char *list, const char *sentence)
{
    expect_refusal(call_with(list), sentence);
}

/*
 * Options.
 */

static void each_option_arrives(void **state)
{
    (void)state;
    struct call *call =
        expect_run(CALL("/vhdfs-s", "/vhdfs-m", "-f", "-o", "ro,uid=12,gid=34,umask=027", "-o",
                        "history=5,unsafe_store,pidfile=/p,allow_other"));
    const struct fs_options *options = &call->options;

    assert_true(options->is_read_only && options->is_unsafe_store && options->is_shared);
    assert_true(options->has_uid && options->has_gid && options->has_umask);
    assert_int_equal(options->uid, 12);
    assert_int_equal(options->gid, 34);
    assert_int_equal(options->umask, 027);
    assert_int_equal(options->history, 5);
    assert_string_equal(options->pidfile, "/p");
    assert_true(fuse_has(call, "allow_other"));
    assert_false(fuse_has(call, "unsafe_store")); /* libfuse would refuse a word of ours */
    assert_false(fuse_has(call, "history=5"));
    call_end(call);

    call = expect_run(CALL("/vhdfs-s", "/vhdfs-m", "-d"));
    assert_true(call->options.is_foreground);
    assert_true(fuse_has(call, "-d"));
    call_end(call);
}

static void the_last_of_several_values_counts(void **state)
{
    (void)state;
    struct call *call =
        expect_run(CALL("/vhdfs-s", "/vhdfs-m", "-o", "uid=1,umask=7,history=1,pidfile=a,uid=2",
                        "-o", "umask=70,history=2,pidfile=b"));

    assert_int_equal(call->options.uid, 2);
    assert_int_equal(call->options.umask, 070);
    assert_int_equal(call->options.history, 2);
    assert_string_equal(call->options.pidfile, "b");
    call_end(call);
}

static void an_unknown_option_is_named_alone(void **state)
{
    (void)state;
    refuse_with("ro,bogus,uid=1", "unknown option \"bogus\"; vhdfs --help lists the options");
    refuse_with("bogus=1", "unknown option \"bogus=1\"; vhdfs --help lists the options");
    refuse_with("rwx", "unknown option \"rwx\"; vhdfs --help lists the options");
    refuse_with("RO", "unknown option \"RO\"; vhdfs --help lists the options");
    refuse_with("fsname=x", "unknown option \"fsname=x\"; vhdfs --help lists the options");
    refuse_with("max_read=1", "unknown option \"max_read=1\"; vhdfs --help lists the options");
    expect_refusal(CALL("/vhdfs-s", "/vhdfs-m", "-x"),
                   "unknown option \"-x\"; vhdfs --help lists the options");
    expect_refusal(CALL("--bogus", "/vhdfs-s", "/vhdfs-m"),
                   "unknown option \"--bogus\"; vhdfs --help lists the options");
    refuse_with("remount", "vhdfs cannot remount; unmount and mount again");
    refuse_with("pidfile=", "pidfile= is empty; give the path of a file");
}

static void an_option_without_its_words_is_refused(void **state)
{
    (void)state;
    static const char sentence[] = "-o needs options after it, such as -o ro,umask=077";

    expect_refusal(CALL("/vhdfs-s", "/vhdfs-m", "-o"), sentence);
    expect_refusal(CALL("-o"), sentence);
    expect_refusal(CALL("/vhdfs-s", "/vhdfs-m", "-o", "ro", "-o"), sentence);
}

/* Source: mount(8), "Filesystem-independent mount options". */
static void words_of_mount_are_accepted(void **state)
{
    (void)state;
    static const char *const passed[] = {
        "rw",      "dev",  "nodev", "suid",    "nosuid",      "exec",          "noexec",
        "noatime", "sync", "async", "dirsync", "context=a:b", "rootcontext=x",
    };
    static const char *const ignored[] = {
        "defaults", "auto",       "noauto",   "nofail",     "_netdev",     "user",
        "nouser",   "users",      "owner",    "group",      "comment=abc", "x-systemd.automount",
        "X-mount",  "nodiratime", "relatime", "norelatime", "strictatime", "lazytime",
        "silent",   "loud",       "iversion", "noiversion", "nolazytime",  "auto_unmount",
    };

    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        struct call *call = expect_run(call_with(passed[i]));
        assert_true(fuse_has(call, passed[i]));
        call_end(call);
    }
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        struct call *call = expect_run(call_with(ignored[i]));
        assert_false(fuse_has(call, ignored[i]));
        assert_null(call->options.user_name);
        call_end(call);
    }
    /* A whole line of fstab, with a comma too many. */
    run_with("rw,,nosuid,nodev,noauto,user,x-gvfs-show,comment=a b,");
}

static void an_owner_is_a_name_or_a_number(void **state)
{
    (void)state;
    struct call *call = expect_run(call_with("uid=root,gid=root"));
    assert_true(call->options.has_uid && call->options.has_gid);
    assert_int_equal(call->options.uid, 0);
    assert_int_equal(call->options.gid, 0);
    call_end(call);

    call = expect_run(call_with("uid=4294967294"));
    assert_int_equal(call->options.uid, 4294967294);
    assert_int_equal(call->options.gid, getegid());
    assert_true(call->options.has_uid && !call->options.has_gid);
    call_end(call);

    static const char *const wrong[] = {"",   "-1",           "4294967295",          "4294967296",
                                        "1x", "no-such-name", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char list[64], sentence[128];
        snprintf(list, sizeof list, "ro,uid=%s,rw", wrong[i]);
        snprintf(sentence, sizeof sentence,
                 "uid=%s: there is no such user; give a name or a number", wrong[i]);
        refuse_with(list, sentence);
    }
    refuse_with("gid=no-such-name",
                "gid=no-such-name: there is no such group; give a name or a number");
}

static void a_umask_is_octal(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        mode_t expected;
    } right[] = {{"umask=0", 0}, {"umask=22", 022}, {"umask=0777", 0777}, {"umask=00077", 077}};
    static const char *const wrong[] = {"umask=",   "umask=8",  "umask=1000", "umask=-1",
                                        "umask=+1", "umask= 7", "umask=0x1",  "umask=u=rwx"};
    char sentence[128];

    for (size_t i = 0; i < 4; i++) {
        struct call *call = expect_run(call_with(right[i].option));
        assert_true(call->options.has_umask);
        assert_int_equal(call->options.umask, right[i].expected);
        call_end(call);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(sentence, sizeof sentence, "%s is not valid; give an octal number from 0 to 777",
                 wrong[i]);
        refuse_with(wrong[i], sentence);
    }
}

static void a_history_has_at_least_one(void **state)
{
    (void)state;
    static const char *const wrong[] = {"history=",   "history=0",  "history=4294967296",
                                        "history=-1", "history=1k", "history=0x10"};
    char sentence[128];

    struct call *call = expect_run(call_with("history=1"));
    assert_int_equal(call->options.history, 1);
    call_end(call);
    call = expect_run(call_with("history=4294967295"));
    assert_int_equal(call->options.history, UINT_MAX);
    call_end(call);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(sentence, sizeof sentence, "%s is not valid; give a number from 1 to 4294967295",
                 wrong[i]);
        refuse_with(wrong[i], sentence);
    }
}

/*
 * Users.
 */

static void files_belong_to_the_user_that_it_runs_as(void **state)
{
    (void)state;
    const struct passwd *self = getpwuid(geteuid());
    char list[64];

    if (!self) {
        print_message("skipped: this user has no name\n");
        skip();
    }
    snprintf(list, sizeof list, "user=%s", self->pw_name);
    const gid_t gid = self->pw_gid;
    struct call *call = expect_run(call_with(list));
    assert_string_equal(call->options.user_name, list + 5);
    assert_int_equal(call->options.user.uid, geteuid());
    assert_int_equal(call->options.uid, geteuid());
    assert_int_equal(call->options.gid, gid);
    assert_false(call->options.has_uid);
    call_end(call);
    refuse_with("user=no-such-name",
                "user=no-such-name: there is no such user; give the name of one");
    refuse_with("user=", "user=: there is no such user; give the name of one");
}

static void call_as_nobody(void *arg)
{
    (void)arg;
    child_drop_root();
    const char *const words[] = {"/vhdfs-s", "/vhdfs-m", "-o", "user=root", NULL};
    struct call *call = call_of(words);
    CHILD_EXPECT(call->parsed == FS_PARSED_WRONG);
    CHILD_EXPECT(strcmp(call->err, "vhdfs: user=root: only root may run vhdfs as another user\n") ==
                 0);
    call_end(call);
}

static void only_root_runs_as_another_user(void **state)
{
    (void)state;
    in_child(call_as_nobody, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_arrives),
        cmocka_unit_test(the_last_of_several_values_counts),
        cmocka_unit_test(an_unknown_option_is_named_alone),
        cmocka_unit_test(an_option_without_its_words_is_refused),
        cmocka_unit_test(words_of_mount_are_accepted),
        cmocka_unit_test(an_owner_is_a_name_or_a_number),
        cmocka_unit_test(a_umask_is_octal),
        cmocka_unit_test(a_history_has_at_least_one),
        cmocka_unit_test(files_belong_to_the_user_that_it_runs_as),
        cmocka_unit_test(only_root_runs_as_another_user),
    };
    return cmocka_run_group_tests_name("options_words", tests, NULL, NULL);
}
