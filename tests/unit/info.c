/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a user would read wrong facts about a disk, or a file in the store would make a
 * reader hang.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "disk/disk.h"
#include "image/info.h"
#include "disks.h"

static struct vhd_info info_of(struct disks disks, const char *name)
{
    struct vhd_info info;
    memset(&info, 0xA5, sizeof info);
    assert_int_equal(vhd_info_read_all(disks.catalogue, name, &info), 0);
    assert_string_equal(info.name, name);
    return info;
}

static void reports_each_type(void **state)
{
    struct disks disks = disks_open(*state);
    struct stat attributes;

    put(*state, "fixed.vhd", sample_fixed(1));
    put(*state, "dynamic.VHD", sample_dynamic(2, 3));
    put(*state, "child.vhd", sample_child(3, 2, "dynamic.VHD"));
    struct vhd_info info = info_of(disks, "fixed");
    assert_true(info.has_slack);
    assert_int_equal(info.slack, 0);
    assert_int_equal(info.depth, 1);
    assert_string_equal(info.file, "fixed.vhd");
    assert_int_equal(info.image.fault.defect, VHD_SOUND);
    assert_int_equal(info.image.footer.type, VHD_TYPE_FIXED);
    assert_int_equal(info.image.length, SAMPLE_SIZE + 512);
    assert_string_equal(info.parent, "");
    assert_int_equal(info.children, 0);
    assert_int_equal(stat(scratch_path(*state, "fixed.vhd"), &attributes), 0);
    assert_int_equal(info.used, attributes.st_blocks * 512);
    assert_int_equal(info.changed.tv_sec, attributes.st_mtim.tv_sec);
    assert_int_equal(info.changed.tv_nsec, attributes.st_mtim.tv_nsec);

    info = info_of(disks, "dynamic");
    assert_string_equal(info.file, "dynamic.VHD");
    assert_int_equal(info.image.footer.type, VHD_TYPE_DYNAMIC);
    assert_int_equal(info.image.allocated, 3);
    assert_string_equal(info.parent, "");
    assert_int_equal(info.children, 1);

    assert_int_equal(info.depth, 1);

    info = info_of(disks, "child");
    assert_int_equal(info.depth, 2);
    assert_int_equal(info.image.footer.type, VHD_TYPE_DIFFERENCING);
    assert_string_equal(info.parent, "dynamic");
    assert_int_equal(info.children, 0);
    disks_close(disks);
}

static void reports_the_use_on_the_host(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "sparse.vhd", sample_dynamic(2, 0));
    assert_int_equal(truncate(scratch_path(*state, "sparse.vhd"), 1 << 30), 0);
    struct vhd_info info = info_of(disks, "sparse");
    assert_int_equal(info.image.length, 1 << 30);
    assert_true(info.used < 1 << 20);
    assert_int_equal(info.image.fault.defect, VHD_FOOTER_LOST);
    disks_close(disks);
}

/* A broken chain has no depth; an unreadable image has no slack. */
static void reports_slack_and_depth_where_there_are_any(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample slack = sample_dynamic(2, 1), spoilt = sample_dynamic(4, 1);

    slack.len += 3 * 512; /* bytes before it do not count */
    sample_footers(&slack, SAMPLE_DYNAMIC, SAMPLE_SIZE, 2);
    put(*state, "slack.vhd", slack);
    struct vhd_info info = info_of(disks, "slack");
    assert_true(info.has_slack);
    assert_int_equal(info.slack, 3 * 512);

    put(*state, "orphan.vhd", sample_child(3, 9, "none.vhd"));
    info = info_of(disks, "orphan");
    assert_true(info.has_slack);
    assert_int_equal(info.depth, 0);

    put32(sample_entry(&spoilt, 2), 0x00FFFFFF);
    put(*state, "spoilt.vhd", spoilt);
    info = info_of(disks, "spoilt");
    assert_false(info.has_slack);
    assert_int_equal(info.depth, 0);
    disks_close(disks);
}

static void names_the_parent_in_any_encoding(void **state)
{
    static const struct {
        const char *written, *name;
    } parents[] = {
        {"base.vhd", "base"},
        {"base.VHD", "base"},
        {"base", "base"},
        {"C:\\Disks\\base.vhd", "base"},
        {"\\\\server\\share\\a b.vhd", "a b"},
        {"..\\base.vhd", "base"},
        {"/srv/disks/base.vhd", "base"},
        {"C:\\mixed/ways\\base.vhd", "base"},
        {"base.v1.vhd", "base.v1"},
        {"base.avhd", "base.avhd"},
        {"C:\\Disks\\", ""},
        {"", ""},
        {"\xE4.vhd", "\xC3\xA4"}, /* U+00E4: one unit in the header, two bytes here */
    };
    struct disks disks = disks_open(*state);

    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        put(*state, "child.vhd", sample_child(3, 2, parents[i].written));
        struct vhd_info info = info_of(disks, "child");
        assert_int_equal(info.image.fault.defect, VHD_NO_PARENT);
        assert_string_equal(info.parent, parents[i].name);
    }
    disks_close(disks);
}

/* Its 256 units may have no zero unit behind them. */
static void a_parent_name_without_end_ends_with_its_field(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_child(3, 2, "");
    uint8_t *field = sample.bytes + SAMPLE_HEADER + 64;

    for (unsigned i = 0; i < 256; i++)
        put16(field + 2 * i, i < 100 ? 0x20AC : i == 100 ? '\\' : 'n');
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    put(*state, "child.vhd", sample);
    struct vhd_info info = info_of(disks, "child");
    assert_int_equal(strlen(info.parent), 155);
    assert_int_equal(strspn(info.parent, "n"), 155);

    /* Three bytes each in UTF-8, so no file can have this name: it names no parent. */
    sample = sample_child(3, 2, "");
    for (unsigned i = 0; i < 256; i++)
        put16(sample.bytes + SAMPLE_HEADER + 64 + 2 * i, 0x20AC);
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    put(*state, "child.vhd", sample);
    assert_string_equal(info_of(disks, "child").parent, "");
    disks_close(disks);
}

/* All values but the expensive ones: those of a large disk, or of a store with many disks. */
static void reads_neither_table_nor_children(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample damaged = sample_dynamic(4, 1);
    struct vhd_info info;

    put(*state, "base.VHD", sample_dynamic(2, 3));
    put(*state, "child.vhd", sample_child(3, 2, "C:\\base.vhd"));
    put32(sample_entry(&damaged, 2), 0x00FFFFFF);
    put(*state, "damaged.vhd", damaged);
    scratch_put(*state, "text.vhd", "no VHD", 6);

    memset(&info, 0xA5, sizeof info);
    assert_int_equal(vhd_info_read(disks.store, "base", &info), 0);
    assert_string_equal(info.name, "base");
    assert_string_equal(info.file, "base.VHD");
    assert_int_equal(info.image.fault.defect, VHD_SOUND);
    assert_int_equal(info.image.footer.uuid[0], 2);
    assert_int_equal(info.image.header.block_size, SAMPLE_BLOCK);
    assert_int_equal(info.image.blocks, 0);
    assert_int_equal(info.image.allocated, 0);
    assert_int_equal(info.children, 0);
    assert_string_equal(info.parent, "");
    struct vhd_info whole = info_of(disks, "base");
    assert_int_equal(whole.image.blocks, SAMPLE_BLOCKS);
    assert_int_equal(whole.image.allocated, 3);
    assert_int_equal(whole.children, 1);
    assert_int_equal(info.used, whole.used);
    assert_int_equal(info.image.length, whole.image.length);
    assert_memory_equal(&info.changed, &whole.changed, sizeof info.changed);

    assert_int_equal(vhd_info_read(disks.store, "child", &info), 0);
    assert_string_equal(info.parent, "base");
    assert_int_equal(vhd_info_read(disks.store, "damaged", &info), 0);
    assert_int_equal(info.image.fault.defect, VHD_SOUND);
    assert_int_equal(info_of(disks, "damaged").image.fault.defect, VHD_BLOCK_OUTSIDE);
    assert_int_equal(vhd_info_read(disks.store, "text", &info), 0);
    assert_int_equal(info.image.fault.defect, VHD_FOOTER_MISSING);
    assert_int_equal(vhd_info_read(disks.store, "none", &info), -ENOENT);
    assert_int_equal(vhd_info_read(disks.store, "base.VHD", &info), -ENOENT);
    disks_close(disks);
}

static void read_in_a_folder_that_cannot_be_listed(void *path)
{
    struct vhd_info info;

    child_drop_root();
    struct disks disks = disks_open(path);
    put(path, "base.vhd", sample_dynamic(2, 1));
    put(path, "child.vhd", sample_child(3, 2, "base.vhd"));
    CHILD_EXPECT(chmod(path, 0300) == 0);
    CHILD_EXPECT(vhd_info_read(disks.store, "base", &info) == 0);
    CHILD_EXPECT(vhd_info_read_all(disks.catalogue, "base", &info) == -EACCES);
    CHILD_EXPECT(chmod(path, 0700) == 0);
    CHILD_EXPECT(vhd_info_read_all(disks.catalogue, "base", &info) == 0);
    CHILD_EXPECT(info.children == 1);
    disks_close(disks);
}

static void reports_that_it_cannot_count_children(void **state)
{
    in_child(read_in_a_folder_that_cannot_be_listed, scratch_folder_of_nobody(*state));
}

static void reports_the_fault_of_a_disk(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(2, 1);

    put32(sample_entry(&sample, 2), 0x00FFFFFF);
    put(*state, "damaged.vhd", sample);
    struct vhd_info info = info_of(disks, "damaged");
    assert_int_equal(info.image.fault.defect, VHD_BLOCK_OUTSIDE);
    assert_true(info.image.has_footer);
    scratch_put(*state, "text.vhd", "no VHD", 6);
    info = info_of(disks, "text");
    assert_int_equal(info.image.fault.defect, VHD_FOOTER_MISSING);
    assert_false(info.image.has_footer);
    assert_int_equal(info.image.length, 6);
    assert_string_equal(info.parent, "");
    assert_int_equal(info.children, 0);
    disks_close(disks);
}

/* The files beside an image show whether it is damaged, or a part of a whole disk. */
static void reports_a_disk_in_several_files(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(2, 3);

    sample.len -= SAMPLE_STRIDE;
    put(*state, "cut.vhd", sample);
    assert_int_equal(info_of(disks, "cut").image.fault.defect, VHD_BLOCK_OUTSIDE);
    scratch_put(*state, "cut.v01", "rest", 4);
    assert_int_equal(info_of(disks, "cut").image.fault.defect, VHD_SPLIT);
    scratch_put(*state, "plain.vhd", "no VHD", 6);
    assert_int_equal(mkdir(scratch_path(*state, "plain.v01"), 0777), 0);
    assert_int_equal(info_of(disks, "plain").image.fault.defect, VHD_FOOTER_MISSING);
    scratch_put(*state, "plain.V01", "rest", 4);
    struct vhd_info info = info_of(disks, "plain");
    assert_int_equal(info.image.fault.defect, VHD_SPLIT);
    assert_non_null(strstr(info.image.fault.sentence, ": \"plain.V01\" is there"));

    /* A disk with an end is whole, whatever lies beside it. */
    put(*state, "whole.vhd", sample_dynamic(3, 1));
    scratch_put(*state, "whole.v01", "rest", 4);
    assert_int_equal(info_of(disks, "whole").image.fault.defect, VHD_SOUND);
    sample = sample_dynamic(4, 1);
    sample.len -= 512;
    put(*state, "end.vhd", sample);
    assert_int_equal(info_of(disks, "end").image.fault.defect, VHD_FOOTER_LOST);
    scratch_put(*state, "end.v01", "rest", 4);
    assert_int_equal(info_of(disks, "end").image.fault.defect, VHD_SPLIT);
    disks_close(disks);
}

/*
 * Faults that keep a disk from opening, and facts that may surprise its user, its parents included.
 */
static void reports_the_faults_of_its_parents(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample longer = sample_of(SAMPLE_SIZE + 1024), timeless = sample_child(7, 2, "base.vhd");

    sample_footer(sample_end(&longer), SAMPLE_FIXED, SAMPLE_SIZE + 512, 1);
    put32(timeless.bytes + SAMPLE_HEADER + 56, 0); /* no time of its parent is recorded */
    sample_seal_header(timeless.bytes + SAMPLE_HEADER);
    put(*state, "longer.vhd", longer);
    put(*state, "base.vhd", sample_dynamic(2, 1));
    scratch_put(*state, "text.vhd", "text", 4);
    put(*state, "size.vhd", sample_child(3, 1, "longer.vhd"));
    put(*state, "other.vhd", sample_child(4, 9, "base.vhd"));
    put(*state, "time.vhd", sample_child(5, 2, "base.vhd"));
    put(*state, "broken.vhd", sample_child(6, 2, "text.vhd"));
    put(*state, "good.vhd", timeless);
    put(*state, "grandchild.vhd", sample_child(8, 4, "other.vhd"));
    put(*state, "ping.vhd", sample_child(10, 11, "pong.vhd"));
    put(*state, "pong.vhd", sample_child(11, 10, "ping.vhd"));
    static const struct {
        const char *name;
        enum vhd_defect defect;
    } cases[] = {
        {"size", VHD_OTHER_SIZE},     {"other", VHD_OTHER_PARENT}, {"time", VHD_PARENT_TOUCHED},
        {"broken", VHD_BAD_PARENT},   {"good", VHD_SOUND},         {"grandchild", VHD_OTHER_PARENT},
        {"ping", VHD_CHAIN_TOO_LONG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vhd_info info = info_of(disks, cases[i].name);
        if (info.image.fault.defect != cases[i].defect)
            print_error("%s: %s\n", cases[i].name, info.image.fault.sentence);
        assert_int_equal(info.image.fault.defect, cases[i].defect);
        assert_int_equal(info.image.footer.current_size,
                         SAMPLE_SIZE); /* and all other values too */
    }
    disks_close(disks);
}

/* Info of a disk in use is available, and does not disturb its users. */
static void info_of_a_disk_in_use_disturbs_nobody(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_disk *disk;

    put(*state, "base.vhd", sample_dynamic(2, 1));
    put(*state, "child.vhd", sample_child(3, 2, "base.vhd"));
    assert_int_equal(vhd_disk_open(disks.catalogue, "child", VHD_DISK_WRITE, &disk, NULL), VHD_OK);
    assert_int_equal(info_of(disks, "child").image.fault.defect, VHD_PARENT_TOUCHED);
    assert_int_equal(info_of(disks, "base").image.fault.defect, VHD_SOUND);
    assert_int_equal(vhd_disk_close(disk, NULL), 0);
    disks_close(disks);
}

/* Of two faults it reports the one that keeps the disk from opening. */
static void a_missing_parent_is_worse_than_a_lost_footer(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_child(3, 2, "base.vhd");

    memset(sample_end(&sample), 0, 512);
    put(*state, "child.vhd", sample);
    assert_int_equal(info_of(disks, "child").image.fault.defect, VHD_NO_PARENT);
    put(*state, "base.vhd", sample_dynamic(2, 1));
    assert_int_equal(info_of(disks, "child").image.fault.defect, VHD_FOOTER_LOST);
    disks_close(disks);
}

static void other_files_than_disks_are_not_there(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_info info;

    put(*state, "real.vhd", sample_fixed(1));
    assert_int_equal(mkfifo(scratch_path(*state, "fifo.vhd"), 0666), 0);
    assert_int_equal(symlink("real.vhd", scratch_path(*state, "link.vhd")), 0);
    assert_int_equal(mkdir(scratch_path(*state, "folder.vhd"), 0777), 0);
    const char *const names[] = {"fifo", "link", "folder", "none", "real.vhd"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(vhd_info_read_all(disks.catalogue, names[i], &info), -ENOENT);
    unsigned children = 42;
    uuid_t parent = {1};
    assert_int_equal(vhd_catalogue_count_children(disks.catalogue, "a.vhd", parent, &children), 0);
    assert_int_equal(children, 0);
    disks_close(disks);
}

static void ask_without_permission(void *arg)
{
    const struct disks *disks = arg;
    struct vhd_info info;

    child_drop_root();
    CHILD_EXPECT(vhd_info_read_all(disks->catalogue, "secret", &info) == 0);
    CHILD_EXPECT(info.image.fault.defect == VHD_UNREADABLE);
    CHILD_EXPECT(info.image.length == SAMPLE_SIZE + 512);
    CHILD_EXPECT(!info.image.has_footer);
}

static void reports_missing_permission(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "secret.vhd", sample_fixed(1));
    assert_int_equal(chmod(scratch_path(*state, "secret.vhd"), 0), 0);
    in_child(ask_without_permission, &disks);
    disks_close(disks);
}

static void a_spoilt_image_has_info_all_the_same(void **state)
{
    enum { TIMES = 400 };
    uint64_t seed = UINT64_C(0xC0FFEE);
    struct disks disks = disks_open(*state);

    print_message("seed 0x%" PRIX64 ", %d images\n", seed, TIMES);
    for (int i = 0; i < TIMES; i++) {
        struct sample sample = sample_child(3, 3, "C:\\a\\b.vhd");
        sample_spoil(&sample, &seed);
        put(*state, "spoilt.vhd", sample);
        struct vhd_info info = info_of(disks, "spoilt");
        assert_true(strnlen(info.parent, sizeof info.parent) < sizeof info.parent);
        assert_null(strpbrk(info.parent, "/\\"));
        assert_true(info.children <= 1);
    }
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(reports_each_type),
        SCRATCH_TEST(reports_the_use_on_the_host),
        SCRATCH_TEST(reports_slack_and_depth_where_there_are_any),
        SCRATCH_TEST(names_the_parent_in_any_encoding),
        SCRATCH_TEST(a_parent_name_without_end_ends_with_its_field),
        SCRATCH_TEST(reads_neither_table_nor_children),
        SCRATCH_TEST(reports_that_it_cannot_count_children),
        SCRATCH_TEST(reports_the_fault_of_a_disk),
        SCRATCH_TEST(reports_a_disk_in_several_files),
        SCRATCH_TEST(reports_the_faults_of_its_parents),
        SCRATCH_TEST(info_of_a_disk_in_use_disturbs_nobody),
        SCRATCH_TEST(a_missing_parent_is_worse_than_a_lost_footer),
        SCRATCH_TEST(other_files_than_disks_are_not_there),
        SCRATCH_TEST(reports_missing_permission),
        SCRATCH_TEST(a_spoilt_image_has_info_all_the_same),
    };
    return cmocka_run_group_tests_name("info", tests, NULL, NULL);
}
