/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a sound disk could not be opened, or a damaged one could; or an open for reading
 * would change an image.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "gate.h"

static void opens_every_type_of_disk(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "fixed.vhd", sample_fixed(1));
    put(*state, "dynamic.vhd", sample_dynamic(2, 2));
    put(*state, "child.vhd", sample_child(3, 2, "dynamic.vhd"));
    const char *const names[] = {"fixed", "child", "dynamic"};
    for (size_t i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_disk(disks, names[i], 0);
        assert_int_equal(vhd_disk_size(disk), DISK);
        assert_false(vhd_disk_is_writable(disk));
        close_disk(disk);
    }
    for (size_t i = 0; i < 2; i++) {
        struct vhd_disk *disk = open_writable(disks, names[i]);
        assert_int_equal(vhd_disk_size(disk), DISK);
        assert_true(vhd_disk_is_writable(disk));
        close_disk(disk);
    }
    disks_close(disks);
}

static void to_close_nothing_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(vhd_disk_close(NULL, NULL), 0);
}

/* Store and catalogue may be released before the disk. */
static void keeps_its_catalogue(void **state)
{
    put(*state, "a.vhd", sample_dynamic(1, 1));
    struct disks disks = disks_open(*state);
    struct vhd_disk *disk = open_disk(disks, "a", 0);

    disks_close(disks);
    assert_int_equal(vhd_disk_make_writable(disk, NULL), VHD_OK);
    fill(disk, 0, BLOCK, 7);
    expect(disk, 0, BLOCK, 7);
    close_disk(disk);
}

static void open_in_a_folder_that_cannot_be_listed(void *path)
{
    struct vhd_disk *disk;

    child_drop_root();
    struct disks disks = disks_open(path);
    put(path, "a.vhd", sample_dynamic(1, 1));
    CHILD_EXPECT(chmod(path, 0300) == 0);
    CHILD_EXPECT(vhd_disk_open(disks.catalogue, "a", VHD_DISK_WRITE, &disk, NULL) ==
                 VHD_ACCESS_DENIED);
    CHILD_EXPECT(vhd_disk_open(disks.catalogue, "a", 0, &disk, NULL) == VHD_OK);
    CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
    CHILD_EXPECT(chmod(path, 0700) == 0);
    disks_close(disks);
}

/* Only a writer must know the children. */
static void a_reader_lists_no_store(void **state)
{
    in_child(open_in_a_folder_that_cannot_be_listed, scratch_folder_of_nobody(*state));
}

static void a_missing_disk_is_not_opened(void **state)
{
    struct disks disks = disks_open(*state);

    assert_int_equal(mkfifo(scratch_path(*state, "fifo.vhd"), 0666), 0);
    assert_int_equal(symlink("elsewhere", scratch_path(*state, "link.vhd")), 0);
    const char *const names[] = {"a", "fifo", "link", "", "..", "../a"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        refuse_disk(disks, names[i], 0, VHD_PATH_NOT_FOUND);
        refuse_disk(disks, names[i], VHD_DISK_WRITE, VHD_PATH_NOT_FOUND);
    }
    disks_close(disks);
}

static void a_damaged_disk_is_not_opened(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 2);

    put32(sample_entry(&sample, 0), 1 << 20);
    put(*state, "entry.vhd", sample);
    scratch_put(*state, "text.vhd", "text", 4);
    sample = sample_dynamic(1, 2);
    sample.bytes[SAMPLE_HEADER] ^= 1;
    put(*state, "header.vhd", sample);
    const char *const names[] = {"entry", "text", "header"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        refuse_disk(disks, names[i], 0, VHD_NOT_A_DISK);
        refuse_disk(disks, names[i], VHD_DISK_WRITE, VHD_NOT_A_DISK);
    }
    disks_close(disks);
}

static void the_sentence_names_fault_and_image(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 2);
    struct vhd_verdict why;
    struct vhd_disk *disk;

    put32(sample_entry(&sample, 1), 777777);
    put(*state, "bad.vhd", sample);
    assert_int_equal(vhd_disk_open(disks.catalogue, "bad", 0, &disk, &why), VHD_NOT_A_DISK);
    assert_non_null(strstr(why.sentence, "bad"));
    assert_non_null(strstr(why.sentence, "777777"));
    disks_close(disks);
}

static void reports_the_fault_of_a_parent(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample other = sample_of(SAMPLE_SIZE + 1024);

    put(*state, "orphan.vhd", sample_child(2, 1, "nobody.vhd"));
    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "stranger.vhd", sample_child(3, 9, "base.vhd"));
    sample_footer(sample_end(&other), SAMPLE_FIXED, SAMPLE_SIZE + 512, 5);
    put(*state, "longer.vhd", other);
    put(*state, "size.vhd", sample_child(4, 5, "longer.vhd"));
    put(*state, "ring.vhd", sample_child(6, 6, "ring.vhd"));
    put(*state, "ping.vhd", sample_child(7, 8, "pong.vhd"));
    put(*state, "pong.vhd", sample_child(8, 7, "ping.vhd"));
    scratch_put(*state, "text.vhd", "text", 4);
    put(*state, "reader.vhd", sample_child(10, 1, "text.vhd"));
    put(*state, "grandchild.vhd", sample_child(11, 2, "orphan.vhd"));
    static const struct {
        const char *name;
        enum vhd_result result;
    } cases[] = {
        {"orphan", VHD_PARENT_LOST},   {"stranger", VHD_PARENT_IDENTITY},
        {"size", VHD_PARENT_MODIFIED}, {"ping", VHD_CHAIN_ENDLESS},
        {"reader", VHD_NOT_A_DISK},    {"grandchild", VHD_PARENT_LOST},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refuse_disk(disks, cases[i].name, 0, cases[i].result);
    }
    struct vhd_disk *disk = NULL;
    assert_int_equal(vhd_disk_open(disks.catalogue, "ring", 0, &disk, NULL), VHD_CHAIN_ENDLESS);
    disks_close(disks);
}

/* After a copy, say: the content is the same, and only that counts. */
static void a_parents_time_stamp_does_not_matter(void **state)
{
    struct disks disks = disks_open(*state);
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(*state, "base.vhd"), times, 0), 0);
    close_disk(open_writable(disks, "child"));
    disks_close(disks);
}

static void an_open_for_reading_changes_nothing(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample lost = sample_dynamic(1, 2), slack = sample_dynamic(2, 2);

    memset(sample_end(&lost), 0, 512);
    put(*state, "lost.vhd", lost);
    slack.len += 2048;
    memset(slack.bytes + slack.len - 2560, 0xEE, 2048);
    sample_footers(&slack, SAMPLE_DYNAMIC, SAMPLE_SIZE, 2);
    put(*state, "slack.vhd", slack);
    const char *const files[] = {"lost.vhd", "slack.vhd"}, *const names[] = {"lost", "slack"};
    for (int i = 0; i < 2; i++) {
        struct kept kept = keep(*state, files[i]);
        struct vhd_disk *disk = open_disk(disks, names[i], 0);
        expect(disk, 0, BLOCK, 0xEE);
        assert_int_equal(vhd_disk_flush(disk), 0);
        close_disk(disk);
        expect_kept(*state, files[i], kept);
    }
    disks_close(disks);
}

static void a_clean_image_is_opened_without_a_change(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "fixed.vhd", sample_fixed(3));
    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    put_empty(*state, "empty.vhd", 64 * MB, 4, 0, NULL);
    const char *const files[] = {"fixed.vhd", "child.vhd", "empty.vhd"};
    const char *const names[] = {"fixed", "child", "empty"};
    for (int i = 0; i < 3; i++) {
        struct kept kept = keep(*state, files[i]), base = keep(*state, "base.vhd");
        struct vhd_disk *disk = open_writable(disks, names[i]);
        expect(disk, 0, i < 2 ? BLOCK : MB, i < 2 ? 0xEE : 0);
        assert_int_equal(vhd_disk_flush(disk), 0);
        close_disk(disk);
        expect_kept(*state, files[i], kept);
        expect_kept(*state, "base.vhd", base);
    }
    disks_close(disks);
}

static void open_without_permission(void *arg)
{
    const struct disks *disks = arg;
    struct vhd_disk *disk;

    child_drop_root();
    CHILD_EXPECT(vhd_disk_open(disks->catalogue, "secret", 0, &disk, NULL) == VHD_ACCESS_DENIED);
    CHILD_EXPECT(vhd_disk_open(disks->catalogue, "a", VHD_DISK_WRITE, &disk, NULL) ==
                 VHD_ACCESS_DENIED);
    CHILD_EXPECT(vhd_disk_open(disks->catalogue, "a", 0, &disk, NULL) == VHD_OK);
    CHILD_EXPECT(vhd_disk_make_writable(disk, NULL) == VHD_ACCESS_DENIED);
    CHILD_EXPECT(!vhd_disk_is_writable(disk));
    CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
}

static void needs_permission(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, 1));
    put(*state, "secret.vhd", sample_dynamic(2, 1));
    assert_int_equal(chmod(scratch_path(*state, "a.vhd"), 0444), 0);
    assert_int_equal(chmod(scratch_path(*state, "secret.vhd"), 0), 0);
    in_child(open_without_permission, &disks);
    disks_close(disks);
}

static void open_on_read_only_medium(void *path)
{
    struct vhd_disk *disk;

    child_mount(path, "size=1m");
    struct disks disks = disks_open(path);
    put(path, "a.vhd", sample_dynamic(1, 1));
    child_remount_read_only(path);
    CHILD_EXPECT(vhd_disk_open(disks.catalogue, "a", VHD_DISK_WRITE, &disk, NULL) == VHD_READ_ONLY);
    CHILD_EXPECT(vhd_disk_open(disks.catalogue, "a", 0, &disk, NULL) == VHD_OK);
    CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
    disks_close(disks);
}

static void a_read_only_medium_can_be_read(void **state)
{
    in_child(open_on_read_only_medium, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(opens_every_type_of_disk),
        cmocka_unit_test(to_close_nothing_is_nothing),
        SCRATCH_TEST(keeps_its_catalogue),
        SCRATCH_TEST(a_reader_lists_no_store),
        SCRATCH_TEST(a_missing_disk_is_not_opened),
        SCRATCH_TEST(a_damaged_disk_is_not_opened),
        SCRATCH_TEST(the_sentence_names_fault_and_image),
        SCRATCH_TEST(reports_the_fault_of_a_parent),
        SCRATCH_TEST(a_parents_time_stamp_does_not_matter),
        SCRATCH_TEST(an_open_for_reading_changes_nothing),
        SCRATCH_TEST(a_clean_image_is_opened_without_a_change),
        SCRATCH_TEST(needs_permission),
        SCRATCH_TEST(a_read_only_medium_can_be_read),
    };
    return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
