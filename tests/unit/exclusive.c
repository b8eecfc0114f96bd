/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a disk with children could be deleted or renamed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "disks.h"
#include "fast.h"
#include "gate.h"
#include "disk/disk.h"
#include "operation/exclusive.h"
#include "sentence.h"

/* Lock a disk, and release it at once. */
static enum vhd_result lock(struct disks disks, const char *name, struct vhd_info *ret,
                            struct vhd_verdict *ret_verdict)
{
    int fd = -1;
    enum vhd_result result =
        vhd_disk_lock_exclusive(disks.catalogue, name, VHD_PATIENCE_FOLDER, ret, &fd, ret_verdict);
    if (result == VHD_OK)
        close(fd);
    else
        assert_int_equal(fd, -1);
    return result;
}

static enum vhd_result judge(struct disks disks, const char *name, struct vhd_info *ret,
                             struct vhd_verdict *ret_verdict)
{
    memset(ret, 0xA5, sizeof *ret);
    memset(ret_verdict, 0, sizeof *ret_verdict);
    enum vhd_result result = lock(disks, name, ret, ret_verdict);
    if (result != VHD_OK) {
        assert_int_equal(ret_verdict->result, result);
        assert_sentence(ret_verdict->sentence);
    }
    return result;
}

static struct vhd_info accepts(struct disks disks, const char *name)
{
    struct vhd_info info;
    struct vhd_verdict verdict;
    assert_int_equal(judge(disks, name, &info, &verdict), VHD_OK);
    assert_string_equal(info.name, name);
    return info;
}

static struct vhd_verdict refuses(struct disks disks, const char *name, enum vhd_result result)
{
    struct vhd_info info;
    struct vhd_verdict verdict;
    assert_int_equal(judge(disks, name, &info, &verdict), result);
    assert_non_null(strstr(verdict.sentence, name));
    assert_int_equal(lock(disks, name, &info, NULL), result);
    return verdict;
}

/* A disk that is locked or open keeps others out. */
static void an_open_disk_is_in_use(void **state)
{
    fast_begin();
    struct disks disks = disks_open(*state);
    struct vhd_info info;
    struct vhd_disk *disk;
    int fd = -1;

    put(*state, "base.vhd", sample_dynamic(2, 1));
    assert_int_equal(
        vhd_disk_lock_exclusive(disks.catalogue, "base", VHD_PATIENCE_FOLDER, &info, &fd, NULL),
        VHD_OK);
    refuses(disks, "base", VHD_IN_USE);
    close(fd);
    for (unsigned flags = 0; flags <= VHD_DISK_WRITE; flags++) {
        assert_int_equal(vhd_disk_open(disks.catalogue, "base", flags, &disk, NULL), VHD_OK);
        refuses(disks, "base", VHD_IN_USE);
        assert_int_equal(vhd_disk_close(disk, NULL), 0);
    }
    accepts(disks, "base");
    disks_close(disks);
    fast_end();
}

static void accepts_disks_without_children(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "fixed.VHD", sample_fixed(1));
    put(*state, "dynamic.vhd", sample_dynamic(2, 1));
    put(*state, "child.vhd", sample_child(3, 9, "elsewhere.vhd"));
    scratch_put(*state, "text.vhd", "no VHD", 6);
    struct vhd_info info = accepts(disks, "fixed");
    assert_string_equal(info.file, "fixed.VHD");
    assert_int_equal(info.image.footer.type, VHD_TYPE_FIXED);
    info = accepts(disks, "dynamic");
    assert_int_equal(info.image.footer.uuid[0], 2);
    info = accepts(disks, "child");
    assert_string_equal(info.parent, "elsewhere");
    info = accepts(disks, "text");
    assert_int_equal(info.image.fault.defect, VHD_FOOTER_MISSING);
    disks_close(disks);
}

static void refuses_other_files_than_disks(void **state)
{
    struct disks disks = disks_open(*state);

    assert_int_equal(mkdir(scratch_path(*state, "folder.vhd"), 0777), 0);
    refuses(disks, "none", VHD_PATH_NOT_FOUND);
    refuses(disks, "folder", VHD_PATH_NOT_FOUND);
    disks_close(disks);
}

static void refuses_disks_with_children(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "fixed.vhd", sample_fixed(1));
    put(*state, "dynamic.vhd", sample_dynamic(2, 1));
    put(*state, "child.vhd", sample_child(3, 2, "dynamic.vhd"));
    put(*state, "second.vhd", sample_child(4, 2, "dynamic.vhd"));
    put(*state, "of fixed.vhd", sample_child(5, 1, "fixed.vhd"));
    put(*state, "grandchild.vhd", sample_child(6, 3, "child.vhd"));
    struct vhd_verdict verdict = refuses(disks, "dynamic", VHD_IN_USE);
    assert_non_null(strstr(verdict.sentence, " 2 "));
    refuses(disks, "fixed", VHD_IN_USE);
    refuses(disks, "child", VHD_IN_USE);
    accepts(disks, "grandchild");
    accepts(disks, "second");
    disks_close(disks);
}

/* Its children name the original, and the copy is no parent. */
static void accepts_a_copy_of_a_parent(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "one.vhd", sample_dynamic(2, 1));
    put(*state, "two.vhd", sample_dynamic(2, 3));
    put(*state, "child.vhd", sample_child(3, 2, "C:\\elsewhere\\one.vhd"));
    refuses(disks, "one", VHD_IN_USE);
    accepts(disks, "two");
    disks_close(disks);
}

/* A damaged image whose identity can be read still has its children. */
static void refuses_a_damaged_parent(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample end = sample_dynamic(2, 1), header = sample_dynamic(4, 1);
    struct sample table = sample_dynamic(6, 1);

    memset(sample_end(&end), 0, 512);
    header.bytes[SAMPLE_HEADER] ^= 1;
    put32(sample_entry(&table, 2), 0x00FFFFFF);
    put(*state, "end.vhd", end);
    put(*state, "header.vhd", header);
    put(*state, "table.vhd", table);
    put(*state, "of end.vhd", sample_child(3, 2, "end.vhd"));
    put(*state, "of header.vhd", sample_child(5, 4, "header.vhd"));
    put(*state, "of table.vhd", sample_child(7, 6, "table.vhd"));
    refuses(disks, "end", VHD_IN_USE);
    refuses(disks, "header", VHD_IN_USE);
    refuses(disks, "table", VHD_IN_USE);
    disks_close(disks);
}

/* Nothing can be read from it, but a user must be able to delete it. */
static void accepts_a_disk_that_is_its_own_parent(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "ring.vhd", sample_child(2, 2, "ring.vhd"));
    accepts(disks, "ring");
    put(*state, "child.vhd", sample_child(3, 2, "ring.vhd"));
    refuses(disks, "ring", VHD_IN_USE);
    disks_close(disks);
}

static bool rewrite(const char *path, uint8_t parent)
{
    struct sample sample = sample_child(3, parent, "base.vhd");
    struct stat before, after;
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &before), 0);
    assert_int_equal(pwrite(fd, sample.bytes, sample.len, 0), sample.len);
    assert_int_equal(fstat(fd, &after), 0);
    close(fd);
    free(sample.bytes);
    return before.st_ctim.tv_sec != after.st_ctim.tv_sec ||
           before.st_ctim.tv_nsec != after.st_ctim.tv_nsec;
}

/* A disk must not be lost because another program has made a child of it just now. */
static void relies_on_no_earlier_listing(void **state)
{
    struct disks disks = disks_open(*state);
    const char *path = scratch_path(*state, "child.vhd");

    put(*state, "base.vhd", sample_dynamic(2, 1));
    put(*state, "child.vhd", sample_child(3, 9, "elsewhere.vhd"));
    for (int i = 0; i < 20; i++) {
        accepts(disks, "base");
        UNTIL(rewrite(path, 2));
        refuses(disks, "base", VHD_IN_USE);
        UNTIL(rewrite(path, 9));
    }
    accepts(disks, "base");
    disks_close(disks);
}

static void judge_in_a_folder_that_cannot_be_listed(void *path)
{
    struct vhd_info info;
    struct vhd_verdict verdict = {0};

    child_drop_root();
    struct disks disks = disks_open(path);
    put(path, "base.vhd", sample_dynamic(2, 1));
    CHILD_EXPECT(lock(disks, "base", &info, NULL) == VHD_OK);
    CHILD_EXPECT(chmod(path, 0300) == 0);
    CHILD_EXPECT(lock(disks, "base", &info, &verdict) == VHD_ACCESS_DENIED);
    CHILD_EXPECT(verdict.result == VHD_ACCESS_DENIED);
    CHILD_EXPECT(strstr(verdict.sentence, path) != NULL);
    CHILD_EXPECT(chmod(path, 0700) == 0);
    disks_close(disks);
}

static void refuses_if_children_cannot_be_counted(void **state)
{
    in_child(judge_in_a_folder_that_cannot_be_listed, scratch_folder_of_nobody(*state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(accepts_disks_without_children),
        SCRATCH_TEST(an_open_disk_is_in_use),
        SCRATCH_TEST(refuses_other_files_than_disks),
        SCRATCH_TEST(refuses_disks_with_children),
        SCRATCH_TEST(accepts_a_copy_of_a_parent),
        SCRATCH_TEST(refuses_a_damaged_parent),
        SCRATCH_TEST(accepts_a_disk_that_is_its_own_parent),
        SCRATCH_TEST(relies_on_no_earlier_listing),
        SCRATCH_TEST(refuses_if_children_cannot_be_counted),
    };
    return cmocka_run_group_tests_name("idle", tests, NULL, NULL);
}
