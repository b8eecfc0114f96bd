/*
 * If this failed, two daemons could own one store, or a store would stay locked when nobody has it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scratch.h"
#include "store/lock.h"

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

/* Others that open and close the lock file must not take the lock away, as POSIX locks would. */
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
    /* It is locked indeed: a writer beside it is refused. */
    CHILD_EXPECT(vhd_draft_lock(fd) < 0);
}

static void a_reader_makes_do_without_permission(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_writer_is_alone),
        SCRATCH_TEST(readers_share),
        SCRATCH_TEST(lasts_to_the_last_descriptor),
        SCRATCH_TEST(is_not_lost_to_a_stranger),
        SCRATCH_TEST(a_lock_file_that_is_none_is_refused),
        SCRATCH_TEST(a_reader_makes_do_without_permission),
        SCRATCH_TEST(a_draft_is_locked_once),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
