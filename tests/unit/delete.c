/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a disk with children could be lost, or the wrong file be removed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "disk/disk.h"
#include "disks.h"
#include "fast.h"
#include "operation/delete.h"

static void deletes(struct disks disks, const char *name)
{
    struct vhd_verdict verdict = {0};
    enum vhd_result result = vhd_delete(disks.catalogue, name, &verdict);
    if (result != VHD_OK)
        print_error("%s\n", verdict.sentence);
    assert_int_equal(result, VHD_OK);
}

static void refuses(struct disks disks, const char *name, enum vhd_result result)
{
    struct vhd_verdict verdict = {0};
    assert_int_equal(vhd_delete(disks.catalogue, name, &verdict), result);
    assert_int_equal(verdict.result, result);
    assert_true(*verdict.sentence);
    assert_int_equal(vhd_delete(disks.catalogue, name, NULL), result);
}

static void removes_just_this_disk(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, 2));
    put(*state, "b.VHD", sample_fixed(2));
    put(*state, "c.vhd", sample_child(3, 9, "gone.vhd"));
    scratch_put(*state, "a", "", 0);
    deletes(disks, "a");
    assert_false(scratch_has(*state, "a.vhd"));
    assert_int_equal(scratch_count(*state, ""), 3);
    refuses(disks, "a", VHD_PATH_NOT_FOUND);
    deletes(disks, "b");
    deletes(disks, "c");
    assert_int_equal(scratch_count(*state, ""), 1);
    disks_close(disks);
}

static void removes_damaged_disks_too(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 1);

    sample_entry(&sample, 2)[0] = 0;
    put(*state, "damaged.vhd", sample);
    scratch_put(*state, "text.vhd", "no VHD", 6);
    scratch_put(*state, "empty.vhd", "", 0);
    deletes(disks, "damaged");
    deletes(disks, "text");
    deletes(disks, "empty");
    assert_int_equal(scratch_count(*state, ""), 0);
    disks_close(disks);
}

static void leaves_other_files_than_disks(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct disks disks = disks_open(folder);

    put(*state, "outside.vhd", sample_fixed(1));
    assert_int_equal(mkdir(scratch_path(folder, "folder.vhd"), 0777), 0);
    assert_int_equal(mkfifo(scratch_path(folder, "fifo.vhd"), 0666), 0);
    assert_int_equal(symlink("../outside.vhd", scratch_path(folder, "link.vhd")), 0);
    scratch_put(folder, ".vhdfs-draft-1.vhd", "", 0);
    const char *const names[] = {"folder", "fifo", "link", "../outside", ".vhdfs-draft-1", "none"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        refuses(disks, names[i], VHD_PATH_NOT_FOUND);
    assert_int_equal(scratch_count(folder, ""), 4);
    assert_true(scratch_has(*state, "outside.vhd"));
    disks_close(disks);
}

static void keeps_a_disk_with_children(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    put(*state, "grandchild.vhd", sample_child(3, 2, "child.vhd"));
    refuses(disks, "base", VHD_IN_USE);
    refuses(disks, "child", VHD_IN_USE);
    assert_int_equal(scratch_count(*state, ""), 3);
    deletes(disks, "grandchild");
    refuses(disks, "base", VHD_IN_USE);
    deletes(disks, "child");
    deletes(disks, "base");
    disks_close(disks);
}

/* Such a disk cannot be read, but a user must be able to delete it. */
static void deletes_a_disk_that_is_its_own_parent(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "ring.vhd", sample_child(1, 1, "ring.vhd"));
    deletes(disks, "ring");
    assert_false(scratch_has(*state, "ring.vhd"));
    disks_close(disks);
}

/* The copy of a footer may be lost; the child is sound all the same, and needs its parent. */
static void keeps_the_parent_of_a_child_without_copy(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample child = sample_child(2, 1, "base.vhd");

    memset(child.bytes, 0, 512);
    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "child.vhd", child);
    refuses(disks, "base", VHD_IN_USE);
    assert_true(scratch_has(*state, "base.vhd"));
    disks_close(disks);
}

static void keeps_a_disk_that_is_open(void **state)
{
    fast_begin();
    struct disks disks = disks_open(*state);
    struct vhd_disk *disk;

    put(*state, "a.vhd", sample_dynamic(1, 1));
    for (unsigned flags = 0; flags <= VHD_DISK_WRITE; flags++) {
        assert_int_equal(vhd_disk_open(disks.catalogue, "a", flags, &disk, NULL), VHD_OK);
        refuses(disks, "a", VHD_IN_USE);
        assert_true(scratch_has(*state, "a.vhd"));
        assert_int_equal(vhd_disk_close(disk, NULL), 0);
    }
    deletes(disks, "a");
    disks_close(disks);
    fast_end();
}

/* A parent of an open disk is in use too, even if the file of its child is gone. */
static void keeps_a_parent_of_an_open_disk(void **state)
{
    fast_begin();
    struct disks disks = disks_open(*state);
    struct vhd_disk *disk;

    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    assert_int_equal(vhd_disk_open(disks.catalogue, "child", 0, &disk, NULL), VHD_OK);
    assert_int_equal(unlink(scratch_path(*state, "child.vhd")), 0);
    refuses(disks, "base", VHD_IN_USE);
    assert_int_equal(vhd_disk_close(disk, NULL), 0);
    deletes(disks, "base");
    disks_close(disks);
    fast_end();
}

/* close(2) returns before the server of the file sees it: a deletion waits that long. */
static void waits_a_little_before_it_refuses(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_disk *disk;

    put(*state, "a.vhd", sample_dynamic(1, 1));
    assert_int_equal(vhd_disk_open(disks.catalogue, "a", 0, &disk, NULL), VHD_OK);
    const struct timespec begin = clock_monotonic();
    assert_int_equal(vhd_delete(disks.catalogue, "a", NULL), VHD_IN_USE);
    const struct timespec now = clock_monotonic();
    const int64_t ms = (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000;
    assert_in_range(ms, 99, 20000);
    assert_int_equal(vhd_disk_close(disk, NULL), 0);
    disks_close(disks);
}

static void delete_without_permission(void *arg)
{
    const struct disks *disks = arg;

    child_drop_root();
    CHILD_EXPECT(vhd_delete(disks->catalogue, "a", NULL) == VHD_ACCESS_DENIED);
}

static void needs_permission(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct disks disks = disks_open(folder);

    put(folder, "a.vhd", sample_fixed(1));
    assert_int_equal(chmod(folder, 0555), 0);
    in_child(delete_without_permission, &disks);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_true(scratch_has(folder, "a.vhd"));
    disks_close(disks);
}

static void delete_from_read_only_medium(void *path)
{
    child_mount(path, "size=1m");
    struct disks disks = disks_open(path);
    put(path, "a.vhd", sample_fixed(1));
    child_remount_read_only(path);
    CHILD_EXPECT(vhd_delete(disks.catalogue, "a", NULL) == VHD_READ_ONLY);
    CHILD_EXPECT(scratch_has(path, "a.vhd"));
    disks_close(disks);
}

static void a_read_only_medium_is_left_alone(void **state)
{
    in_child(delete_from_read_only_medium, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(removes_just_this_disk),
        SCRATCH_TEST(removes_damaged_disks_too),
        SCRATCH_TEST(leaves_other_files_than_disks),
        SCRATCH_TEST(keeps_a_disk_with_children),
        SCRATCH_TEST(deletes_a_disk_that_is_its_own_parent),
        SCRATCH_TEST(keeps_the_parent_of_a_child_without_copy),
        SCRATCH_TEST(keeps_a_disk_that_is_open),
        SCRATCH_TEST(keeps_a_parent_of_an_open_disk),
        SCRATCH_TEST(waits_a_little_before_it_refuses),
        SCRATCH_TEST(needs_permission),
        SCRATCH_TEST(a_read_only_medium_is_left_alone),
    };
    return cmocka_run_group_tests_name("delete", tests, NULL, NULL);
}
