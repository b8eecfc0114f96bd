/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a check would pass an image whose blocks, parent or batmap mislead another
 * program, would call a good one damaged, or would take hours for a hostile table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "checked.h"

static void places_of_blocks(void **state)
{
    struct sample sample = sound(2);
    put32(sample_entry(&sample, 0), 0);
    put32(sample_entry(&sample, 1), 3);
    put32(sample_entry(&sample, 2), 100);
    expect_findings(*state, sample, "block 0 outside; block 1 outside; block 2 outside");

    sample = sound(2);
    memcpy(sample_entry(&sample, 3), sample_entry(&sample, 0), 4);
    expect_findings(*state, sample, "block 0 overlap");

    sample = sound(2);
    put32(sample_entry(&sample, 1), 5);
    expect_findings(*state, sample, "block 1 overlap");
}

static void data_under_clear_bits(void **state)
{
    struct sample sample = sound(2);
    uint8_t *block = sample.bytes + SAMPLE_DATA;

    block[0] = 0xF0; /* the data is not zeros */
    expect_findings(*state, sample, "block 1 data");

    sample = sound(2);
    block = sample.bytes + SAMPLE_DATA;
    block[0] = 0xF0;
    memset(block + 512 + 4 * 512, 0, 4 * 512);
    expect_findings(*state, sample, "");
}

static void put_locator(struct sample *sample, uint32_t code, uint32_t space, uint32_t len,
                        uint64_t at)
{
    uint8_t *locator = sample->bytes + SAMPLE_HEADER + 576;

    put32(locator, code);
    put32(locator + 4, space);
    put32(locator + 8, len);
    put64(locator + 16, at);
    sample_seal_header(sample->bytes + SAMPLE_HEADER);
}

static void differencing_disks(void **state)
{
    struct sample sample;

    expect_findings(*state, sound_child(), "parent lost");
    put(*state, "parent.vhd", sample_dynamic(7, 1));
    expect_findings(*state, sound_child(), "");

    sample = sound_child();
    put32(sample.bytes + SAMPLE_HEADER + 56, 1);
    expect_findings(*state, sealed(sample), "parent time");

    sample = sound_child();
    put_locator(&sample, 0x57327275, 512, 4, 1 << 30);
    expect_findings(*state, sample, "locator 1 outside");

    sample = sound_child();
    put_locator(&sample, 0x57327275, 1, 4, SAMPLE_TABLE);
    expect_findings(*state, sample, "locator 1 overlap");

    sample = sound_child();
    put_locator(&sample, 0x57327275, 1, 4, SAMPLE_DATA);
    expect_findings(*state, sample, "block 0 overlap");

    sample = sound_child();
    put_locator(&sample, 0x12345678, 513, 4, sample.len - 1200);
    expect_findings(*state, sample, "locator 1 code; locator 1 space; block 0 overlap");

    put(*state, "parent.vhd", sample_dynamic(9, 1));
    expect_findings(*state, sound_child(), "parent id");
}

/* A batmap takes the place of the first block. Block 1 is below the second, full. */
static struct sample with_batmap(uint8_t bits)
{
    struct sample sample = sound(2);
    uint8_t *map = sample.bytes + SAMPLE_DATA;
    const uint32_t first = SAMPLE_DATA / 512;

    memcpy(sample.bytes + 28, "tap", 4);
    memcpy(sample_end(&sample) + 28, "tap", 4);
    sample_seal_footer(sample.bytes);
    sample_seal_footer(sample_end(&sample));
    put32(sample_entry(&sample, 0), (SAMPLE_DATA + SAMPLE_STRIDE) / 512);
    put32(sample_entry(&sample, 1), UINT32_MAX);
    memset(map, 0, 1024);
    memcpy(map, "tdbatmap", 8);
    put64(map + 8, (first + 1) * 512);
    put32(map + 16, 1);
    put32(map + 20, 0x00010002);
    map[512] = bits;
    put32(map + 24, ~(uint32_t)bits);
    return sample;
}

static void batmaps(void **state)
{
    struct sample sample;

    expect_findings(*state, with_batmap(0x80), "");

    sample = with_batmap(0x80);
    sample.bytes[SAMPLE_DATA + 27] ^= 1;
    expect_findings(*state, sample, "batmap checksum");

    sample = with_batmap(0x80);
    put64(sample.bytes + SAMPLE_DATA + 8, 1 << 20);
    expect_findings(*state, sample, "batmap outside");

    sample = with_batmap(0x80);
    memset(sample.bytes + SAMPLE_DATA + SAMPLE_STRIDE, 0, SAMPLE_STRIDE);
    expect_findings(*state, sample, "block 0 batmap");
}

/* A hostile table is as long as the file seems, and nearly all of it is a hole. */
static void a_table_that_is_a_hole_costs_nothing(void **state)
{
    struct sample sample = sound(2);
    struct told told = {0};
    uint64_t count;

    put64(sample.bytes + SAMPLE_HEADER + 16, 1 << 20);
    put32(sample.bytes + SAMPLE_HEADER + 28, 0xFFFFFFFF);
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    scratch_put(*state, "d.vhd", sample.bytes, 2048);
    int fd = open(scratch_path(*state, "d.vhd"), O_WRONLY | O_CLOEXEC);
    assert_true(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
                       1 << 20) == 16);
    assert_true(pwrite(fd, sample_end(&sample), 512, (off_t)1 << 35) == 512);
    close(fd);
    free(sample.bytes);
    assert_int_equal(check(*state, "d.vhd", &told, &count), 0);
    assert_string_equal(told.text, "table surplus");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(places_of_blocks),
        SCRATCH_TEST(data_under_clear_bits),
        SCRATCH_TEST(differencing_disks),
        SCRATCH_TEST(batmaps),
        SCRATCH_TEST(a_table_that_is_a_hole_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
