/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a writer would wait for a barrier that never comes, free space would stay unused,
 * or many slots would cost time that grows with their number.
 */
#include "disk/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "format/block.h"

static uint32_t pop(struct vhd_slots *slots)
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

static void a_barrier_with_waiting_slots_is_known(void **state)
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
 * A quarter of a million slots, each freed and made ready while all the others are. A cost that
 * grows with their number would take minutes, and the alarm would end it.
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
        assert_int_equal(pop(&slots), i);
    expect_none(&slots);
    alarm(0);
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
        cmocka_unit_test(a_barrier_with_waiting_slots_is_known),
        cmocka_unit_test(many_cost_little),
        cmocka_unit_test(all_gaps_are_used),
    };
    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
