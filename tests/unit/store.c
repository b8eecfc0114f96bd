/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a store would be made in the wrong place or with the wrong owner, or a folder
 * that is no store would be removed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "folder.h"
#include "scratch.h"
#include "store/store.h"

static void makes_the_last_component(void **state)
{
    const char *path = scratch_path(*state, "store");
    struct vhd_store *store = open_store(path, VHD_STORE_OWN);

    assert_string_equal(vhd_store_path(store), path);
    assert_int_equal(vhd_store_sync(store), 0);
    vhd_store_unref(store);
    struct stat attributes;
    assert_int_equal(stat(path, &attributes), 0);
    assert_true(S_ISDIR(attributes.st_mode));

    store = open_store(scratch_path(*state, "slash/"), 0);
    vhd_store_unref(store);
    assert_true(scratch_has(*state, "slash"));
}

static void makes_no_more_than_the_last_component(void **state)
{
    refuses(scratch_path(*state, "a/b"), 0, VHD_PATH_NOT_FOUND);
    refuses(scratch_path(*state, "a/b/c"), VHD_STORE_OWN, VHD_PATH_NOT_FOUND);
    refuses("", 0, VHD_PATH_NOT_FOUND);
    assert_int_equal(scratch_count(*state, ""), 0);
}

static void is_a_directory(void **state)
{
    scratch_put(*state, "file", "x", 1);
    assert_int_equal(symlink("nowhere", scratch_path(*state, "dangling")), 0);
    refuses(scratch_path(*state, "file"), 0, VHD_PATH_NOT_FOUND);
    refuses(scratch_path(*state, "file/store"), 0, VHD_PATH_NOT_FOUND);
    refuses(scratch_path(*state, "dangling"), 0, VHD_PATH_NOT_FOUND);
    assert_int_equal(scratch_count(*state, ""), 2);
}

static void knows_its_path_without_symlinks(void **state)
{
    assert_int_equal(mkdir(scratch_path(*state, "real"), 0777), 0);
    assert_int_equal(symlink("real", scratch_path(*state, "link")), 0);
    struct vhd_store *store = open_store(scratch_path(*state, "link"), 0);
    assert_string_equal(vhd_store_path(store), scratch_path(*state, "real"));
    vhd_store_unref(store);

    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(before >= 0);
    assert_int_equal(chdir(*state), 0);
    store = open_store("relative", 0);
    assert_int_equal(fchdir(before), 0);
    close(before);
    assert_string_equal(vhd_store_path(store), scratch_path(*state, "relative"));
    scratch_put(vhd_store_path(store), "a.vhd", "", 0);
    char file[NAME_MAX + 1];
    assert_int_equal(vhd_store_find(store, "a", file, NULL), 0);
    vhd_store_unref(store);
}

static void removes_a_store_that_it_made_only_if_empty(void **state)
{
    const char *path = scratch_path(*state, "store");
    struct vhd_store *store = open_store(path, 0);
    vhd_store_remove_if_unused(store);
    vhd_store_unref(store);
    assert_false(scratch_has(*state, "store"));

    store = open_store(path, 0);
    scratch_put(path, "a.vhd", "", 0);
    vhd_store_remove_if_unused(store);
    vhd_store_unref(store);
    assert_true(scratch_has(*state, "store"));

    assert_int_equal(unlink(scratch_path(path, "a.vhd")), 0);
    store = open_store(path, 0);
    vhd_store_remove_if_unused(store);
    vhd_store_unref(store);
    assert_true(scratch_has(*state, "store"));
}

static mode_t mode_of(const struct vhd_store *store, const char *file)
{
    struct stat attributes;

    assert_int_equal(fstatat(vhd_store_fd(store), file, &attributes, AT_SYMLINK_NOFOLLOW), 0);
    return attributes.st_mode & 07777;
}

static void sets_permissions_and_no_other_bits(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    scratch_put(*state, "a.vhd", "1", 1);
    assert_int_equal(chmod(scratch_path(*state, "a.vhd"), 02751), 0);
    assert_int_equal(vhd_store_set_permissions(store, "a.vhd", 0606), 0);
    assert_int_equal(mode_of(store, "a.vhd"), 02717);
    assert_int_equal(vhd_store_set_permissions(store, "a.vhd", 07777), 0);
    assert_int_equal(mode_of(store, "a.vhd"), 02777);
    assert_int_equal(vhd_store_set_permissions(store, "a.vhd", 0), 0);
    assert_int_equal(mode_of(store, "a.vhd"), 02111);
    assert_int_equal(vhd_store_set_permissions(store, "b.vhd", 0600), -ENOENT);

    /* A symlink is not followed. */
    assert_int_equal(symlink("a.vhd", scratch_path(*state, "link.vhd")), 0);
    assert_int_not_equal(vhd_store_set_permissions(store, "link.vhd", 0666), 0);
    assert_int_equal(mode_of(store, "a.vhd"), 02111);
    vhd_store_unref(store);
}

static void sets_the_owner(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    struct stat attributes;

    scratch_put(*state, "a.vhd", "1", 1);
    assert_int_equal(vhd_store_set_owner(store, "a.vhd", (uid_t)-1, getegid()), 0);
    assert_int_equal(vhd_store_set_owner(store, "a.vhd", geteuid(), (gid_t)-1), 0);
    assert_int_equal(vhd_store_set_owner(store, "b.vhd", geteuid(), getegid()), -ENOENT);
    if (geteuid() == 0) {
        assert_int_equal(vhd_store_set_owner(store, "a.vhd", 12, 34), 0);
        assert_int_equal(vhd_store_set_owner(store, "a.vhd", (uid_t)-1, 56), 0);
        assert_int_equal(fstatat(vhd_store_fd(store), "a.vhd", &attributes, 0), 0);
        assert_int_equal(attributes.st_uid, 12);
        assert_int_equal(attributes.st_gid, 56);
    } else {
        assert_int_equal(vhd_store_set_owner(store, "a.vhd", 0, (gid_t)-1), -EPERM);
    }
    vhd_store_unref(store);
}

static void reports_its_volume(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    struct statvfs ours, theirs;

    assert_int_equal(vhd_store_statvfs(store, &ours), 0);
    assert_int_equal(statvfs(*state, &theirs), 0);
    assert_int_equal(ours.f_fsid, theirs.f_fsid);
    assert_int_equal(ours.f_blocks, theirs.f_blocks);
    assert_int_equal(ours.f_frsize, theirs.f_frsize);
    vhd_store_unref(store);
}

static void reports_how_files_grow_on_its_volume(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    assert_int_equal(vhd_store_growth(store), vhd_volume_growth(vhd_store_fd(store)));
    vhd_store_unref(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(makes_the_last_component),
        SCRATCH_TEST(makes_no_more_than_the_last_component),
        SCRATCH_TEST(is_a_directory),
        SCRATCH_TEST(knows_its_path_without_symlinks),
        SCRATCH_TEST(removes_a_store_that_it_made_only_if_empty),
        SCRATCH_TEST(sets_permissions_and_no_other_bits),
        SCRATCH_TEST(sets_the_owner),
        SCRATCH_TEST(reports_its_volume),
        SCRATCH_TEST(reports_how_files_grow_on_its_volume),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
