/* SPDX-License-Identifier: MIT */
/*
 * If this failed, two hosts could own one store at the same time and spoil its disks, or a
 * perfectly good store would be refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <cmocka.h>

#include "gate.h"
#include "scratch.h"
#include "sentence.h"
#include "store/store.h"
#include "store/volume.h"

static enum vhd_result judge(const char *path, struct vhd_verdict *ret)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    enum vhd_result result = vhd_store_judge_volume(fd, path, ret);
    assert_int_equal(vhd_store_judge_volume(fd, path, NULL), result);
    close(fd);
    return result;
}

static void accepts_plain_folders(void **state)
{
    struct vhd_verdict verdict;

    assert_int_equal(judge(*state, &verdict), VHD_OK);
    assert_int_equal(mkdir(scratch_path(*state, "inside"), 0777), 0);
    assert_int_equal(judge(scratch_path(*state, "inside"), &verdict), VHD_OK);
    assert_int_equal(judge("/", &verdict), VHD_OK);
    assert_int_equal(judge("/proc", &verdict), VHD_OK);
}

/* An unknown file system is accepted: no more is lost than before. */
static void accepts_an_unknown_file_system(void **state)
{
    struct vhd_verdict verdict;
    const char *path = scratch_path(*state, "removed");

    assert_int_equal(vhd_store_judge_volume(-1, "/nowhere", &verdict), VHD_OK);
    assert_int_equal(mkdir(path, 0777), 0);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(vhd_store_judge_volume(fd, path, &verdict), VHD_OK);
    close(fd);
}

static void judge_on_tmpfs(void *path)
{
    struct vhd_verdict verdict;

    child_mount(path, "size=1m");
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHILD_EXPECT(fd >= 0);
    CHILD_EXPECT(vhd_store_judge_volume(fd, path, &verdict) == VHD_OK);
    /* The mount over it is another, as is the folder below. */
    CHILD_EXPECT(mkdir(scratch_path(path, "sshfs - fuse.sshfs"), 0777) == 0);
    const char *odd = scratch_path(path, "sshfs - fuse.sshfs");
    CHILD_EXPECT(mount("none", odd, "tmpfs", 0, "size=1m") == 0);
    int odd_fd = open(odd, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHILD_EXPECT(odd_fd >= 0);
    CHILD_EXPECT(vhd_store_judge_volume(odd_fd, odd, &verdict) == VHD_OK);
    CHILD_EXPECT(vhd_store_judge_volume(fd, path, &verdict) == VHD_OK);
    close(odd_fd);
    close(fd);
}

/* Neither the place of a mount nor its neighbours decide its type. */
static void judges_the_mount_by_its_type(void **state)
{
    in_child(judge_on_tmpfs, *state);
}

/* A file system of a type of our choice, on the folder "volume". */
static struct {
    pid_t pid; /* 0 where none is served */
    char *path;
} bare;

static void serve_bare(void *arg)
{
    execl(getenv("VHD_BARE"), "bare", bare.path, (const char *)arg, NULL);
    _exit(127);
}

static bool is_fuse(const char *path)
{
    struct statfs attributes;
    return statfs(path, &attributes) == 0 && attributes.f_type == 0x65735546;
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

static void bare_begin(const char *folder, const char *subtype)
{
    if (!getenv("VHD_BARE") || access("/dev/fuse", R_OK | W_OK) < 0) {
        print_message("skipped: needs /dev/fuse, and VHD_BARE to name tests/tools/bare\n");
        skip();
    }
    bare.path = scratch_path(folder, "volume");
    mkdir(bare.path, 0777);
    bare.pid = child_begin(serve_bare, (void *)subtype);
    UNTIL(is_fuse(bare.path) || has_ended(bare.pid));
    if (!is_fuse(bare.path)) {
        assert_int_equal(child_end(bare.pid), 1);
        bare.pid = 0;
        print_message("skipped: no file system of FUSE can be mounted here\n");
        skip();
    }
}

static void bare_end(void)
{
    assert_int_equal(kill(bare.pid, SIGTERM), 0);
    assert_int_equal(child_end(bare.pid), 0);
    bare.pid = 0;
    assert_false(is_fuse(bare.path));
}

/* Also after a test that has failed: nothing stays mounted. */
static int end(void **state)
{
    if (bare.pid > 0) {
        kill(bare.pid, SIGKILL);
        waitpid(bare.pid, NULL, 0);
        umount2(bare.path, MNT_DETACH);
        bare.pid = 0;
    }
    return scratch_teardown(state);
}

static void refuses_types_whose_locks_do_not_hold(void **state)
{
    const char *const types[] = {"sshfs", "rclone"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct vhd_verdict verdict = {0};
        char type[32];
        bare_begin(*state, types[i]);
        assert_int_equal(judge(bare.path, &verdict), VHD_ACCESS_DENIED);
        assert_int_equal(verdict.result, VHD_ACCESS_DENIED);
        assert_sentence(verdict.sentence);
        snprintf(type, sizeof type, "fuse.%s", types[i]);
        assert_non_null(strstr(verdict.sentence, type));
        assert_non_null(strstr(verdict.sentence, bare.path));
        assert_non_null(strstr(verdict.sentence, "unsafe_store"));
        assert_int_equal(judge(*state, &verdict), VHD_OK); /* the folder around it */
        bare_end();
        assert_int_equal(judge(bare.path, &verdict), VHD_OK);
    }
}

static void accepts_other_types_of_fuse(void **state)
{
    const char *const types[] = {"vhdfs", "sshfs2", "ssh", "SSHFS"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct vhd_verdict verdict;
        bare_begin(*state, types[i]);
        assert_int_equal(judge(bare.path, &verdict), VHD_OK);
        bare_end();
    }
}

/* A writing owner is refused, unless it insists; a reader is accepted. */
static void only_a_writing_owner_is_refused(void **state)
{
    struct vhd_store *store = NULL;
    struct vhd_verdict verdict = {0};

    bare_begin(*state, "sshfs");
    assert_int_equal(vhd_store_open(bare.path, VHD_STORE_OWN, &store, &verdict), VHD_ACCESS_DENIED);
    assert_null(store);
    assert_non_null(strstr(verdict.sentence, "fuse.sshfs"));
    /* This one is read-only, which shows once its type is accepted. */
    assert_int_equal(vhd_store_open(bare.path, VHD_STORE_OWN | VHD_STORE_UNSAFE, &store, &verdict),
                     VHD_READ_ONLY);
    assert_null(store);
    const unsigned welcome[] = {0, VHD_STORE_OWN | VHD_STORE_READ_ONLY, VHD_STORE_READ_ONLY};
    for (size_t i = 0; i < sizeof welcome / sizeof *welcome; i++) {
        assert_int_equal(vhd_store_open(bare.path, welcome[i], &store, &verdict), VHD_OK);
        vhd_store_unref(store);
    }
    bare_end();
}

/* The magic numbers of statfs(2), which gives the type in another way. */
static void files_grow_as_their_file_system_does(void **state)
{
    struct statfs attributes;
    int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(fstatfs(fd, &attributes), 0);
    enum vhd_growth expected = VHD_GROWTH_ANY;
    if (attributes.f_type == 0x58465342)
        expected = VHD_GROWTH_XFS;
    else if (attributes.f_type == 0xEF53 && vhd_volume_growth(fd) != VHD_GROWTH_ANY)
        expected = VHD_GROWTH_EXT4; /* ext2 and ext3 have the same number */
    assert_int_equal(vhd_volume_growth(fd), expected);
    close(fd);
}

static void grow_on_tmpfs(void *path)
{
    child_mount(path, "size=1m");
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHILD_EXPECT(vhd_volume_growth(fd) == VHD_GROWTH_ANY);
    int file = openat(fd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    CHILD_EXPECT(vhd_volume_growth(file) == VHD_GROWTH_ANY);
    close(file);
    close(fd);
}

static void nothing_is_promised_of_other_file_systems(void **state)
{
    (void)state;
    assert_int_equal(vhd_volume_growth(-1), VHD_GROWTH_ANY);
    in_child(grow_on_tmpfs, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(accepts_plain_folders),
        SCRATCH_TEST(accepts_an_unknown_file_system),
        SCRATCH_TEST(judges_the_mount_by_its_type),
        SCRATCH_TEST(files_grow_as_their_file_system_does),
        SCRATCH_TEST(nothing_is_promised_of_other_file_systems),
        cmocka_unit_test_setup_teardown(refuses_types_whose_locks_do_not_hold, scratch_setup, end),
        cmocka_unit_test_setup_teardown(accepts_other_types_of_fuse, scratch_setup, end),
        cmocka_unit_test_setup_teardown(only_a_writing_owner_is_refused, scratch_setup, end),
    };
    return cmocka_run_group_tests_name("volume", tests, NULL, NULL);
}
