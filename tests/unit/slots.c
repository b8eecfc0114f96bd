/*
 * If this failed: two blocks would get one slot, a slot be used before it is safe, or space that is
 * free never be used again.
 */
#include "disk/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "format/block.h"
#include "sample.h"

static uint32_t take(struct vhd_slots *slots)
{
    uint32_t sector = 0;
    assert_true(vhd_slots_pop(slots, &sector));
    return sector;
}

static void expect_none(struct vhd_slots *slots)
{
    uint32_t sector = 4711;
    assert_false(vhd_slots_pop(slots, &sector));
    assert_int_equal(sector, 4711);
    assert_int_equal(vhd_slots_ready(slots), 0);
}

static void there_are_none_at_first(void **state)
{
    (void)state;
    struct vhd_slots slots = {0};
    uint32_t sector;

    expect_none(&slots);
    assert_int_equal(vhd_slots_waiting(&slots), 0);
    assert_false(vhd_slots_cut(&slots, 4096, &sector));
    vhd_slots_barrier_completed(&slots, UINT64_MAX);
    expect_none(&slots);
    vhd_slots_free(&slots);
    vhd_slots_free(&slots);
}

static void a_slot_waits_for_its_barrier(void **state)
{
    (void)state;
    struct vhd_slots slots = {0};

    assert_int_equal(vhd_slots_wait(&slots, 10, 3), 0);
    assert_int_equal(vhd_slots_wait(&slots, 20, 5), 0);
    assert_int_equal(vhd_slots_waiting(&slots), 2);
    vhd_slots_barrier_completed(&slots, 2);
    expect_none(&slots);
    vhd_slots_barrier_completed(&slots, 3);
    assert_int_equal(vhd_slots_waiting(&slots), 1);
    assert_int_equal(vhd_slots_ready(&slots), 1);
    assert_int_equal(take(&slots), 10);
    expect_none(&slots);
    vhd_slots_barrier_completed(&slots, 7); /* a later one does as well */
    assert_int_equal(take(&slots), 20);
    expect_none(&slots);
    vhd_slots_free(&slots);
}

static void the_lowest_is_taken_first(void **state)
{
    (void)state;
    static const uint32_t sectors[] = {500, 3, UINT32_MAX - 1, 90, 2, 1000, 4};
    static const uint32_t sorted[] = {2, 3, 4, 90, 500, 1000, UINT32_MAX - 1};
    struct vhd_slots slots = {0};

    for (size_t i = 0; i < 7; i++)
        assert_int_equal(vhd_slots_wait(&slots, sectors[i], 1), 0);
    vhd_slots_barrier_completed(&slots, 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(take(&slots), sorted[i]);
    /* What comes later and lies lower goes before what was there. */
    assert_int_equal(vhd_slots_wait(&slots, 50, 2), 0);
    vhd_slots_barrier_completed(&slots, 2);
    assert_int_equal(take(&slots), 50);
    for (size_t i = 3; i < 7; i++)
        assert_int_equal(take(&slots), sorted[i]);
    expect_none(&slots);
    vhd_slots_free(&slots);
}

static void a_barrier_that_is_waited_for_is_known(void **state)
{
    (void)state;
    struct vhd_slots slots = {0};

    assert_false(vhd_slots_wait_for(&slots, UINT64_MAX));
    assert_int_equal(vhd_slots_wait(&slots, 10, 5), 0);
    assert_int_equal(vhd_slots_wait(&slots, 20, 3), 0);
    assert_int_equal(vhd_slots_wait(&slots, 30, 7), 0);
    assert_false(vhd_slots_wait_for(&slots, 2));
    assert_true(vhd_slots_wait_for(&slots, 3));
    vhd_slots_barrier_completed(&slots, 4);
    assert_false(vhd_slots_wait_for(&slots, 4));
    assert_true(vhd_slots_wait_for(&slots, 5));
    vhd_slots_barrier_completed(&slots, 6);
    assert_false(vhd_slots_wait_for(&slots, 6));
    assert_true(vhd_slots_wait_for(&slots, 7));
    vhd_slots_barrier_completed(&slots, 7);
    assert_false(vhd_slots_wait_for(&slots, UINT64_MAX));
    vhd_slots_free(&slots);
}

/*
 * A quarter of a million, one freed at a time and made ready while all before are: with a cost that
 * grows with their number this takes minutes, and the alarm ends it.
 */
static void many_cost_little(void **state)
{
    (void)state;
    enum { COUNT = 1 << 18, SECONDS = 20 };
    struct vhd_slots slots = {0};

    alarm(SECONDS);
    for (uint32_t i = COUNT; i > 0; i--) {
        assert_int_equal(vhd_slots_wait(&slots, i, COUNT - i), 0);
        vhd_slots_barrier_completed(&slots, COUNT - i);
    }
    for (uint32_t i = 1; i <= COUNT; i++)
        assert_int_equal(take(&slots), i);
    expect_none(&slots);
    alarm(0);
    vhd_slots_free(&slots);
}

/* Thousands, in and out in any order: none is lost and none comes twice. */
static void each_comes_back_once(void **state)
{
    (void)state;
    enum { COUNT = 4000 };
    static uint8_t where[COUNT]; /* 0: nowhere, 1: waiting or ready, 2: taken */
    struct vhd_slots slots = {0};
    uint64_t seed = 9, barrier = 0;
    unsigned inside = 0;

    for (int times = 0; times < 40000; times++) {
        uint32_t sector = (uint32_t)(sample_random(&seed) % COUNT);
        unsigned what = (unsigned)(sample_random(&seed) >> 20) % 8;
        if (what < 4 && where[sector] != 1) {
            assert_int_equal(vhd_slots_wait(&slots, sector, barrier + 1), 0);
            where[sector] = 1;
            inside++;
        } else if (what == 4) {
            vhd_slots_barrier_completed(&slots, ++barrier);
            assert_int_equal(vhd_slots_waiting(&slots), 0);
        } else if (vhd_slots_pop(&slots, &sector)) {
            assert_int_equal(where[sector], 1);
            where[sector] = 2;
            inside--;
        }
        assert_int_equal(vhd_slots_ready(&slots) + vhd_slots_waiting(&slots), inside);
    }
    vhd_slots_free(&slots);
}

static void slots_are_cut_with_their_data_on_pages(void **state)
{
    (void)state;
    for (uint32_t block = 512; block <= 4u << 20; block *= 2) {
        const uint64_t length = vhd_block_length(block);
        struct vhd_slots slots = {0};
        const uint64_t at = 2048, end = at + 5 * (length + 4096);
        uint64_t before = at;
        uint32_t sector;
        unsigned count = 0;

        assert_int_equal(vhd_slots_add_gap(&slots, at, end), 0);
        while (vhd_slots_cut(&slots, block, &sector)) {
            const uint64_t slot = (uint64_t)sector * 512;
            assert_true(slot >= before);
            assert_true(slot + length <= end);
            if (slot + length + 4096 <= end)
                assert_int_equal((slot + vhd_block_bitmap_length(block)) % 4096, 0);
            before = slot + length;
            count++;
        }
        assert_true(count >= 5);
        assert_false(vhd_slots_cut(&slots, block, &sector));
        vhd_slots_free(&slots);
    }
}

/* Where another program had packed a block, a block fits again. */
static void a_gap_of_just_a_block_will_do(void **state)
{
    (void)state;
    for (uint64_t at = 2048; at < 2048 + 4096; at += 512) {
        struct vhd_slots slots = {0};
        uint32_t sector;
        assert_int_equal(vhd_slots_add_gap(&slots, at, at + vhd_block_length(4096)), 0);
        assert_true(vhd_slots_cut(&slots, 4096, &sector));
        assert_int_equal((uint64_t)sector * 512, at);
        assert_false(vhd_slots_cut(&slots, 4096, &sector));
        vhd_slots_free(&slots);
    }
}

static void what_is_too_small_is_no_slot(void **state)
{
    (void)state;
    struct vhd_slots slots = {0};
    uint32_t sector;

    assert_int_equal(vhd_slots_add_gap(&slots, 2048, 2048 + vhd_block_length(4096) - 1), 0);
    assert_int_equal(vhd_slots_add_gap(&slots, 9000, 9000), 0);
    assert_false(vhd_slots_cut(&slots, 4096, &sector));
    assert_int_equal(vhd_slots_add_gap(&slots, 100000, 200000), 0);
    assert_true(vhd_slots_cut(&slots, 4096, &sector));
    assert_in_range((uint64_t)sector * 512, 100000, 200000 - vhd_block_length(4096));
    vhd_slots_free(&slots);
}

static void all_gaps_are_used(void **state)
{
    (void)state;
    enum { GAPS = 100 };
    struct vhd_slots slots = {0};
    bool is_used[GAPS] = {false};
    uint32_t sector;

    for (uint64_t i = 0; i < GAPS; i++)
        assert_int_equal(vhd_slots_add_gap(&slots, i << 20, (i << 20) + vhd_block_length(4096)), 0);
    for (int i = 0; i < GAPS; i++) {
        assert_true(vhd_slots_cut(&slots, 4096, &sector));
        uint64_t gap = (uint64_t)sector * 512 >> 20;
        assert_in_range(gap, 0, GAPS - 1);
        assert_false(is_used[gap]);
        is_used[gap] = true;
    }
    assert_false(vhd_slots_cut(&slots, 4096, &sector));
    vhd_slots_free(&slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_none_at_first),
        cmocka_unit_test(a_slot_waits_for_its_barrier),
        cmocka_unit_test(the_lowest_is_taken_first),
        cmocka_unit_test(a_barrier_that_is_waited_for_is_known),
        cmocka_unit_test(many_cost_little),
        cmocka_unit_test(each_comes_back_once),
        cmocka_unit_test(slots_are_cut_with_their_data_on_pages),
        cmocka_unit_test(a_gap_of_just_a_block_will_do),
        cmocka_unit_test(what_is_too_small_is_no_slot),
        cmocka_unit_test(all_gaps_are_used),
    };
    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
