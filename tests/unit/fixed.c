/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a copy of fixed.vhd would be no disk to other programs, or one of another size,
 * or other programs would take it for the original.
 */
#include "disk/fixed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

/* The footer as bytes, and a judgement that it is sound. */
static struct vhd_footer footer_of(struct vhd_disk *disk, struct vhd_footer_disk *ret_bytes)
{
    struct vhd_footer footer;
    struct vhd_fault fault;

    memset(ret_bytes, 0xA5, sizeof *ret_bytes);
    vhd_disk_fixed_footer(disk, ret_bytes);
    assert_int_equal(vhd_footer_decode(ret_bytes, &footer, &fault), VHD_SOUND);
    return footer;
}

static void is_the_footer_of_a_fixed_disk_of_the_size(void **state)
{
    static const struct {
        uint64_t size;
        uint16_t cylinders;
        uint8_t heads, sectors;
    } cases[] = {
        /* VHD specification 1.0, appendix "CHS Calculation", worked by hand. */
        {UINT64_C(3) * MB, 90, 4, 17},
        {UINT64_C(4096) * MB, 8322, 16, 63},
        {UINT64_C(2088960) * MB, 65535, 16, 255},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct disks disks = disks_open(*state);
        struct vhd_footer_disk bytes;
        put_empty(*state, "a.vhd", cases[i].size, 1, 0, NULL);
        struct vhd_disk *disk = open_disk(disks, "a", 0);
        struct vhd_footer footer = footer_of(disk, &bytes);
        assert_int_equal(footer.type, VHD_TYPE_FIXED);
        assert_int_equal(footer.data_offset, UINT64_MAX);
        assert_int_equal(footer.original_size, cases[i].size);
        assert_int_equal(footer.current_size, cases[i].size);
        assert_int_equal(footer.geometry.cylinders, cases[i].cylinders);
        assert_int_equal(footer.geometry.heads, cases[i].heads);
        assert_int_equal(footer.geometry.sectors_per_track, cases[i].sectors);
        assert_memory_equal(footer.creator_app, "win ", 4);
        assert_int_equal(footer.creator_host, VHD_HOST_WINDOWS);
        assert_int_equal(footer.features, VHD_FEATURES_NONE);
        assert_int_equal(footer.timestamp, 0x12345678); /* the disk's */
        close_disk(disk);
        disks_close(disks);
    }
}

/* RFC 4122, "Algorithm for Creating a Name-Based UUID", SHA-1; computed with Python's uuid.uuid5().
 */
static void its_identity_is_made_of_the_disks(void **state)
{
    static const uint8_t expected[16] = {0x08, 0xC4, 0xD1, 0x11, 0xAD, 0x41, 0x5B, 0x7A,
                                         0xB1, 0x5C, 0x44, 0x2E, 0x7A, 0x8F, 0x7D, 0xA2};
    struct disks disks = disks_open(*state);
    struct vhd_footer_disk bytes, again;

    put(*state, "a.vhd", sample_dynamic(1, 1));
    put(*state, "b.vhd", sample_dynamic(2, 1));
    struct vhd_disk *disk = open_disk(disks, "a", 0), *other = open_disk(disks, "b", 0);
    struct vhd_footer footer = footer_of(disk, &bytes);
    footer_of(disk, &again);
    assert_memory_equal(&bytes, &again, sizeof bytes);
    assert_memory_equal(footer.uuid, expected, 16);
    assert_int_not_equal(memcmp(footer_of(other, &again).uuid, footer.uuid, 16), 0);
    close_disk(disk);
    close_disk(other);

    /* The same disk under another name, written to and opened again, has the same footer. */
    assert_int_equal(rename(scratch_path(*state, "a.vhd"), scratch_path(*state, "renamed.vhd")), 0);
    disk = open_writable(disks, "renamed");
    fill(disk, 0, DISK, 1);
    footer_of(disk, &again);
    assert_memory_equal(&bytes, &again, sizeof bytes);
    close_disk(disk);
    disks_close(disks);
}

static void every_type_of_disk_has_one(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_footer_disk bytes;

    put(*state, "fixed.vhd", sample_fixed(1));
    put(*state, "base.vhd", sample_dynamic(2, 1));
    put(*state, "child.vhd", sample_child(3, 2, "base.vhd"));
    const char *const names[] = {"fixed", "base", "child"};
    for (int i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_disk(disks, names[i], 0);
        struct vhd_footer footer = footer_of(disk, &bytes);
        assert_int_equal(footer.type, VHD_TYPE_FIXED);
        assert_int_equal(footer.current_size, DISK);
        assert_int_not_equal(footer.uuid[0], i + 1);
        close_disk(disk);
    }
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(is_the_footer_of_a_fixed_disk_of_the_size),
        SCRATCH_TEST(its_identity_is_made_of_the_disks),
        SCRATCH_TEST(every_type_of_disk_has_one),
    };
    return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
