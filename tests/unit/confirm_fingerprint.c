/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a disk that only vhdfs has changed would count as changed by another program, or
 * a change by another program would stay unnoticed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "confirm.h"
#include "engine.h"

/* A change right after the close shows, however coarse the clock of the host. */
static void a_written_disk_is_left_with_a_reliable_fingerprint(void **state)
{
    const char *const files[] = {"dynamic.vhd", "fixed.vhd", "child.vhd"};
    const char *const names[] = {"dynamic", "fixed", "child"};
    struct disks disks = disks_open(*state);
    struct vhd_fingerprint left;
    struct stat attributes;

    put(*state, "dynamic.vhd", sample_dynamic(1, 2));
    put(*state, "fixed.vhd", sample_fixed(2));
    put(*state, "base.vhd", sample_dynamic(3, 4));
    age(*state, "base.vhd");
    put(*state, "child.vhd", sample_child(4, 3, "base.vhd"));
    nanosleep(&(struct timespec){.tv_nsec = 50000000},
              NULL); /* the base's ctime is of a past tick */
    for (int i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_writable(disks, names[i]);
        fill(disk, 0, 512, 7);
        assert_int_equal(vhd_disk_close(disk, &left), 0);
        assert_true(left.is_reliable);
        assert_int_equal(left.parents != 0, i == 2);
        assert_int_equal(stat(scratch_path(*state, files[i]), &attributes), 0);
        assert_true(vhd_fingerprint_is_file(&left, &attributes));
        struct vhd_fingerprint now = vhd_fingerprint_of(&attributes);
        now.parents = left.parents;
        assert_true(vhd_fingerprint_is_same(&left, &now));
        write_at(*state, files[i], "x", 1, SAMPLE_DATA + 600);
        assert_int_equal(stat(scratch_path(*state, files[i]), &attributes), 0);
        now = vhd_fingerprint_of(&attributes);
        now.parents = left.parents;
        assert_false(vhd_fingerprint_is_same(&left, &now));
    }
    disks_close(disks);
}

/*
 * Children that others made have recorded the time of their parent: it stays if nothing is written.
 */
static void an_unwritten_disk_keeps_its_time(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_fingerprint left, opened;

    put(*state, "a.vhd", sample_dynamic(1, 2));
    age(*state, "a.vhd");
    for (unsigned flags = 0; flags <= VHD_DISK_WRITE; flags++) {
        struct kept kept = keep(*state, "a.vhd");
        struct vhd_disk *disk = open_disk(disks, "a", flags);
        expect(disk, 0, BLOCK, 0xEE);
        assert_int_equal(vhd_disk_fingerprint(disk, &opened), 0);
        assert_int_equal(vhd_disk_close(disk, &left), 0);
        assert_true(vhd_fingerprint_is_same(&left, &opened));
        expect_kept(*state, "a.vhd", kept);
    }
    disks_close(disks);
}

static int note_file(void *arg, const char *file, const struct stat *attributes)
{
    char *notes = arg;

    assert_true(S_ISREG(attributes->st_mode));
    strcat(strcat(notes, file), " ");
    return strcmp(file, "stop.vhd") == 0 ? 7 : 0;
}

static void each_file_is_visited_from_the_top(void **state)
{
    struct disks disks = disks_open(*state);
    char notes[100] = "";

    put(*state, "base.vhd", sample_dynamic(1, 4));
    put(*state, "stop.vhd", sample_child(2, 1, "base.vhd"));
    put(*state, "top.vhd", sample_child(3, 2, "stop.vhd"));
    struct vhd_disk *disk = open_disk(disks, "top", 0);
    assert_int_equal(vhd_disk_each_file(disk, note_file, notes), 7);
    assert_string_equal(notes, "top.vhd stop.vhd ");
    close_disk(disk);
    disks_close(disks);
}

/* The content of a child depends on each of its parents. */
static void a_change_of_a_parent_shows(void **state)
{
    struct vhd_fingerprint before, after;
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 4));
    put(*state, "middle.vhd", sample_child(2, 1, "base.vhd"));
    put(*state, "top.vhd", sample_child(3, 2, "middle.vhd"));
    const char *const files[] = {"base.vhd", "middle.vhd"};
    for (int i = 0; i < 2; i++) {
        age(*state, files[i]);
        struct vhd_disk *disk = open_disk(disks, "top", 0);
        assert_int_equal(vhd_disk_fingerprint(disk, &before), 0);
        assert_int_equal(vhd_disk_confirm(disk), 0);
        write_at(*state, files[i], "x", 1, SAMPLE_DATA + 600);
        assert_int_equal(vhd_disk_confirm(disk), -ESTALE);
        close_disk(disk);
        disk = open_disk(disks, "top", 0);
        assert_int_equal(vhd_disk_fingerprint(disk, &after), 0);
        assert_false(vhd_fingerprint_is_same(&before, &after));
        close_disk(disk);
    }
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_written_disk_is_left_with_a_reliable_fingerprint),
        SCRATCH_TEST(an_unwritten_disk_keeps_its_time),
        SCRATCH_TEST(each_file_is_visited_from_the_top),
        SCRATCH_TEST(a_change_of_a_parent_shows),
    };
    return cmocka_run_group_tests_name("confirm_fingerprint", tests, NULL, NULL);
}
