/* SPDX-License-Identifier: MIT */
/*
 * If this failed: discarded data would come back, or other data go with it; or its space would stay
 * used; or a slot that still holds data of one block would go to another.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

static void discard(struct vhd_disk *disk, uint64_t off, uint64_t len)
{
    assert_int_equal(vhd_disk_discard(disk, len, off), 0);
}

static void bounds_are_kept(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "dynamic.vhd", sample_dynamic(1, 2));
    put(*state, "fixed.vhd", sample_fixed(2));
    const char *const names[] = {"dynamic", "fixed"};
    for (int i = 0; i < 2; i++) {
        struct vhd_disk *disk = open_writable(disks, names[i]);
        assert_int_equal(vhd_disk_discard(disk, 1, DISK), -ERANGE);
        assert_int_equal(vhd_disk_discard(disk, DISK + 1, 0), -ERANGE);
        assert_int_equal(vhd_disk_discard(disk, UINT64_MAX, 1), -ERANGE);
        assert_int_equal(vhd_disk_discard(disk, 0, DISK), 0);
        assert_int_equal(vhd_disk_discard(disk, 0, 0), 0);
        expect(disk, 0, 2 * BLOCK, 0xEE);
        close_disk(disk);
        disk = open_disk(disks, names[i], 0);
        assert_int_equal(vhd_disk_discard(disk, 1, 0), -EROFS);
        close_disk(disk);
    }
    disks_close(disks);
}

static void exactly_the_discarded_range_reads_as_zeros(void **state)
{
    static const struct {
        uint64_t off, len;
    } ranges[] = {
        {0, 1},         {1, 510},      {511, 2},
        {512, 512},     {100, BLOCK},  {0, BLOCK},
        {BLOCK, BLOCK}, {0, DISK},     {BLOCK - 1, BLOCK + 2},
        {3000, 9000},   {DISK - 1, 1}, {DISK - 513, 513},
    };
    const char *const names[] = {"dynamic", "fixed", "child"};

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        put(*state, "dynamic.vhd", sample_dynamic(1, 4));
        put(*state, "fixed.vhd", sample_fixed(2));
        put(*state, "base.vhd", sample_dynamic(3, 4));
        put(*state, "child.vhd", sample_child(4, 3, "base.vhd"));
        struct kept base = keep(*state, "base.vhd");
        struct disks disks = disks_open(*state);
        const uint64_t off = ranges[i].off, end = off + ranges[i].len;
        for (int type = 0; type < 3; type++) {
            struct vhd_disk *disk = open_writable(disks, names[type]);
            discard(disk, off, end - off);
            for (int times = 0; times < 2; times++) {
                expect(disk, 0, off, 0xEE);
                expect(disk, off, end - off, 0);
                expect(disk, end, DISK - end, 0xEE);
                close_disk(disk);
                disk = open_writable(disks, names[type]);
            }
            close_disk(disk);
        }
        expect_kept(*state, "base.vhd", base);
        expect_clean(*state, "dynamic.vhd");
        expect_clean(*state, "child.vhd");
        disks_close(disks);
    }
}

static void whole_blocks_leave_the_image(void **state)
{
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", 64 * MB, 1, 0, NULL);
    const uint64_t empty = file_length(*state, "a.vhd");
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, 12 * MB, 1);
    discard(disk, 4 * MB, 8 * MB);
    expect(disk, 4 * MB, 8 * MB, 0);
    close_disk(disk);
    assert_int_equal(expect_clean(*state, "a.vhd").allocated, 2);
    for (unsigned block = 0; block < 6; block++)
        assert_int_equal(file_entry(*state, "a.vhd", block) == 0xFFFFFFFF, block >= 2);
    assert_true(file_length(*state, "a.vhd") < empty + 5 * MB);

    disk = open_writable(disks, "a");
    discard(disk, 0, 64 * MB);
    close_disk(disk);
    assert_int_equal(expect_clean(*state, "a.vhd").allocated, 0);
    assert_int_equal(file_length(*state, "a.vhd"), empty);
    disks_close(disks);
}

static void the_host_gets_the_space_back(void **state)
{
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", 64 * MB, 1, 0, NULL);
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, 8 * MB, 1);
    assert_int_equal(vhd_disk_flush(disk), 0);
    const uint64_t before = file_used(*state, "a.vhd");
    discard(disk, MB, MB); /* a part of a block */
    assert_int_equal(vhd_disk_flush(disk), 0);
    const uint64_t part = file_used(*state, "a.vhd");
    assert_true(part <= before - MB + 65536);
    discard(disk, 0, 8 * MB);
    assert_int_equal(vhd_disk_flush(disk), 0);
    assert_true(file_used(*state, "a.vhd") <= part - 7 * MB + 262144);
    close_disk(disk);
    disks_close(disks);
}

static void to_discard_holes_costs_nothing(void **state)
{
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", UINT64_C(2040) << 30, 1, 0, NULL);
    struct kept kept = keep(*state, "a.vhd");
    struct vhd_disk *disk = open_writable(disks, "a");
    discard(disk, 0, UINT64_C(2040) << 30);
    discard(disk, 12345, UINT64_C(1) << 40);
    close_disk(disk);
    expect_kept(*state, "a.vhd", kept);
    disks_close(disks);
}

static void a_slot_is_used_again(void **state)
{
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", 64 * MB, 1, 0, NULL);
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, 8 * MB, 0xAB);
    assert_int_equal(vhd_disk_flush(disk), 0);
    for (uint64_t round = 0; round < 7; round++) {
        discard(disk, round * 8 * MB, 8 * MB);
        assert_int_equal(vhd_disk_flush(disk), 0);
        for (uint64_t block = 0; block < 4; block++) {
            fill(disk, (round + 1) * 8 * MB + block * 2 * MB + 7, 1, 0xCD);
            expect(disk, (round + 1) * 8 * MB + block * 2 * MB, 7, 0);
            expect(disk, (round + 1) * 8 * MB + block * 2 * MB + 8, 2 * MB - 8, 0);
        }
        assert_int_equal(vhd_disk_flush(disk), 0);
    }
    close_disk(disk);
    assert_int_equal(expect_clean(*state, "a.vhd").allocated, 4);
    assert_true(file_length(*state, "a.vhd") < UINT64_C(64) * MB);
    disks_close(disks);
}

/* Its bitmap says that only a part of it was written. For another block that would be wrong. */
static void a_foreign_block_set_in_part_is_not_used_again_as_it_is(void **state)
{
    struct disks disks = disks_open(*state);

    for (int is_reopened = 0; is_reopened < 2; is_reopened++) {
        struct sample sample = sample_dynamic(1, 3);
        for (unsigned block = 0; block < 3; block++)
            memset(sample.bytes + (size_t)get32(sample_entry(&sample, block)) * 512, 0, 512);
        put(*state, "a.vhd", sample);
        struct vhd_disk *disk = open_writable(disks, "a");
        discard(disk, 0, 2 * BLOCK);
        assert_int_equal(vhd_disk_flush(disk), 0);
        if (is_reopened) {
            close_disk(disk);
            disk = open_writable(disks, "a");
        }
        fill(disk, 3 * BLOCK, BLOCK, 0x42);
        fill(disk, 0, 1, 0x43);
        expect(disk, 3 * BLOCK, BLOCK, 0x42);
        close_disk(disk);
        disk = open_disk(disks, "a", 0);
        expect(disk, 3 * BLOCK, BLOCK, 0x42);
        expect(disk, 0, 1, 0x43);
        expect(disk, 1, 3 * BLOCK - 1, 0);
        close_disk(disk);
        expect_clean(*state, "a.vhd");
    }
    disks_close(disks);
}

/* The child needs zeros of its own only where the parent has data. */
static void a_childs_block_leaves_where_no_parent_has_data(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(*state, "middle.vhd", sample_child(2, 1, "base.vhd"));
    put(*state, "top.vhd", sample_child(3, 2, "middle.vhd"));
    struct vhd_disk *disk = open_writable(disks, "top");
    fill(disk, 0, DISK, 0x21);
    assert_int_equal(vhd_disk_flush(disk), 0);
    discard(disk, 0, DISK);
    expect(disk, 0, DISK, 0);
    assert_int_equal(vhd_disk_flush(disk), 0);
    close_disk(disk);
    for (unsigned block = 0; block < 4; block++)
        assert_int_equal(file_entry(*state, "top.vhd", block) == 0xFFFFFFFF, block >= 2);
    disk = open_disk(disks, "top", 0);
    expect(disk, 0, DISK, 0);
    close_disk(disk);
    disks_close(disks);
}

static void a_child_discards_data_of_its_parent_alone(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 3));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    struct vhd_disk *disk = open_writable(disks, "child");
    discard(disk, BLOCK, BLOCK);
    discard(disk, 2 * BLOCK + 100, 200);
    discard(disk, 3 * BLOCK, BLOCK); /* a hole in both */
    for (int times = 0; times < 2; times++) {
        expect(disk, 0, BLOCK, 0xEE);
        expect(disk, BLOCK, BLOCK, 0);
        expect(disk, 2 * BLOCK, 100, 0xEE);
        expect(disk, 2 * BLOCK + 100, 200, 0);
        expect(disk, 2 * BLOCK + 300, BLOCK - 300, 0xEE);
        close_disk(disk);
        disk = open_writable(disks, "child");
    }
    close_disk(disk);
    assert_int_equal(file_entry(*state, "child.vhd", 3), 0xFFFFFFFF);
    disks_close(disks);
}

static void a_discarded_range_is_a_hole(void **state)
{
    struct disks disks = disks_open(*state);
    uint64_t found;

    put_empty(*state, "a.vhd", 16 * MB, 1, 0, NULL);
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, 8 * MB, 1);
    discard(disk, 2 * MB, 4 * MB);
    assert_int_equal(vhd_disk_seek(disk, 0, true, &found), 0);
    assert_int_equal(found, 2 * MB);
    assert_int_equal(vhd_disk_seek(disk, 2 * MB, false, &found), 0);
    assert_int_equal(found, 6 * MB);
    close_disk(disk);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(bounds_are_kept),
        SCRATCH_TEST(exactly_the_discarded_range_reads_as_zeros),
        SCRATCH_TEST(whole_blocks_leave_the_image),
        SCRATCH_TEST(the_host_gets_the_space_back),
        SCRATCH_TEST(to_discard_holes_costs_nothing),
        SCRATCH_TEST(a_slot_is_used_again),
        SCRATCH_TEST(a_foreign_block_set_in_part_is_not_used_again_as_it_is),
        SCRATCH_TEST(a_childs_block_leaves_where_no_parent_has_data),
        SCRATCH_TEST(a_child_discards_data_of_its_parent_alone),
        SCRATCH_TEST(a_discarded_range_is_a_hole),
    };
    return cmocka_run_group_tests_name("discard", tests, NULL, NULL);
}
