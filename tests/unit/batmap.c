/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a block would overwrite blktap's map of full blocks, and blktap would then read
 * data as zeros.
 */
#include "format/batmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* blktap, include/vhd.h, "struct vhd_batmap_header": as its bytes are. */
static void is_read_from_its_places(void **state)
{
    (void)state;
    const uint8_t bytes[] = {
        't',  'd',  'b',  'a',  't',  'm',  'a',  'p',  0,
        0,    0,    1,    0x02, 0x03, 0x04, 0x00, /* offset */
        0x00, 0x01, 0x00, 0x02,                   /* sectors */
        0,    1,    0,    2,    0xFF, 0xFF, 0xFF, 0xFE, 0,
    };
    struct vhd_batmap_disk disk;
    uint64_t offset = 0, length = 0;

    assert_int_equal(offsetof(struct vhd_batmap_disk, version), 20);
    assert_int_equal(offsetof(struct vhd_batmap_disk, marker), 28);
    memcpy(&disk, bytes, sizeof disk);
    assert_true(vhd_batmap_decode(&disk, &offset, &length));
    assert_int_equal(offset, UINT64_C(0x102030400));
    assert_int_equal(length, UINT64_C(0x10002) * 512);
}

static void another_cookie_is_no_batmap(void **state)
{
    (void)state;
    uint64_t offset = 7, length = 8;

    for (size_t i = 0; i < 8; i++) {
        struct vhd_batmap_disk disk = {0};
        memcpy(disk.cookie, "tdbatmap", 8);
        disk.cookie[i] ^= 0x20;
        assert_false(vhd_batmap_decode(&disk, &offset, &length));
    }
    assert_int_equal(offset, 7);
    assert_int_equal(length, 8);
}

/* The values of a hostile map wrap nowhere. */
static void the_largest_numbers_are_reported(void **state)
{
    (void)state;
    struct vhd_batmap_disk disk;
    uint64_t offset, length;

    memset(&disk, 0xFF, sizeof disk);
    memcpy(disk.cookie, "tdbatmap", 8);
    assert_true(vhd_batmap_decode(&disk, &offset, &length));
    assert_int_equal(offset, UINT64_MAX);
    assert_int_equal(length, UINT64_C(0xFFFFFFFF) * 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_from_its_places),
        cmocka_unit_test(another_cookie_is_no_batmap),
        cmocka_unit_test(the_largest_numbers_are_reported),
    };
    return cmocka_run_group_tests_name("batmap", tests, NULL, NULL);
}
