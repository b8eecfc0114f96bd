/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a child that came or went, or changed in place, would stay unnoticed: its parent
 * could be deleted, or could not be changed any more.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "catalogue.h"
#include "disks.h"
#include "gate.h"

static void sees_children_come_and_go_at_once(void **state)
{
    enum { CHILDREN = 30 };
    struct disks disks = store_of(*state);
    char file[32];

    for (uint8_t i = 0; i < CHILDREN; i++) {
        snprintf(file, sizeof file, "%d.vhd", i);
        put(*state, file, sample_child((uint8_t)(100 + i), 2, "base.vhd"));
        assert_int_equal(children_of(disks, 2), i + 1);
    }
    assert_int_equal(rename(scratch_path(*state, "0.vhd"), scratch_path(*state, "x.VHD")), 0);
    assert_int_equal(children_of(disks, 2), CHILDREN);
    assert_int_equal(rename(scratch_path(*state, "x.VHD"), scratch_path(*state, "0.bak")), 0);
    assert_int_equal(children_of(disks, 2), CHILDREN - 1);
    assert_int_equal(rename(scratch_path(*state, "0.bak"), scratch_path(*state, "0.vhd")), 0);
    assert_int_equal(children_of(disks, 2), CHILDREN);
    for (int i = CHILDREN; i > 0; i--) {
        snprintf(file, sizeof file, "%d.vhd", i - 1);
        assert_int_equal(unlink(scratch_path(*state, file)), 0);
        assert_int_equal(children_of(disks, 2), i - 1);
    }
    disks_close(disks);
}

/* The listing was right until now; the change shows when its time is over. */
static void sees_a_change_after_a_rest(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "one.vhd", sample_child(11, 2, "base.vhd"));
    UNTIL(counts_without_a_listing(disks));
    put(*state, "two.vhd", sample_child(12, 2, "base.vhd"));
    assert_int_equal(children_of(disks, 2), 2);
    disks_close(disks);
}

static void sees_a_disk_replaced_under_its_name(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
    assert_int_equal(children_of(disks, 2), 1);
    put(*state, "new", sample_child(11, 3, "base.vhd"));
    assert_int_equal(rename(scratch_path(*state, "new"), scratch_path(*state, "child.vhd")), 0);
    assert_int_equal(children_of(disks, 2), 0);
    assert_int_equal(children_of(disks, 3), 1);

    put(*state, "new", sample_dynamic(11, 1));
    assert_int_equal(rename(scratch_path(*state, "new"), scratch_path(*state, "child.vhd")), 0);
    assert_int_equal(children_of(disks, 3), 0);
    put(*state, "new", sample_child(11, 2, "base.vhd"));
    assert_int_equal(rename(scratch_path(*state, "new"), scratch_path(*state, "child.vhd")), 0);
    assert_int_equal(children_of(disks, 2), 1);

    /* That file was there all the time, under the other case of the ending. */
    put(*state, "child.VHD", sample_child(12, 3, "base.vhd"));
    assert_int_equal(children_of(disks, 2), 1);
    assert_int_equal(children_of(disks, 3), 0);
    assert_int_equal(unlink(scratch_path(*state, "child.vhd")), 0);
    assert_int_equal(children_of(disks, 2), 0);
    assert_int_equal(children_of(disks, 3), 1);
    disks_close(disks);
}

/* Two files exchange their names. */
static void sees_disks_that_change_places(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "a.vhd", sample_child(11, 2, "base.vhd"));
    scratch_put(*state, "b.bak", "no VHD", 6);
    assert_int_equal(children_of(disks, 2), 1);
    const char *a = scratch_path(*state, "a.vhd"), *b = scratch_path(*state, "b.bak");
    for (int i = 0; i < 6; i++) {
        assert_int_equal(renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE), 0);
        assert_int_equal(children_of(disks, 2), i % 2);
    }
    disks_close(disks);
}

static int64_t nanoseconds_since(struct timespec then)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec - then.tv_sec) * INT64_C(1000000000) + now.tv_nsec - then.tv_nsec;
}

static void sees_a_header_changed_in_place_within_two_seconds(void **state)
{
    const int64_t two_seconds = INT64_C(2000000000);
    struct disks disks = store_of(*state);
    struct timespec changed;
    int64_t asked = 0;

    put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
    put(*state, "other.vhd", sample_dynamic(12, 1));
    assert_int_equal(children_of(disks, 2), 1);
    write_over_later(*state, "child.vhd", sample_child(11, 3, "base.vhd"));
    write_over_later(*state, "other.vhd", sample_child(12, 3, "base.vhd"));
    clock_gettime(CLOCK_REALTIME, &changed);
    do {
        assert_true(asked < two_seconds);
        asked = nanoseconds_since(changed);
        sched_yield();
    } while (children_of(disks, 3) == 0);
    assert_int_equal(children_of(disks, 3), 2);
    assert_int_equal(children_of(disks, 2), 0);
    disks_close(disks);
}

static void counts_again_on_demand(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
    assert_int_equal(children_of(disks, 2), 1);
    for (uint8_t i = 0; i < 20; i++) {
        write_over_later(*state, "child.vhd", sample_child(11, (uint8_t)(30 + i), "base.vhd"));
        assert_int_equal(children_now(disks, (uint8_t)(30 + i)), 1);
        assert_int_equal(children_now(disks, (uint8_t)(29 + i)), 0);
    }
    /* From now on this child is known. */
    assert_int_equal(children_of(disks, 49), 1);
    disks_close(disks);
}

/* Linux before 6.13; ext3, and ext4 with inodes of 128 bytes. */
static const long ticks[] = {10000000, 1000000000};

/*
 * Have a child counted and give it another parent. True if both were in one tick of the host's
 * clock.
 */
static bool change_within_a_tick(struct disks disks, const char *folder)
{
    put(folder, "child.vhd", sample_child(11, 2, "base.vhd"));
    struct timespec before = change_time(folder, "child.vhd");
    children_now(disks, 2);
    write_over(folder, "child.vhd", sample_child(11, 3, "base.vhd"));
    return is_same_time(before, change_time(folder, "child.vhd"));
}

/* Two changes in one tick leave a file with one and the same time. */
static void a_coarse_clock_hides_no_change(void **state)
{
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        struct disks disks = store_of(*state);
        tick_ns = ticks[i];
        UNTIL(change_within_a_tick(disks, *state));
        unsigned of_two = children_now(disks, 2), of_three = children_now(disks, 3);
        tick_ns = 1;
        disks_close(disks);
        assert_int_equal(of_two, 0);
        assert_int_equal(of_three, 1);
    }
}

/* The time of the folder is as coarse as those of files. */
static void a_coarse_clock_hides_no_disk(void **state)
{
    enum { TIMES = 30 };
    const char *path = scratch_path(*state, "child.vhd");

    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        struct disks disks = store_of(*state);
        unsigned unseen = 0;
        tick_ns = ticks[i];
        for (int j = 0; j < TIMES; j++) {
            put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
            unseen += children_of(disks, 2) != 1;
            assert_int_equal(unlink(path), 0);
            unseen += children_of(disks, 2) != 0;
        }
        tick_ns = 1;
        disks_close(disks);
        assert_int_equal(unseen, 0);
    }
}

/*
 * A file that is removed and made again at once can have the number and the time of the former one.
 */
static void sees_a_file_made_again(void **state)
{
    enum { TIMES = 100 };
    struct disks disks = store_of(*state);
    unsigned wrong = 0;

    tick_ns = 10000000;
    for (int i = 0; i < TIMES; i++) {
        put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
        wrong += children_now(disks, 2) != 1;
        assert_int_equal(unlink(scratch_path(*state, "child.vhd")), 0);
        put(*state, "child.vhd", sample_child(11, 3, "base.vhd"));
        wrong += children_now(disks, 3) != 1;
        assert_int_equal(unlink(scratch_path(*state, "child.vhd")), 0);
    }
    tick_ns = 1;
    disks_close(disks);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(sees_children_come_and_go_at_once),
        SCRATCH_TEST(sees_a_change_after_a_rest),
        SCRATCH_TEST(sees_a_disk_replaced_under_its_name),
        SCRATCH_TEST(sees_disks_that_change_places),
        SCRATCH_TEST(sees_a_header_changed_in_place_within_two_seconds),
        SCRATCH_TEST(counts_again_on_demand),
        SCRATCH_TEST(a_coarse_clock_hides_no_change),
        SCRATCH_TEST(a_coarse_clock_hides_no_disk),
        SCRATCH_TEST(sees_a_file_made_again),
    };
    return cmocka_run_group_tests_name("catalogue_change", tests, NULL, NULL);
}
