/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a line of fstab would not mount, a wrong option would be accepted, or the message
 * would not name the wrong word.
 */
#include "process/options.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "scratch.h"

/* One call and its output. */
struct call {
    enum fs_parsed parsed;
    struct fs_options options;
    char out[4096], err[4096];
};

/* Lead a stream to a file in memory. Returns a descriptor of the former one. */
static int stream_begin(FILE *stream)
{
    int memory = memfd_create("stream", MFD_CLOEXEC), former;

    fflush(stream);
    former = fcntl(fileno(stream), F_DUPFD_CLOEXEC, 3);
    assert_true(memory >= 0 && former >= 0);
    assert_true(dup2(memory, fileno(stream)) >= 0);
    close(memory);
    return former;
}

static void stream_end(FILE *stream, int former, char text[4096])
{
    fflush(stream);
    ssize_t len = pread(fileno(stream), text, 4095, 0);
    assert_true(len >= 0);
    text[len] = 0;
    assert_true(dup2(former, fileno(stream)) >= 0);
    close(former);
}

/* Parse a command line of these words; NULL ends them. To be freed by call_end(). */
static struct call *call_of(const char *const *words)
{
    struct call *call = calloc(1, sizeof *call);
    char *argv[32] = {strdup("vhdfs")};
    int argc = 1;

    assert_non_null(call);
    for (; *words; words++)
        argv[argc++] = strdup(*words);
    int out = stream_begin(stdout), err = stream_begin(stderr);
    call->parsed = fs_options_parse(argc, argv, &call->options);
    stream_end(stdout, out, call->out);
    stream_end(stderr, err, call->err);
    while (argc > 0)
        free(argv[--argc]);
    return call;
}

#define CALL(...) call_of((const char *const[]){__VA_ARGS__, NULL})

static void call_end(struct call *call)
{
    fs_options_free(&call->options);
    free(call);
}

/* Go on with the options; nothing was printed. */
static struct call *expect_run(struct call *call)
{
    if (call->parsed != FS_PARSED_RUN)
        print_error("%s\n", call->err);
    assert_int_equal(call->parsed, FS_PARSED_RUN);
    assert_string_equal(call->err, "");
    assert_string_equal(call->out, "");
    return call;
}

/* Refused with one line, and nothing else. */
static void expect_refusal(struct call *call, const char *sentence)
{
    char line[4096];

    snprintf(line, sizeof line, "vhdfs: %s\n", sentence);
    assert_int_equal(call->parsed, FS_PARSED_WRONG);
    assert_string_equal(call->err, line);
    assert_string_equal(call->out, "");
    call_end(call);
}

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

/* Is libfuse given this word, between commas or at an end of its options? */
static bool fuse_has(const struct call *call, const char *word)
{
    const struct fuse_args *args = &call->options.fuse;
    const size_t len = strlen(word);

    for (int i = 1; i < args->argc; i++) {
        if (strcmp(args->argv[i], word) == 0)
            return true;
        for (const char *at = args->argv[i]; (at = strstr(at, word)); at++) {
            const char before = at == args->argv[i] ? ',' : at[-1];
            if (before == ',' && (at[len] == ',' || at[len] == 0))
                return true;
        }
    }
    return false;
}

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
        cmocka_unit_test(a_descriptor_of_fuse_is_a_mountpoint),
        cmocka_unit_test(any_other_descriptor_is_refused),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
