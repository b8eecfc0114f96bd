/* SPDX-License-Identifier: MIT */
/*
 * If this failed, recovery would not know where the header of a disk belongs after a crash, or it
 * would take other bytes for that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "format/hop.h"

static const struct vhd_hop sample = {
    .header = 512,
    .locators = UINT64_C(0x123456789A00),
    .far_locators = UINT64_C(0x223456789A00),
    .length = 1536,
    .uuid = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
};

static void it_reads_as_it_was_written(void **state)
{
    struct vhd_hop_disk disk;
    struct vhd_hop hop = {0};
    (void)state;

    vhd_hop_encode(&sample, &disk);
    assert_memory_equal(&disk, "vhdfshop", 8);
    assert_true(vhd_hop_decode(&disk, &hop));
    assert_int_equal(hop.header, sample.header);
    assert_int_equal(hop.locators, sample.locators);
    assert_int_equal(hop.far_locators, sample.far_locators);
    assert_int_equal(hop.length, sample.length);
    assert_memory_equal(hop.uuid, sample.uuid, sizeof hop.uuid);
}

/* Each byte counts. */
static void a_changed_byte_makes_it_void(void **state)
{
    struct vhd_hop_disk disk;
    struct vhd_hop hop;
    (void)state;

    vhd_hop_encode(&sample, &disk);
    for (size_t i = 0; i < sizeof disk; i++) {
        uint8_t *byte = (uint8_t *)&disk + i;
        *byte ^= 0x40;
        assert_false(vhd_hop_decode(&disk, &hop));
        *byte ^= 0x40;
    }
    memset(&disk, 0, sizeof disk);
    assert_false(vhd_hop_decode(&disk, &hop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_as_it_was_written),
        cmocka_unit_test(a_changed_byte_makes_it_void),
    };
    return cmocka_run_group_tests_name("hop", tests, NULL, NULL);
}
