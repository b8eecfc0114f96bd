/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a new file system would have so many or so few clusters that some system takes it
 * for a FAT of another type, and spoils it.
 */
#include "format/fat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define MB            (UINT64_C(1) << 20)
#define GB            (UINT64_C(1) << 30)
#define SIZE_MAX_VHD  (2040 * GB)

/* Whatever mkfs.fat reserves and rounds away: a track, and whole clusters of padding. */
static uint64_t fewest_clusters(const struct vhd_fat *fat)
{
    const uint64_t clusters = fat->sectors / fat->cluster_sectors;
    const uint64_t tables = 2 * (clusters * fat->bits / 8 / 512 + 1 + fat->cluster_sectors);
    const uint64_t rest = 63 + 1024 * 32 / 512 + 2 * fat->cluster_sectors + 32;

    return (fat->sectors - tables - rest) / fat->cluster_sectors;
}

static void expect_unambiguous(uint32_t bits, uint64_t size)
{
    const struct vhd_fat fat = vhd_fat_of(bits, size, "");

    assert_int_equal(fat.sectors, size / 512 - 2048);
    assert_in_range(fat.cluster_sectors, 1, 64);
    assert_int_equal(fat.cluster_sectors & (fat.cluster_sectors - 1), 0);
    const uint64_t most = fat.sectors / fat.cluster_sectors;
    if (bits == 16) {
        assert_in_range(most, 4085, 65508);
        if (size >= 4 * MB)
            assert_true(fewest_clusters(&fat) >= 4101);
    } else {
        assert_true(most <= 0x0FFFFFF5 - 16);
        assert_true(fewest_clusters(&fat) >= 65541);
    }
}

static void each_size_gives_one_type_alone(void **state)
{
    (void)state;
    for (uint64_t size = VHD_FAT16_SIZE_MIN; size <= VHD_FAT16_SIZE_MAX; size += 512 * 61)
        expect_unambiguous(16, size);
    expect_unambiguous(16, VHD_FAT16_SIZE_MAX);
    for (uint64_t size = VHD_FAT32_SIZE_MIN; size <= SIZE_MAX_VHD; size += 7 * MB + 512)
        expect_unambiguous(32, size);
    expect_unambiguous(32, SIZE_MAX_VHD);
}

static void clusters_have_the_sizes_of_windows(void **state)
{
    (void)state;
    const struct {
        uint32_t bits;
        uint64_t size;
        uint32_t cluster_sectors;
    } cases[] = {
        {16, VHD_FAT16_SIZE_MIN, 1},
        {16, 30 * MB, 1},
        {16, 60 * MB, 2},
        {16, 120 * MB, 4},
        {16, 250 * MB, 8},
        {16, 500 * MB, 16},
        {16, 1000 * MB, 32},
        {16, VHD_FAT16_SIZE_MAX, 64},
        {32, VHD_FAT32_SIZE_MIN, 8},
        {32, 8 * GB, 8},
        {32, 8 * GB + MB, 8},
        {32, 8 * GB + MB + 512, 16},
        {32, 16 * GB, 16},
        {32, 32 * GB, 32},
        {32, 33 * GB, 64},
        {32, SIZE_MAX_VHD, 64},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct vhd_fat fat = vhd_fat_of(cases[i].bits, cases[i].size, "DATA");
        assert_int_equal(fat.cluster_sectors, cases[i].cluster_sectors);
        assert_int_equal(fat.bits, cases[i].bits);
        assert_string_equal(fat.label, "DATA");
    }
}

/* The estimate decides whether a disk is made at all. mkfs.fat writes 511 MB for the largest. */
static void the_bytes_written_are_known(void **state)
{
    (void)state;
    struct vhd_fat fat = vhd_fat_of(32, SIZE_MAX_VHD, "");

    assert_in_range(vhd_fat_written(&fat), 509 * MB, 515 * MB);
    fat = vhd_fat_of(16, 512 * MB, "");
    assert_in_range(vhd_fat_written(&fat), MB / 4, MB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_size_gives_one_type_alone),
        cmocka_unit_test(clusters_have_the_sizes_of_windows),
        cmocka_unit_test(the_bytes_written_are_known),
    };
    return cmocka_run_group_tests_name("fat", tests, NULL, NULL);
}
