/* SPDX-License-Identifier: MIT */
/*
 * If this failed, two daemons could work on one store and spoil its disks.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "folder.h"
#include "scratch.h"
#include "store/lock.h"
#include "store/store.h"
#include "store/sweep.h"

static void has_one_owner_in_a_process(void **state)
{
    struct vhd_store *owner = open_store(*state, VHD_STORE_OWN);

    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    refuses(*state, VHD_STORE_OWN | VHD_STORE_READ_ONLY, VHD_IN_USE);
    vhd_store_unref(open_store(*state, 0)); /* an open without ownership succeeds */
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);

    assert_ptr_equal(vhd_store_ref(owner), owner);
    vhd_store_unref(owner);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    vhd_store_unref(owner);
    vhd_store_unref(NULL);
    vhd_store_unref(open_store(*state, VHD_STORE_OWN));
    assert_true(scratch_has(*state, VHD_LOCK_FILE));
}

static void try_to_own(void *path)
{
    struct vhd_store *store;
    struct vhd_verdict verdict;

    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN, &store, &verdict) == VHD_IN_USE);
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN | VHD_STORE_READ_ONLY, &store, &verdict) ==
                 VHD_IN_USE);
    CHILD_EXPECT(vhd_store_open(path, 0, &store, &verdict) == VHD_OK);
    vhd_store_unref(store);
}

static void has_one_owner_among_processes(void **state)
{
    struct vhd_store *owner = open_store(*state, VHD_STORE_OWN);
    in_child(try_to_own, *state);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    vhd_store_unref(owner);
}

/* A process that owns a store until it is killed. */
struct owner {
    const char *path;
    unsigned flags;
    int told[2]; /* pipe: it owns the store now */
};

static void own_until_killed(void *arg)
{
    struct owner *owner = arg;
    struct vhd_store *store;

    CHILD_EXPECT(vhd_store_open(owner->path, owner->flags, &store, NULL) == VHD_OK);
    CHILD_EXPECT(write(owner->told[1], "x", 1) == 1);
    for (;;)
        pause();
}

static void a_killed_owner_leaves_the_store(void **state)
{
    struct owner owner = {.path = *state, .flags = VHD_STORE_OWN};
    char byte;

    assert_int_equal(pipe2(owner.told, O_CLOEXEC), 0);
    pid_t pid = child_begin(own_until_killed, &owner);
    assert_int_equal(read(owner.told[0], &byte, 1), 1);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(child_end(pid), -SIGKILL);
    vhd_store_unref(open_store(*state, VHD_STORE_OWN));
    close(owner.told[0]);
    close(owner.told[1]);
}

static void read_only_owners_share(void **state)
{
    const unsigned shared = VHD_STORE_OWN | VHD_STORE_READ_ONLY;
    struct owner owner = {.path = *state, .flags = shared};
    char byte;

    struct vhd_store *first = open_store(*state, shared);
    struct vhd_store *second = open_store(*state, shared);
    assert_int_equal(pipe2(owner.told, O_CLOEXEC), 0);
    pid_t pid = child_begin(own_until_killed, &owner);
    assert_int_equal(read(owner.told[0], &byte, 1), 1);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    vhd_store_unref(first);
    vhd_store_unref(second);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(child_end(pid), -SIGKILL);
    vhd_store_unref(open_store(*state, VHD_STORE_OWN));
    close(owner.told[0]);
    close(owner.told[1]);
}

static void own_without_permission(void *path)
{
    struct vhd_store *store;
    struct vhd_verdict verdict;

    child_drop_root();
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN, &store, &verdict) == VHD_ACCESS_DENIED);
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN | VHD_STORE_READ_ONLY, &store, &verdict) ==
                 VHD_OK);
    vhd_store_unref(store);
    CHILD_EXPECT(vhd_store_open(scratch_path(path, "new"), 0, &store, &verdict) ==
                 VHD_ACCESS_DENIED);
}

static void a_folder_without_permission_is_only_read(void **state)
{
    const char *path = scratch_path(*state, "store");
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(chmod(path, 0555), 0);
    in_child(own_without_permission, (void *)path);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(scratch_count(path, ""), 0);
}

static void own_on_read_only_medium(void *path)
{
    struct vhd_store *store;
    struct vhd_verdict verdict;

    child_mount(path, "size=1m");
    child_remount_read_only(path);
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN, &store, &verdict) == VHD_READ_ONLY);
    CHILD_EXPECT(vhd_store_open(scratch_path(path, "new"), 0, &store, &verdict) == VHD_READ_ONLY);
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN | VHD_STORE_READ_ONLY, &store, &verdict) ==
                 VHD_OK);
    vhd_store_unref(store);
}

static void a_read_only_medium_is_only_read(void **state)
{
    in_child(own_on_read_only_medium, *state);
}

static void only_a_writing_owner_sweeps(void **state)
{
    scratch_put(*state, VHD_DRAFT_PREFIX "1", "half", 4);
    vhd_store_unref(open_store(*state, 0));
    vhd_store_unref(open_store(*state, VHD_STORE_OWN | VHD_STORE_READ_ONLY));
    assert_true(scratch_has(*state, VHD_DRAFT_PREFIX "1"));
    vhd_store_unref(open_store(*state, VHD_STORE_OWN));
    assert_false(scratch_has(*state, VHD_DRAFT_PREFIX "1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(has_one_owner_in_a_process),
        SCRATCH_TEST(has_one_owner_among_processes),
        SCRATCH_TEST(a_killed_owner_leaves_the_store),
        SCRATCH_TEST(read_only_owners_share),
        SCRATCH_TEST(a_folder_without_permission_is_only_read),
        SCRATCH_TEST(a_read_only_medium_is_only_read),
        SCRATCH_TEST(only_a_writing_owner_sweeps),
    };
    return cmocka_run_group_tests_name("store_owner", tests, NULL, NULL);
}
