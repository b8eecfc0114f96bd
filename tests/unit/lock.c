/* SPDX-License-Identifier: MIT */
/*
 * If this failed, two daemons could own one store, or a store would stay locked without an owner.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "fast.h"
#include "scratch.h"
#include "store/lock.h"

/* The owner ends at this lock query, counted from 1; 0: it stays. */
static int ends_at;
static int *ending_fd;

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);

int __wrap_fcntl64(int fd, int command, ...)
{
    va_list args;

    va_start(args, command);
    void *arg = va_arg(args, void *);
    va_end(args);
    if (command == F_OFD_GETLK && ends_at > 0 && --ends_at == 0)
        close(*ending_fd);
    return __real_fcntl64(fd, command, arg);
}

static int open_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static int lock(int folder, bool is_read_only)
{
    struct vhd_verdict verdict;
    int fd = -2;
    assert_int_equal(vhd_store_lock(folder, "store", is_read_only, &fd, &verdict), VHD_OK);
    assert_true(fd >= 0);
    return fd;
}

static void refuses(int folder, bool is_read_only)
{
    struct vhd_verdict verdict;
    int fd = -2;
    assert_int_equal(vhd_store_lock(folder, "the-store", is_read_only, &fd, &verdict), VHD_IN_USE);
    assert_int_equal(fd, -2);
    assert_non_null(strstr(verdict.sentence, "the-store"));
}

static void a_writer_is_alone(void **state)
{
    int folder = open_folder(*state), writer = lock(folder, false);

    refuses(folder, false);
    refuses(folder, true);
    close(writer);
    writer = lock(folder, false); /* the file stays, the lock does not */
    assert_true(scratch_has(*state, VHD_LOCK_FILE));
    close(writer);
    close(folder);
}

static void readers_share(void **state)
{
    int folder = open_folder(*state), one = lock(folder, true), two = lock(folder, true);

    refuses(folder, false);
    close(one);
    refuses(folder, false);
    close(two);
    close(lock(folder, false));
    close(folder);
}

static void lasts_to_the_last_descriptor(void **state)
{
    int folder = open_folder(*state), writer = lock(folder, false), copy = dup(writer);

    close(writer);
    refuses(folder, false);
    close(copy);
    close(lock(folder, false));
    close(folder);
}

/*
 * Others that open and close the lock file must not end the lock, as they would with POSIX locks.
 */
static void is_not_lost_to_a_stranger(void **state)
{
    int folder = open_folder(*state), writer = lock(folder, false);
    int stranger = open(scratch_path(*state, VHD_LOCK_FILE), O_RDWR | O_CLOEXEC);

    assert_true(stranger >= 0);
    close(stranger);
    refuses(folder, false);
    close(writer);
    close(folder);
}

static void a_lock_file_that_is_none_is_refused(void **state)
{
    int folder = open_folder(*state), fd = -2;

    scratch_put(*state, "victim", "", 0);
    assert_int_equal(symlink("victim", scratch_path(*state, VHD_LOCK_FILE)), 0);
    assert_true(vhd_store_lock(folder, "store", false, &fd, NULL) != VHD_OK);
    assert_int_equal(fd, -2);
    assert_int_equal(unlink(scratch_path(*state, VHD_LOCK_FILE)), 0);
    assert_int_equal(mkdir(scratch_path(*state, VHD_LOCK_FILE), 0777), 0);
    assert_true(vhd_store_lock(folder, "store", false, &fd, NULL) != VHD_OK);
    assert_int_equal(fd, -2);
    close(folder);
}

static void lock_without_permission(void *arg)
{
    int folder = *(int *)arg, fd = -2;

    child_drop_root();
    CHILD_EXPECT(vhd_store_lock(folder, "store", false, &fd, NULL) == VHD_ACCESS_DENIED);
    CHILD_EXPECT(fd == -2);
    CHILD_EXPECT(vhd_store_lock(folder, "store", true, &fd, NULL) == VHD_OK);
    CHILD_EXPECT(fd == -1);
}

static void lock_with_read_permission(void *arg)
{
    int folder = *(int *)arg, fd = -2;

    child_drop_root();
    CHILD_EXPECT(vhd_store_lock(folder, "store", false, &fd, NULL) == VHD_ACCESS_DENIED);
    CHILD_EXPECT(vhd_store_lock(folder, "store", true, &fd, NULL) == VHD_OK);
    CHILD_EXPECT(fd >= 0);
    /* It holds the lock: a writer beside it is refused. */
    CHILD_EXPECT(vhd_draft_lock(fd) < 0);
}

static void a_reader_needs_no_permission_to_write(void **state)
{
    int folder = open_folder(*state);

    assert_int_equal(chmod(*state, 0555), 0);
    in_child(lock_without_permission, &folder);
    assert_int_equal(chmod(*state, 0755), 0);
    scratch_put(*state, VHD_LOCK_FILE, "", 0);
    assert_int_equal(chmod(scratch_path(*state, VHD_LOCK_FILE), 0444), 0);
    assert_int_equal(chmod(*state, 0555), 0);
    in_child(lock_with_read_permission, &folder);
    assert_int_equal(chmod(*state, 0755), 0);
    close(folder);
}

static void a_draft_is_locked_once(void **state)
{
    scratch_put(*state, "draft", "", 0);
    int one = open(scratch_path(*state, "draft"), O_RDWR | O_CLOEXEC);
    int two = open(scratch_path(*state, "draft"), O_RDWR | O_CLOEXEC);

    assert_true(one >= 0 && two >= 0);
    assert_int_equal(vhd_draft_lock(one), 0);
    assert_int_equal(vhd_draft_lock(one), 0);
    assert_int_equal(vhd_draft_lock(two), -EAGAIN);
    close(one);
    assert_int_equal(vhd_draft_lock(two), 0);
    close(two);
    assert_int_equal(vhd_draft_lock(-1), -EBADF);
}

/* The sentence of a refusal, and how long it took, in ms. */
static const char *refusal(int folder, struct vhd_verdict *verdict, int64_t *ret_ms)
{
    struct timespec start, end;
    int fd = -2;

    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(vhd_store_lock(folder, "the-store", false, &fd, verdict), VHD_IN_USE);
    clock_gettime(CLOCK_MONOTONIC, &end);
    *ret_ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    return verdict->sentence;
}

static void the_owner_is_named(void **state)
{
    int folder = open_folder(*state), writer = lock(folder, false);
    struct vhd_verdict verdict;
    char process[32];
    int64_t ms;

    assert_null(strstr(refusal(folder, &verdict, &ms), "process")); /* not mounted yet */
    vhd_store_lock_describe(writer, "/mnt/two words", -1, false);
    snprintf(process, sizeof process, "process %d,", (int)getpid());
    assert_non_null(strstr(refusal(folder, &verdict, &ms), process));
    assert_non_null(strstr(verdict.sentence, "/mnt/two words"));
    assert_true(ms < 1000);
    close(writer);

    /* The words of an owner that is gone do not describe the next one. */
    writer = lock(folder, false);
    assert_null(strstr(refusal(folder, &verdict, &ms), "process"));
    close(writer);
    close(folder);
}

static void end_later(void *arg)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    close(*(int *)arg);
}

static void an_owner_that_is_ending_is_waited_for(void **state)
{
    int folder = open_folder(*state), writer = lock(folder, false);

    vhd_store_lock_mark_ending(writer);
    vhd_store_lock_mark_ending(writer);
    pid_t child = child_begin(end_later, &writer);
    close(writer);
    writer = lock(folder, false);
    assert_int_equal(child_end(child), 0);

    /* The mark goes with its owner. */
    struct vhd_verdict verdict;
    int64_t ms;
    refusal(folder, &verdict, &ms);
    assert_true(ms < 1000);
    close(writer);
    close(folder);
}

struct mounted {
    const char *folder; /* of the store */
    const char *mountpoint;
    bool is_read_only;
};

/* An owner that loses its mount, and ends 200 ms later. It has its own mount namespace. */
static void unmount_and_end(void *arg)
{
    const struct mounted *mounted = arg;
    const bool is_read_only = mounted->is_read_only;
    struct statx found;
    int ends[2];
    char word;

    child_mount(mounted->mountpoint, "size=1m");
    CHILD_EXPECT(pipe(ends) == 0);
    CHILD_EXPECT(statx(AT_FDCWD, mounted->mountpoint, 0, STATX_MNT_ID, &found) == 0);
    pid_t owner = fork();
    if (owner == 0) {
        int fd = -1, folder = open(mounted->folder, O_RDONLY | O_DIRECTORY);
        CHILD_EXPECT(vhd_store_lock(folder, "s", is_read_only, &fd, NULL) == VHD_OK);
        vhd_store_lock_describe(fd, mounted->mountpoint, (int)found.stx_mnt_id, is_read_only);
        CHILD_EXPECT(write(ends[1], "x", 1) == 1);
        pause();
    }
    CHILD_EXPECT(read(ends[0], &word, 1) == 1);
    int fd = -1, folder = open(mounted->folder, O_RDONLY | O_DIRECTORY);
    CHILD_EXPECT(vhd_store_lock(folder, "s", false, &fd, NULL) == VHD_IN_USE);
    CHILD_EXPECT(umount2(mounted->mountpoint, 0) == 0);
    pid_t killer = fork();
    if (killer == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        kill(owner, SIGKILL);
        _exit(0);
    }
    CHILD_EXPECT(vhd_store_lock(folder, "s", false, &fd, NULL) == VHD_OK);
    CHILD_EXPECT(waitpid(owner, NULL, 0) == owner && waitpid(killer, NULL, 0) == killer);
}

static void an_owner_without_its_mount_is_waited_for(void **state)
{
    struct mounted mounted = {*state, scratch_path(*state, "mnt"), false};

    assert_int_equal(mkdir(mounted.mountpoint, 0777), 0);
    in_child(unmount_and_end, &mounted);
    mounted.is_read_only = true;
    in_child(unmount_and_end, &mounted);
}

static void a_reader_writes_nothing(void **state)
{
    int folder = open_folder(*state), reader = lock(folder, true);
    struct vhd_verdict verdict;
    struct stat attributes;
    int64_t ms;

    vhd_store_lock_describe(reader, "/mnt/v", -1, true);
    assert_int_equal(fstat(reader, &attributes), 0);
    assert_int_equal(attributes.st_size, 0);
    assert_non_null(strstr(refusal(folder, &verdict, &ms), "-o ro"));
    close(reader);
    close(folder);
}

static void an_owner_that_does_not_end_is_waited_for_5_s(void **state)
{
    int folder = open_folder(*state), writer = lock(folder, false);
    struct vhd_verdict verdict;
    int64_t ms;

    vhd_store_lock_mark_ending(writer);
    fast_begin();
    refusal(folder, &verdict, &ms);
    fast_end();
    assert_in_range(ms, 4900, 20000);
    close(writer);
    close(folder);
}

static void an_owner_that_ends_between_two_questions_is_gone(void **state)
{
    int folder = open_folder(*state);

    for (int is_marked = 0; is_marked <= 1; is_marked++) {
        /* An owner that stays costs 4 queries, a marked one any number. */
        for (int question = 1; question <= (is_marked ? 12 : 4); question++) {
            int writer = lock(folder, false), fd = -2;
            if (is_marked)
                vhd_store_lock_mark_ending(writer);
            ending_fd = &writer;
            ends_at = question;
            assert_int_equal(vhd_store_lock(folder, "store", false, &fd, NULL), VHD_OK);
            assert_int_equal(ends_at, 0);
            close(fd);
        }
    }
    close(folder);
}

static void distinguishes_another_program_from_a_vhdfs(void **state)
{
    int folder = open_folder(*state);

    close(lock(folder, false));
    for (off_t len = 0; len <= 1; len++) { /* 0: to the end of any file */
        struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = len};
        struct vhd_verdict verdict;
        int64_t ms;
        int stranger = open(scratch_path(*state, VHD_LOCK_FILE), O_RDONLY | O_CLOEXEC);
        assert_int_equal(fcntl(stranger, F_OFD_SETLK, &range), 0);
        assert_non_null(strstr(refusal(folder, &verdict, &ms), "another program holds a lock"));
        assert_non_null(strstr(verdict.sentence, "the-store/" VHD_LOCK_FILE));
        assert_true(ms < 1000);
        close(stranger);
    }
    close(lock(folder, false));
    close(folder);
}

static void nobody_else_may_open_the_file(void **state)
{
    int folder = open_folder(*state);
    struct stat attributes;

    mode_t mask = umask(0);
    close(lock(folder, false));
    umask(mask);
    assert_int_equal(stat(scratch_path(*state, VHD_LOCK_FILE), &attributes), 0);
    assert_int_equal(attributes.st_mode & 07777, 0600);
    assert_int_equal(chmod(scratch_path(*state, VHD_LOCK_FILE), 0644), 0);
    close(lock(folder, false));
    assert_int_equal(stat(scratch_path(*state, VHD_LOCK_FILE), &attributes), 0);
    assert_int_equal(attributes.st_mode & 07777, 0600);
    close(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_writer_is_alone),
        SCRATCH_TEST(readers_share),
        SCRATCH_TEST(lasts_to_the_last_descriptor),
        SCRATCH_TEST(is_not_lost_to_a_stranger),
        SCRATCH_TEST(a_lock_file_that_is_none_is_refused),
        SCRATCH_TEST(a_reader_needs_no_permission_to_write),
        SCRATCH_TEST(a_draft_is_locked_once),
        SCRATCH_TEST(the_owner_is_named),
        SCRATCH_TEST(an_owner_that_is_ending_is_waited_for),
        SCRATCH_TEST(an_owner_without_its_mount_is_waited_for),
        SCRATCH_TEST(a_reader_writes_nothing),
        SCRATCH_TEST(an_owner_that_does_not_end_is_waited_for_5_s),
        SCRATCH_TEST(an_owner_that_ends_between_two_questions_is_gone),
        SCRATCH_TEST(distinguishes_another_program_from_a_vhdfs),
        SCRATCH_TEST(nobody_else_may_open_the_file),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
