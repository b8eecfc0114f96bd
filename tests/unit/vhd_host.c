/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a caller of CreateDynamicVirtualHardDisk would get another code than Virtual
 * Server's for a folder that does not allow the disk, or a refused request would leave a folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "gate.h"
#include "scratch.h"
#include "service_path.h"

static void the_folder_is_made_one_level(void **state)
{
    struct vhd_service *service = service_with(1);

    assert_int_equal(answer(service, scratch_path(*state, "new/a.vhd"), 3), VHD_OK);
    assert_true(scratch_has(scratch_path(*state, "new"), "a.vhd"));
    assert_int_equal(answer(service, scratch_path(*state, "two/levels/a.vhd"), 3),
                     VHD_PATH_NOT_FOUND);
    assert_false(scratch_has(*state, "two"));
    scratch_put(*state, "file", "", 0);
    assert_int_equal(answer(service, scratch_path(*state, "file/a.vhd"), 3), VHD_PATH_NOT_FOUND);
    assert_int_equal(symlink("nowhere", scratch_path(*state, "dangling")), 0);
    assert_int_equal(answer(service, scratch_path(*state, "dangling/a.vhd"), 3),
                     VHD_PATH_NOT_FOUND);
    assert_int_equal(answer(service, scratch_path(*state, "new//b.vhd"), 3), VHD_OK);
    assert_int_equal(answer(service, scratch_path(*state, "new/../new/c.vhd"), 3), VHD_OK);
    assert_int_equal(scratch_count(scratch_path(*state, "new"), ""), 3);
    vhd_service_free(service);
}

/* A refusal that comes after the folder has been made. */
static void refuse_by_length(void *path)
{
    struct vhd_service *service;
    struct rlimit limit;

    CHILD_EXPECT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = 1 << 20;
    CHILD_EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHILD_EXPECT(vhd_service_new(1, 1, &service) == 0);
    CHILD_EXPECT(answer(service, scratch_path(path, "new/a.vhd"), 3) == VHD_FILE_TOO_LARGE);
    CHILD_EXPECT(!scratch_has(path, "new"));
    CHILD_EXPECT(answer(service, scratch_path(path, "old/a.vhd"), 3) == VHD_FILE_TOO_LARGE);
    CHILD_EXPECT(scratch_has(path, "old"));
    CHILD_EXPECT(scratch_count(scratch_path(path, "old"), "") == 0);
    vhd_service_free(service);
}

static void a_folder_made_in_vain_is_removed(void **state)
{
    assert_int_equal(mkdir(scratch_path(*state, "old"), 0777), 0);
    in_child(refuse_by_length, *state);
}

static void refuse_by_permission(void *path)
{
    struct vhd_service *service;

    child_drop_root();
    CHILD_EXPECT(vhd_service_new(1, 1, &service) == 0);
    CHILD_EXPECT(answer(service, scratch_path(path, "a.vhd"), 3) == VHD_ACCESS_DENIED);
    CHILD_EXPECT(answer(service, scratch_path(path, "new/a.vhd"), 3) == VHD_ACCESS_DENIED);
    vhd_service_free(service);
}

static void a_folder_without_permission(void **state)
{
    const char *folder = scratch_path(*state, "folder");
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    in_child(refuse_by_permission, (void *)folder);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(scratch_count(folder, ""), 0);
}

static void refuse_by_medium(void *path)
{
    struct vhd_service *service;

    child_mount(path, "size=7m");
    CHILD_EXPECT(vhd_service_new(1, 1, &service) == 0);
    CHILD_EXPECT(answer(service, scratch_path(path, "a.vhd"), 3) == VHD_DISK_FULL);
    CHILD_EXPECT(answer(service, scratch_path(path, "new/a.vhd"), 3) == VHD_DISK_FULL);
    CHILD_EXPECT(scratch_count(path, "") == 0);
    child_remount_read_only(path);
    CHILD_EXPECT(answer(service, scratch_path(path, "a.vhd"), 3) == VHD_READ_ONLY);
    CHILD_EXPECT(answer(service, scratch_path(path, "new/a.vhd"), 3) == VHD_READ_ONLY);
    vhd_service_free(service);
}

static void a_medium_that_is_full_or_read_only(void **state)
{
    in_child(refuse_by_medium, *state);
}

static void run_out_of_descriptors(void *path)
{
    struct vhd_service *service;
    struct rlimit limit;

    CHILD_EXPECT(vhd_service_new(1, 1, &service) == 0);
    CHILD_EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 0;
    CHILD_EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHILD_EXPECT(answer(service, scratch_path(path, "a.vhd"), 3) == VHD_NO_DESCRIPTORS);
    vhd_service_free(service);
}

static void other_failures_of_the_host(void **state)
{
    in_child(run_out_of_descriptors, *state);
    assert_int_equal(scratch_count(*state, ""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_folder_is_made_one_level),
        SCRATCH_TEST(a_folder_made_in_vain_is_removed),
        SCRATCH_TEST(a_folder_without_permission),
        SCRATCH_TEST(a_medium_that_is_full_or_read_only),
        SCRATCH_TEST(other_failures_of_the_host),
    };
    return cmocka_run_group_tests_name("vhd_host", tests, NULL, NULL);
}
