/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a request that the host cannot meet would be accepted and fail half way, or the
 * refusal would give another reason than the first that applies.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "operation/admit.h"
#include "scratch.h"
#include "store/sweep.h"

/* Fully grown, a disk of 4096 MB takes this much. */
#define FULL_LENGTH UINT64_C(4303364608)

static struct vhd_store *open_store(const char *path)
{
    struct vhd_store *store;
    assert_int_equal(vhd_store_open(path, 0, &store, NULL), VHD_OK);
    return store;
}

static enum vhd_result admit(const struct vhd_store *store, const char *file, uint64_t length,
                             bool is_named)
{
    struct vhd_draft draft = VHD_DRAFT_NONE;
    struct vhd_verdict verdict = {0};

    enum vhd_result result = vhd_admit_draft(store, file, is_named, &draft, &verdict);
    if (result == VHD_OK) {
        if (draft.fd < 0)
            return VHD_OUTCOME_COUNT;
        result = vhd_admit_length(store, &draft, length, false, &verdict);
        vhd_draft_end(store, &draft);
    } else if (draft.fd != -1) {
        return VHD_OUTCOME_COUNT; /* a refusal returns nothing to end */
    }
    /* A refusal gives a reason. */
    return result == VHD_OK || (result == verdict.result && *verdict.sentence) ? result
                                                                               : VHD_OUTCOME_COUNT;
}

/* The store of a child. Its rules are broken one after the other, the last one first. */
struct hurdles {
    const char *path;
    struct vhd_store *store;
};

static void limit_files(uint64_t bytes)
{
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    CHILD_EXPECT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes;
    CHILD_EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void expect_both(const struct vhd_store *store, const char *file, enum vhd_result result)
{
    CHILD_EXPECT(admit(store, file, FULL_LENGTH, false) == result);
    CHILD_EXPECT(admit(store, file, FULL_LENGTH, true) == result);
}

static void admits_with_a_draft(void **state)
{
    struct vhd_store *store = open_store(*state);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_draft draft = VHD_DRAFT_NONE;
        struct stat attributes;
        assert_int_equal(vhd_admit_draft(store, "a.vhd", is_named, &draft, NULL), VHD_OK);
        assert_int_equal(vhd_admit_length(store, &draft, FULL_LENGTH, false, NULL), VHD_OK);
        assert_true(draft.fd >= 0);
        if (is_named)
            assert_true(scratch_has(*state, draft.name));
        assert_int_equal(fstat(draft.fd, &attributes), 0);
        assert_int_equal(attributes.st_size, 0); /* tried, and not kept */
        assert_int_equal(vhd_draft_publish(store, &draft, "a.vhd"), 0);
        vhd_draft_end(store, &draft);
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    assert_int_equal(scratch_count(*state, ""), 0);
    vhd_store_unref(store);
}

static void refuses_an_existing_disk(void **state)
{
    struct vhd_store *store = open_store(*state);

    scratch_put(*state, "file.vhd", "", 0);
    assert_int_equal(mkdir(scratch_path(*state, "folder.vhd"), 0777), 0);
    assert_int_equal(symlink("nowhere", scratch_path(*state, "link.vhd")), 0);
    assert_int_equal(admit(store, "file.vhd", FULL_LENGTH, false), VHD_ALREADY_EXISTS);
    assert_int_equal(admit(store, "folder.vhd", FULL_LENGTH, false), VHD_ALREADY_EXISTS);
    assert_int_equal(admit(store, "link.vhd", FULL_LENGTH, true), VHD_ALREADY_EXISTS);
    assert_int_equal(scratch_count(*state, ""), 3);
    vhd_store_unref(store);
}

static void refuses_a_folder_that_is_gone(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder);

    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(admit(store, "a.vhd", FULL_LENGTH, true), VHD_PATH_NOT_FOUND);
    assert_int_equal(admit(store, "a.vhd", FULL_LENGTH, false), VHD_PATH_NOT_FOUND);
    vhd_store_unref(store);
}

static void break_permission_and_limit(void *arg)
{
    const struct hurdles *hurdles = arg;

    limit_files(1 << 20);
    expect_both(hurdles->store, "a.vhd", VHD_FILE_TOO_LARGE);
    child_drop_root();
    expect_both(hurdles->store, "a.vhd", VHD_ACCESS_DENIED);
    expect_both(hurdles->store, "there.vhd", VHD_ALREADY_EXISTS);
}

static void existence_comes_before_permission_before_length(void **state)
{
    struct hurdles hurdles = {scratch_path(*state, "store"), NULL};

    if (geteuid() != 0) {
        print_message("skipped: needs root, to lose a permission on the way\n");
        skip();
    }
    hurdles.store = open_store(hurdles.path);
    scratch_put(hurdles.path, "there.vhd", "", 0);
    assert_int_equal(chmod(hurdles.path, 0555), 0);
    in_child(break_permission_and_limit, &hurdles);
    assert_int_equal(chmod(hurdles.path, 0755), 0);
    assert_int_equal(scratch_count(hurdles.path, ""), 1);
    vhd_store_unref(hurdles.store);
}

static void lack_permission(void *arg)
{
    const struct hurdles *hurdles = arg;

    child_drop_root();
    expect_both(hurdles->store, "a.vhd", VHD_ACCESS_DENIED);
}

static void refuses_without_permission(void **state)
{
    struct hurdles hurdles = {scratch_path(*state, "store"), NULL};

    hurdles.store = open_store(hurdles.path);
    assert_int_equal(chmod(hurdles.path, 0555), 0);
    in_child(lack_permission, &hurdles);
    assert_int_equal(chmod(hurdles.path, 0755), 0);
    vhd_store_unref(hurdles.store);
}

static void limit_to_the_byte(void *arg)
{
    const struct hurdles *hurdles = arg;

    limit_files(FULL_LENGTH);
    expect_both(hurdles->store, "a.vhd", VHD_OK);
    limit_files(FULL_LENGTH - 1);
    expect_both(hurdles->store, "a.vhd", VHD_FILE_TOO_LARGE);
    limit_files(0);
    expect_both(hurdles->store, "a.vhd", VHD_FILE_TOO_LARGE);
}

static void refuses_above_the_resource_limit(void **state)
{
    struct hurdles hurdles = {*state, open_store(*state)};

    in_child(limit_to_the_byte, &hurdles);
    assert_int_equal(scratch_count(*state, ""), 0);
    vhd_store_unref(hurdles.store);
}

static void refuses_above_the_file_system_limit(void **state)
{
    struct vhd_store *store = open_store(*state);

    /* No file system holds a file of 2^63 bytes. */
    assert_int_equal(admit(store, "a.vhd", UINT64_C(1) << 63, false), VHD_FILE_TOO_LARGE);
    assert_int_equal(admit(store, "a.vhd", UINT64_C(1) << 63, true), VHD_FILE_TOO_LARGE);
    assert_int_equal(scratch_count(*state, ""), 0);
    vhd_store_unref(store);
}

static void fill_the_medium(void *path)
{
    struct vhd_store *store;

    child_mount(path, "size=9m");
    CHILD_EXPECT(vhd_store_open(path, 0, &store, NULL) == VHD_OK);
    expect_both(store, "a.vhd", VHD_OK);
    int fd = open(scratch_path(path, "there.vhd"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    CHILD_EXPECT(fd >= 0 && posix_fallocate(fd, 0, 1 << 20) == 0);
    expect_both(store, "a.vhd", VHD_OK); /* 8 MB, just enough */
    CHILD_EXPECT(posix_fallocate(fd, 1 << 20, 1) == 0);
    close(fd);
    expect_both(store, "a.vhd", VHD_DISK_FULL);
    CHILD_EXPECT(admit(store, "there.vhd", FULL_LENGTH, false) == VHD_ALREADY_EXISTS);
    limit_files(1 << 20);
    expect_both(store, "a.vhd", VHD_FILE_TOO_LARGE);
    limit_files(RLIM_INFINITY);
    child_remount_read_only(path);
    expect_both(store, "a.vhd", VHD_READ_ONLY);
    CHILD_EXPECT(admit(store, "there.vhd", FULL_LENGTH, false) == VHD_ALREADY_EXISTS);
    CHILD_EXPECT(scratch_count(path, "") == 1);
    vhd_store_unref(store);
}

static void read_only_comes_before_length_before_space(void **state)
{
    in_child(fill_the_medium, *state);
}

static enum vhd_result judge_length(const struct vhd_store *store, uint64_t length, bool is_fixed,
                                    struct vhd_verdict *ret)
{
    struct vhd_draft draft = VHD_DRAFT_NONE;

    CHILD_EXPECT(vhd_admit_draft(store, "a.vhd", false, &draft, NULL) == VHD_OK);
    enum vhd_result result = vhd_admit_length(store, &draft, length, is_fixed, ret);
    vhd_draft_end(store, &draft);
    return result;
}

static void fit_a_fixed_disk(void *path)
{
    const uint64_t free_bytes = UINT64_C(20) << 20;
    struct vhd_verdict verdict = {0};
    struct vhd_store *store;

    child_mount(path, "size=20m");
    CHILD_EXPECT(vhd_store_open(path, 0, &store, NULL) == VHD_OK);
    CHILD_EXPECT(judge_length(store, 4096, true, NULL) == VHD_OK);
    CHILD_EXPECT(judge_length(store, free_bytes, true, NULL) == VHD_OK);
    CHILD_EXPECT(judge_length(store, free_bytes + 1, false, NULL) == VHD_OK);
    CHILD_EXPECT(judge_length(store, free_bytes + 1, true, &verdict) == VHD_DISK_FULL);
    CHILD_EXPECT(verdict.result == VHD_DISK_FULL);
    CHILD_EXPECT(strstr(verdict.sentence, "20 MB are free") != NULL);
    CHILD_EXPECT(strstr(verdict.sentence, "takes 21 MB") != NULL);
    CHILD_EXPECT(strstr(verdict.sentence, path) != NULL);
    limit_files(free_bytes);
    CHILD_EXPECT(judge_length(store, free_bytes + 1, true, NULL) == VHD_FILE_TOO_LARGE);
    limit_files(RLIM_INFINITY);

    /* A small one needs the least free space all the same. */
    int fd = open(scratch_path(path, "there.vhd"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    CHILD_EXPECT(fd >= 0 && posix_fallocate(fd, 0, (12 << 20) + 1) == 0);
    close(fd);
    CHILD_EXPECT(judge_length(store, 4096, true, &verdict) == VHD_DISK_FULL);
    vhd_store_unref(store);
}

static void a_fixed_disk_needs_its_full_length_at_once(void **state)
{
    in_child(fit_a_fixed_disk, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(admits_with_a_draft),
        SCRATCH_TEST(refuses_an_existing_disk),
        SCRATCH_TEST(refuses_a_folder_that_is_gone),
        SCRATCH_TEST(existence_comes_before_permission_before_length),
        SCRATCH_TEST(refuses_without_permission),
        SCRATCH_TEST(refuses_above_the_resource_limit),
        SCRATCH_TEST(refuses_above_the_file_system_limit),
        SCRATCH_TEST(read_only_comes_before_length_before_space),
        SCRATCH_TEST(a_fixed_disk_needs_its_full_length_at_once),
    };
    return cmocka_run_group_tests_name("admit", tests, NULL, NULL);
}
