/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a copy of a disk would not be the same, or a copy of nothing would fill the host.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

struct pair {
    struct disks disks;
    struct vhd_disk *source, *target;
};

/* A child with data of its own, of its parent and of neither; and a disk full of other data. */
static struct pair pair_open(const char *folder)
{
    put(folder, "base.vhd", sample_dynamic(1, 2));
    put(folder, "source.vhd", sample_child(2, 1, "base.vhd"));
    put(folder, "target.vhd", sample_dynamic(3, 4));
    struct pair pair = {.disks = disks_open(folder)};
    pair.source = open_writable(pair.disks, "source");
    pair.target = open_writable(pair.disks, "target");
    fill(pair.source, 0, 100, 0x11);
    fill(pair.source, BLOCK - 50, 100, 0x22);
    fill(pair.target, 0, DISK, 0x99);
    return pair;
}

static void pair_close(struct pair pair)
{
    close_disk(pair.source);
    close_disk(pair.target);
    disks_close(pair.disks);
}

static void the_whole_content_is_copied(void **state)
{
    struct pair pair = pair_open(*state);
    uint8_t one[DISK], other[DISK];

    assert_int_equal(vhd_disk_copy(pair.source, 0, pair.target, 0, DISK), 0);
    assert_int_equal(vhd_disk_read(pair.source, one, DISK, 0, NULL), 0);
    assert_int_equal(vhd_disk_read(pair.target, other, DISK, 0, NULL), 0);
    assert_memory_equal(one, other, DISK);
    expect(pair.target, BLOCK - 50, 100, 0x22);
    pair_close(pair);
}

static void any_stretch_is_copied_and_no_more(void **state)
{
    struct pair pair = pair_open(*state);
    uint8_t source[DISK], model[DISK], got[DISK];
    uint64_t seed = 5;

    assert_int_equal(vhd_disk_read(pair.source, source, DISK, 0, NULL), 0);
    memset(model, 0x99, sizeof model);
    for (int times = 0; times < 200; times++) {
        uint64_t len = sample_random(&seed) % (times % 3 ? 900 : DISK);
        uint64_t from = sample_random(&seed) % (DISK - len + 1);
        uint64_t to = sample_random(&seed) % (DISK - len + 1);
        assert_int_equal(vhd_disk_copy(pair.source, from, pair.target, to, len), 0);
        memcpy(model + to, source + from, len);
        assert_int_equal(vhd_disk_read(pair.target, got, DISK, 0, NULL), 0);
        assert_memory_equal(got, model, DISK);
    }
    pair_close(pair);
}

static void holes_become_holes(void **state)
{
    struct pair pair = pair_open(*state);
    bool is_hole = false;
    uint8_t buf[2 * BLOCK];

    assert_int_equal(vhd_disk_copy(pair.source, 0, pair.target, 0, DISK), 0);
    assert_int_equal(vhd_disk_read(pair.target, buf, 2 * BLOCK, 2 * BLOCK, &is_hole), 0);
    assert_true(is_hole);
    close_disk(pair.target);
    assert_int_equal(expect_clean(*state, "target.vhd").allocated, 2);
    pair.target = open_writable(pair.disks, "target");
    pair_close(pair);
}

/* To copy two terabytes of holes takes no longer than to read their table. */
static void a_large_disk_of_nothing_is_copied_at_once(void **state)
{
    const uint64_t size = UINT64_C(2040) << 30;
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", size, 1, 0, NULL);
    put_empty(*state, "b.vhd", size, 2, 0, NULL);
    struct vhd_disk *source = open_writable(disks, "a"), *target = open_writable(disks, "b");
    fill(source, size / 2, 10, 7);
    fill(target, 0, 2 * MB, 7);
    assert_int_equal(vhd_disk_copy(source, 0, target, 0, size), 0);
    expect(target, size / 2, 10, 7);
    expect(target, 0, 2 * MB, 0);
    close_disk(source);
    close_disk(target);
    assert_int_equal(expect_clean(*state, "b.vhd").allocated, 1);
    disks_close(disks);
}

static void a_disk_can_be_copied_within(void **state)
{
    struct pair pair = pair_open(*state);

    assert_int_equal(vhd_disk_copy(pair.source, 0, pair.source, 2 * BLOCK, BLOCK + 10), 0);
    expect(pair.source, 2 * BLOCK, 100, 0x11);
    expect(pair.source, 3 * BLOCK, 10, 0x22);
    expect(pair.source, 3 * BLOCK + 10, BLOCK - 10, 0);
    pair_close(pair);
}

static void bounds_are_kept(void **state)
{
    struct pair pair = pair_open(*state);

    assert_int_equal(vhd_disk_copy(pair.source, 1, pair.target, 0, DISK), -ERANGE);
    assert_int_equal(vhd_disk_copy(pair.source, 0, pair.target, 1, DISK), -ERANGE);
    assert_int_equal(vhd_disk_copy(pair.source, UINT64_MAX, pair.target, 0, 1), -ERANGE);
    assert_int_equal(vhd_disk_copy(pair.source, 0, pair.target, UINT64_MAX, 2), -ERANGE);
    assert_int_equal(vhd_disk_copy(pair.source, 0, pair.target, 0, UINT64_MAX), -ERANGE);
    assert_int_equal(vhd_disk_copy(pair.source, DISK, pair.target, DISK, 0), 0);
    expect(pair.target, DISK - BLOCK, BLOCK, 0x99);
    pair_close(pair);
}

static void the_target_must_be_writable_the_source_not(void **state)
{
    struct pair pair = pair_open(*state);

    close_disk(pair.source);
    pair.source = open_disk(pair.disks, "source", 0);
    assert_int_equal(vhd_disk_copy(pair.source, 0, pair.target, 0, DISK), 0);
    assert_int_equal(vhd_disk_copy(pair.target, 0, pair.source, 0, BLOCK), -EROFS);
    pair_close(pair);
}

static void an_unreadable_source_is_reported(void **state)
{
    struct pair pair = pair_open(*state);

    close_disk(pair.source);
    pair.source = open_disk(pair.disks, "source", 0);
    assert_int_equal(truncate(scratch_path(*state, "source.vhd"), 4000), 0);
    assert_int_equal(vhd_disk_copy(pair.source, 0, pair.target, 0, BLOCK), -EIO);
    pair_close(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_whole_content_is_copied),
        SCRATCH_TEST(any_stretch_is_copied_and_no_more),
        SCRATCH_TEST(holes_become_holes),
        SCRATCH_TEST(a_large_disk_of_nothing_is_copied_at_once),
        SCRATCH_TEST(a_disk_can_be_copied_within),
        SCRATCH_TEST(bounds_are_kept),
        SCRATCH_TEST(the_target_must_be_writable_the_source_not),
        SCRATCH_TEST(an_unreadable_source_is_reported),
    };
    return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
