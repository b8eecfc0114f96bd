/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a system would not find the partition of a new disk, read it as another type, or
 * not tell two disks apart.
 */
#include "format/mbr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* The record of a partition, from the signature on, must be these bytes. */
static void expect_record(enum vhd_mbr_type type, uint32_t first, uint32_t sectors,
                          uint32_t signature, const uint8_t head[22])
{
    struct vhd_mbr_disk record;
    uint8_t bytes[512], zeros[512] = {0};

    memset(&record, 0x5A, sizeof record);
    vhd_mbr_encode(type, first, sectors, signature, &record);
    memcpy(bytes, &record, sizeof bytes);
    assert_memory_equal(bytes, zeros, 440);
    assert_memory_equal(bytes + 440, head, 22);
    assert_memory_equal(bytes + 462, zeros, 48);
    assert_int_equal(bytes[510], 0x55);
    assert_int_equal(bytes[511], 0xAA);
}

/* Typed from fdisk's and Windows' records of such disks. */
static void a_record_is_the_one_of_other_programs(void **state)
{
    (void)state;
    expect_record(VHD_MBR_FAT16, 2048, 1046528, 0x12345678,
                  (uint8_t[]){0x78, 0x56, 0x34, 0x12, 0,    0,    0x00, 0x20, 0x21, 0x00, 0x0E,
                              0x45, 0x04, 0x41, 0x00, 0x08, 0x00, 0x00, 0x00, 0xF8, 0x0F, 0x00});
    expect_record(VHD_MBR_FAT32, 2048, 1050624, 1,
                  (uint8_t[]){0x01, 0x00, 0x00, 0x00, 0,    0,    0x00, 0x20, 0x21, 0x00, 0x0C,
                              0x86, 0x05, 0x41, 0x00, 0x08, 0x00, 0x00, 0x00, 0x08, 0x10, 0x00});
}

/* Cylinder 1023 is the last that has CHS numbers; all sectors beyond get the same. */
static void sectors_beyond_the_cylinders_get_the_last_one(void **state)
{
    (void)state;
    /* The last sector is 1023/254/63 itself, the one before, and the one behind it. */
    expect_record(VHD_MBR_FAT32, 2048, 16450560 - 2048, 0xFFFFFFFF,
                  (uint8_t[]){0xFF, 0xFF, 0xFF, 0xFF, 0,    0,    0x00, 0x20, 0x21, 0x00, 0x0C,
                              0xFE, 0xFF, 0xFF, 0x00, 0x08, 0x00, 0x00, 0x00, 0xFC, 0xFA, 0x00});
    expect_record(VHD_MBR_FAT32, 2048, 16450559 - 2048, 0xFFFFFFFF,
                  (uint8_t[]){0xFF, 0xFF, 0xFF, 0xFF, 0,    0,    0x00, 0x20, 0x21, 0x00, 0x0C,
                              0xFE, 0xFE, 0xFF, 0x00, 0x08, 0x00, 0x00, 0xFF, 0xFB, 0xFA, 0x00});
    expect_record(VHD_MBR_FAT32, 2048, 16450561 - 2048, 0xFFFFFFFF,
                  (uint8_t[]){0xFF, 0xFF, 0xFF, 0xFF, 0,    0,    0x00, 0x20, 0x21, 0x00, 0x0C,
                              0xFE, 0xFF, 0xFF, 0x00, 0x08, 0x00, 0x00, 0x01, 0xFC, 0xFA, 0x00});
    /* 2040 GB. */
    expect_record(VHD_MBR_FAT32, 2048, 4278190080u - 2048, 2,
                  (uint8_t[]){0x02, 0x00, 0x00, 0x00, 0,    0,    0x00, 0x20, 0x21, 0x00, 0x0C,
                              0xFE, 0xFF, 0xFF, 0x00, 0x08, 0x00, 0x00, 0x00, 0xF8, 0xFF, 0xFE});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_the_one_of_other_programs),
        cmocka_unit_test(sectors_beyond_the_cylinders_get_the_last_one),
    };
    return cmocka_run_group_tests_name("mbr", tests, NULL, NULL);
}
