/* SPDX-License-Identifier: MIT */
/*
 * If this failed, sound disks of other programs would be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "image/image.h"
#include "judged.h"
#include "sample.h"

static void accepts_a_fixed_disk(void **state)
{
    (void)state;
    struct vhd_image image = accept_image(sample_fixed(7));
    assert_int_equal(image.footer.type, VHD_TYPE_FIXED);
    assert_int_equal(image.footer.current_size, SAMPLE_SIZE);
    assert_int_equal(image.footer.uuid[0], 7);
    assert_false(image.has_header);
}

/* A guest can write anything into the first sector, a whole footer included. */
static void a_fixed_disk_is_judged_by_its_end(void **state)
{
    (void)state;
    struct sample sample = sample_fixed(7);
    sample_footer(sample.bytes, SAMPLE_DYNAMIC, 1 << 30, 8);
    struct vhd_image image = accept_image(sample);
    assert_int_equal(image.footer.type, VHD_TYPE_FIXED);
    assert_int_equal(image.footer.current_size, SAMPLE_SIZE);
    assert_int_equal(image.footer.uuid[0], 7);
}

static void accepts_dynamic_disks(void **state)
{
    (void)state;
    for (unsigned allocated = 0; allocated <= SAMPLE_BLOCKS; allocated++) {
        struct vhd_image image = accept_image(sample_dynamic(9, allocated));
        assert_int_equal(image.footer.type, VHD_TYPE_DYNAMIC);
        assert_int_equal(image.footer.current_size, SAMPLE_SIZE);
        assert_int_equal(image.footer.timestamp, 0x12345678);
        assert_memory_equal(image.footer.creator_app, "test", 4);
        assert_int_equal(image.footer.creator_version, 0x00020003);
        assert_int_equal(image.footer.creator_host, VHD_HOST_WINDOWS);
        assert_int_equal(image.footer.geometry.cylinders, 90);
        assert_int_equal(image.header.table_offset, SAMPLE_TABLE);
        assert_int_equal(image.header.max_entries, SAMPLE_BLOCKS);
        expect_header(&image, SAMPLE_BLOCKS, allocated);
    }
}

static void accepts_a_differencing_disk(void **state)
{
    (void)state;
    struct vhd_image image = accept_image(sample_child(1, 2, "base.vhd"));
    assert_int_equal(image.footer.type, VHD_TYPE_DIFFERENCING);
    assert_int_equal(image.footer.uuid[15], 1);
    assert_int_equal(image.header.parent_uuid[15], 2);
    assert_int_equal(image.header.parent_timestamp, 0x11111111);
    assert_int_equal(image.header.parent_name[0], 'b');
    assert_int_equal(image.header.parent_name[8], 0);
    expect_header(&image, SAMPLE_BLOCKS, 1);
}

static void accepts_a_footer_of_511_bytes(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    sample.len--;
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 2);

    sample = sample_fixed(9);
    sample.len--;
    image = accept_image(sample);
    assert_int_equal(image.footer.type, VHD_TYPE_FIXED);
}

static void needs_no_copy(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    memset(sample.bytes, 0, 512);
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 2);
}

static void accepts_surplus_entries(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, SAMPLE_BLOCKS + 3, SAMPLE_BLOCK);
    put32(sample_entry(&sample, SAMPLE_BLOCKS + 1), 0x00ABCDEF); /* nobody reads there */
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 2);
    assert_int_equal(image.header.max_entries, SAMPLE_BLOCKS + 3);
}

static void accepts_padding_of_zeros(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 1);
    memset(sample_entry(&sample, SAMPLE_BLOCKS), 0, 512 - 4 * SAMPLE_BLOCKS);
    accept_image(sample);
}

static void accepts_a_table_elsewhere(void **state)
{
    (void)state;
    /* Behind the blocks, in the last sector before the footer. */
    struct sample sample = sample_dynamic(9, 1);
    sample.len += 512;
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 9);
    memcpy(sample_end(&sample) - 512, sample.bytes + SAMPLE_TABLE, 512);
    sample_header(sample.bytes + SAMPLE_HEADER, sample.len - 1024, SAMPLE_BLOCKS, SAMPLE_BLOCK);
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 1);

    /* Between the copy and the header. */
    sample = sample_dynamic(9, 1);
    memcpy(sample.bytes + 512, sample.bytes + SAMPLE_TABLE, 512);
    sample_header(sample.bytes + 1024, 512, SAMPLE_BLOCKS, SAMPLE_BLOCK);
    put64(sample_end(&sample) + 16, 1024);
    sample_seal_footer(sample_end(&sample));
    image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 1);
}

static void accepts_gaps_and_slack(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 1);
    sample.len += 3 * 512;
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 9);
    put32(sample_entry(&sample, 0), SAMPLE_DATA / 512 + 2);
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 1);
}

static void accepts_sizes_that_differ(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 1);
    put64(sample_end(&sample) + 40, 1 << 20); /* original */
    put64(sample_end(&sample) + 48, SAMPLE_SIZE - 512);
    sample_seal_footer(sample_end(&sample));
    struct vhd_image image = accept_image(sample);
    assert_int_equal(image.footer.original_size, 1 << 20);
    assert_int_equal(image.footer.current_size, SAMPLE_SIZE - 512);
    expect_header(&image, SAMPLE_BLOCKS, 1);
}

static void accepts_the_default_block_size(void **state)
{
    (void)state;
    struct sample sample = sample_of(2048 + 512 + (2 << 20) + 512);
    sample_footers(&sample, SAMPLE_DYNAMIC, 3 << 20, 9);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 2, 2 << 20);
    memset(sample.bytes + SAMPLE_TABLE, 0xFF, 512);
    put32(sample_entry(&sample, 1), 4);
    struct vhd_image image = accept_image(sample);
    assert_int_equal(image.blocks, 2);
    assert_int_equal(image.allocated, 1);
}

static void keeps_reserved_bytes(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 0);
    sample_end(&sample)[84] = 1;
    sample_end(&sample)[85] = 1; /* "hidden" */
    sample_seal_footer(sample_end(&sample));
    struct vhd_image image = accept_image(sample);
    assert_int_equal(image.footer.saved_state, 1);
    assert_int_equal(image.footer.reserved[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_a_fixed_disk),
        cmocka_unit_test(a_fixed_disk_is_judged_by_its_end),
        cmocka_unit_test(accepts_dynamic_disks),
        cmocka_unit_test(accepts_a_differencing_disk),
        cmocka_unit_test(accepts_a_footer_of_511_bytes),
        cmocka_unit_test(needs_no_copy),
        cmocka_unit_test(accepts_surplus_entries),
        cmocka_unit_test(accepts_padding_of_zeros),
        cmocka_unit_test(accepts_a_table_elsewhere),
        cmocka_unit_test(accepts_gaps_and_slack),
        cmocka_unit_test(accepts_sizes_that_differ),
        cmocka_unit_test(accepts_the_default_block_size),
        cmocka_unit_test(keeps_reserved_bytes),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
