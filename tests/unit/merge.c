/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a merge would delete a child whose content no other disk has, because the
 * parent's own parents count, or another program replaces a file, or a sync fails meanwhile.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "verbs.h"

/* The library's calls of fdatasync(2) come here. */
static unsigned syncs_left; /* until something happens; 0 for never */
static const char *folder;
static const char *replaced; /* the file that another one replaces then; NULL: the sync fails */
static bool was_merged;      /* the child was gone then already */

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
    if (syncs_left == 0 || --syncs_left > 0)
        return __real_fdatasync(fd);
    was_merged = !scratch_has(folder, "child.vhd");
    if (replaced) {
        put(folder, "new", sample_dynamic(50, 3));
        assert_int_equal(rename(scratch_path(folder, "new"), scratch_path(folder, replaced)), 0);
        return __real_fdatasync(fd);
    }
    errno = ENOSPC;
    return -1;
}

/* A chain of three. The child has zeros over data of the base, data, and a part of a block. */
static struct disks put_chain(const char *path, bool is_fixed)
{
    folder = path;
    put(path, "base.vhd", sample_dynamic(1, 3));
    put(path, "middle.vhd", is_fixed ? sample_fixed(2) : sample_child(2, 1, "base.vhd"));
    put(path, "child.vhd", sample_child(3, 2, "middle.vhd"));
    struct disks disks = disks_open(path);
    struct vhd_disk *disk = open_writable(disks, "child");
    fill(disk, 0, BLOCK, 0);
    fill(disk, BLOCK + 512, 512, 7);
    fill(disk, 3 * BLOCK, BLOCK, 8);
    close_disk(disk);
    return disks;
}

/* The disk holds what the child held. */
static void expect_content(struct disks disks, const char *name)
{
    struct vhd_disk *disk = open_disk(disks, name, 0);

    expect(disk, 0, BLOCK, 0);
    expect(disk, BLOCK, 512, 0xEE);
    expect(disk, BLOCK + 512, 512, 7);
    expect(disk, BLOCK + 1024, 2 * BLOCK - 1024, 0xEE);
    expect(disk, 3 * BLOCK, BLOCK, 8);
    close_disk(disk);
}

static void the_parents_of_the_parent_count(void **state)
{
    for (int is_fixed = 0; is_fixed < 2; is_fixed++) {
        struct disks disks = put_chain(*state, is_fixed);
        assert_int_equal(verb(disks, "child", "merge"), VHD_OK);
        expect_content(disks, "middle");
        assert_false(scratch_has(*state, "child.vhd"));
        disks_close(disks);
    }
}

/* At each sync of the merge: another program replaces a file, or the sync fails. */
static void a_child_goes_only_if_the_parent_has_its_content(void **state)
{
    static const char *const files[] = {"middle.vhd", "child.vhd", NULL};

    for (size_t i = 0; i < 3; i++) {
        for (unsigned n = 1;; n++) {
            struct disks disks = put_chain(*state, false);
            replaced = files[i];
            syncs_left = n;
            const enum vhd_result result = verb(disks, "child", "merge");
            const bool is_over = syncs_left > 0;
            syncs_left = 0;
            if (result == VHD_OK) {
                assert_true(is_over || was_merged);
                if (is_over || i == 1)
                    expect_content(disks, "middle");
            } else if (files[i]) {
                assert_int_equal(result, VHD_IN_USE);
                assert_true(scratch_has(*state, "child.vhd"));
            } else {
                expect_content(disks, "child");
            }
            disks_close(disks);
            if (is_over)
                break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_parents_of_the_parent_count),
        SCRATCH_TEST(a_child_goes_only_if_the_parent_has_its_content),
    };
    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
