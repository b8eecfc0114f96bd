/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a disk would be read or written through the file of another one, or an open would
 * disturb a program that uses the image.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "folder.h"
#include "scratch.h"
#include "store/lock.h"
#include "store/store.h"

/* This open neither waits for the writer of a FIFO nor follows a symlink. */
static void opens_a_file_without_lock(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder, 0);
    struct stat attributes;
    char buf[8];

    scratch_put(*state, "outside.vhd", "", 0);
    scratch_put(folder, "a.vhd", "12345", 5);
    assert_int_equal(symlink("../outside.vhd", scratch_path(folder, "link.vhd")), 0);
    assert_int_equal(mkfifo(scratch_path(folder, "fifo.vhd"), 0666), 0);
    assert_int_equal(vhd_store_open_unlocked(store, "none.vhd"), -ENOENT);
    assert_int_equal(vhd_store_open_unlocked(store, "link.vhd"), -ELOOP);
    int fifo = vhd_store_open_unlocked(store, "fifo.vhd");
    assert_true(fifo >= 0);
    close(fifo);

    int fd = vhd_store_open_unlocked(store, "a.vhd");
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(read(fd, buf, sizeof buf), 5);
    assert_int_equal(fstat(fd, &attributes), 0);
    assert_int_equal(attributes.st_size, 5);
    close(fd);
    vhd_store_unref(store);
}

static void open_without_permission(void *store)
{
    child_drop_root();
    CHILD_EXPECT(vhd_store_open_unlocked(store, "a.vhd") == -EACCES);
}

static void reports_missing_permission_to_open(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    scratch_put(*state, "a.vhd", "", 0);
    assert_int_equal(chmod(scratch_path(*state, "a.vhd"), 0), 0);
    in_child(open_without_permission, store);
    vhd_store_unref(store);
}

/* No lock is taken, so other users of the image are not disturbed. */
static void an_unlocked_open_disturbs_nobody(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    scratch_put(*state, "a.vhd", "12345", 5);
    int user = open(scratch_path(*state, "a.vhd"), O_RDWR | O_CLOEXEC);
    assert_true(user >= 0);
    assert_int_equal(vhd_draft_lock(user), 0);
    int unlocked = vhd_store_open_unlocked(store, "a.vhd");
    assert_true(unlocked >= 0);
    close(user);
    user = open(scratch_path(*state, "a.vhd"), O_RDWR | O_CLOEXEC);
    assert_true(user >= 0);
    assert_int_equal(vhd_draft_lock(user), 0);
    close(user);
    close(unlocked);
    vhd_store_unref(store);
}

static void opens_again_in_another_way(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    char bytes[4] = "";

    scratch_put(*state, "a.vhd", "data", 4);
    int fd = vhd_store_open_unlocked(store, "a.vhd");
    assert_true(fd >= 0);
    int again = vhd_store_open_again(store, "a.vhd", fd, O_RDWR);
    assert_true(again >= 0);
    assert_int_equal(fcntl(again, F_GETFL) & O_ACCMODE, O_RDWR);
    assert_int_equal(fcntl(again, F_GETFD), FD_CLOEXEC);
    assert_int_equal(pwrite(again, "DA", 2, 0), 2);
    assert_int_equal(pread(fd, bytes, 4, 0), 4);
    assert_memory_equal(bytes, "DAta", 4);
    close(again);
    close(fd);
    vhd_store_unref(store);
}

/* Two files of the same content; the first, a.vhd, is opened. */
static int open_one_of_two(const struct vhd_store *store, const char *folder)
{
    scratch_put(folder, "a.vhd", "data", 4);
    scratch_put(folder, "b.vhd", "data", 4);
    int fd = vhd_store_open_unlocked(store, "a.vhd");
    assert_true(fd >= 0);
    return fd;
}

/* Another program may have put another file there meanwhile. */
static void does_not_open_another_file_for_it(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    const char *path = scratch_path(*state, "a.vhd");

    int fd = open_one_of_two(store, *state);
    assert_int_equal(vhd_store_open_again(store, "b.vhd", fd, O_RDWR), -ESTALE);
    assert_int_equal(vhd_store_open_again(store, "none.vhd", fd, O_RDWR), -ENOENT);
    assert_int_equal(link(path, scratch_path(*state, "link.vhd")), 0);
    int again = vhd_store_open_again(store, "link.vhd", fd, O_RDWR);
    assert_true(again >= 0); /* it is the same file */
    close(again);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("link.vhd", path), 0);
    assert_int_equal(vhd_store_open_again(store, "a.vhd", fd, O_RDWR), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(vhd_store_open_again(store, "a.vhd", fd, O_RDWR), -ESTALE);
    close(fd);
    vhd_store_unref(store);
}

static void confirms_that_a_name_leads_to_the_open_file(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    const char *path = scratch_path(*state, "a.vhd");

    int fd = open_one_of_two(store, *state);
    assert_int_equal(vhd_store_confirm(store, "a.vhd", fd), 0);
    assert_int_equal(vhd_store_confirm(store, "b.vhd", fd), -ESTALE);
    assert_int_equal(vhd_store_confirm(store, "none.vhd", fd), -ESTALE);
    assert_int_equal(link(path, scratch_path(*state, "link.vhd")), 0);
    assert_int_equal(vhd_store_confirm(store, "link.vhd", fd), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(vhd_store_confirm(store, "a.vhd", fd), -ESTALE);
    assert_int_equal(symlink("link.vhd", path), 0);
    assert_int_equal(vhd_store_confirm(store, "a.vhd", fd), -ESTALE);
    close(fd);
    assert_int_equal(vhd_store_confirm(store, "a.vhd", fd), -EBADF);
    vhd_store_unref(store);
}

static void open_again_without_permission(void *arg)
{
    const struct vhd_store *store = arg;

    child_drop_root();
    int fd = vhd_store_open_unlocked(store, "a.vhd");
    CHILD_EXPECT(fd >= 0);
    CHILD_EXPECT(vhd_store_open_again(store, "a.vhd", fd, O_RDWR) == -EACCES);
}

static void reports_missing_permission_to_open_again(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    scratch_put(*state, "a.vhd", "data", 4);
    assert_int_equal(chmod(scratch_path(*state, "a.vhd"), 0444), 0);
    in_child(open_again_without_permission, store);
    vhd_store_unref(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(opens_a_file_without_lock),
        SCRATCH_TEST(reports_missing_permission_to_open),
        SCRATCH_TEST(an_unlocked_open_disturbs_nobody),
        SCRATCH_TEST(opens_again_in_another_way),
        SCRATCH_TEST(does_not_open_another_file_for_it),
        SCRATCH_TEST(confirms_that_a_name_leads_to_the_open_file),
        SCRATCH_TEST(reports_missing_permission_to_open_again),
    };
    return cmocka_run_group_tests_name("store_open", tests, NULL, NULL);
}
