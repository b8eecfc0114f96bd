/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a repair would lose data of a disk with a damaged footer or header, leave it
 * damaged, or make it worse when a crash or a failing host cuts it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "repaired.h"

static void a_sound_disk_is_not_changed(void **state)
{
    put(*state, "d.vhd", sound(2));
    assert_int_equal(repair(*state, false), 0);
    put(*state, "d.vhd", sound_fixed());
    assert_int_equal(repair(*state, false), 0);
    put(*state, "parent.vhd", sound(2));
    put(*state, "d.vhd", sound_child());
    assert_int_equal(repair(*state, false), 0);
}

static void footers_come_from_each_other(void **state)
{
    struct sample sample = sound(2);
    memset(sample_end(&sample), 0, 512);
    expect_repaired(*state, sample, "");

    sample = sound(2);
    sample.len -= 512;
    expect_repaired(*state, sample, "");

    sample = sound(2);
    sample.len -= 300;
    expect_repaired(*state, sample, "");

    sample = sound(2);
    sample.len -= 1;
    expect_repaired(*state, sample, "");

    sample = sound(2);
    sample_end(&sample)[40] ^= 1;
    expect_repaired(*state, sample, "");

    sample = sound(2);
    memset(sample.bytes, 0, 512);
    expect_repaired(*state, sample, "");

    sample = sound(2);
    sample_footer(sample.bytes, SAMPLE_DYNAMIC, SAMPLE_SIZE / 2, 9);
    expect_repaired(*state, sample, "");

    /* Both are lost, but one lies before zeros. */
    sample = longer(sound(2), 1000, 0);
    memset(sample.bytes, 0, 512);
    expect_repaired(*state, sample, "");

    sample = longer(sound(2), 1000, 1);
    memset(sample.bytes, 0, 512);
    expect_repaired(*state, sample, "footer lost");
}

static void checksums_are_put_right_where_all_else_is(void **state)
{
    struct sample sample = sound(2);
    sample.bytes[64] ^= 1;
    sample_end(&sample)[64] ^= 1;
    expect_repaired(*state, sample, "");

    sample = sound(2);
    put64(sample.bytes + 48, 2 * SAMPLE_SIZE);
    put64(sample_end(&sample) + 48, 2 * SAMPLE_SIZE);
    expect_repaired(*state, sample, "footer checksum; footer size; copy checksum; table small");

    sample = sound(2);
    sample.bytes[SAMPLE_HEADER + 36] ^= 1;
    expect_repaired(*state, sample, "");

    sample = sound(2);
    put32(sample.bytes + SAMPLE_HEADER + 32, SAMPLE_BLOCK / 2);
    expect_repaired(*state, sample, "header checksum; table small");

    sample = sound(2);
    put32(sample.bytes + SAMPLE_HEADER + 32, 2 * SAMPLE_BLOCK);
    put32(sample_entry(&sample, 0), UINT32_MAX);
    put32(sample_entry(&sample, 1), UINT32_MAX);
    expect_repaired(*state, sample, "header checksum; table surplus");

    sample = sound_fixed();
    sample_end(&sample)[64] ^= 1;
    expect_repaired(*state, sample, "");
}

static void fields_that_the_specification_decides(void **state)
{
    struct sample sample = sound(2);
    for (int i = 0; i < 2; i++) {
        uint8_t *footer = i ? sample_end(&sample) : sample.bytes;
        put32(footer + 8, 4);
        put64(footer + 40, 512);
        put16(footer + 56, 10000);
        footer[84] = 9;
        memset(footer + 85, 5, 427);
        sample_seal_footer(footer);
    }
    expect_repaired(*state, sample, "");

    sample = sound(2);
    put64(sample.bytes + SAMPLE_HEADER + 8, 0xFFFFFFFF);
    sample.bytes[SAMPLE_HEADER + 60] = 1;
    expect_repaired(*state, sealed(sample), "");

    /* A crash between two sectors would leave a wrong checksum. */
    sample = sound(2);
    sample.bytes[SAMPLE_HEADER + 1023] = 1;
    expect_repaired(*state, sealed(sample), "header reserved");

    sample = sound_fixed();
    put64(sample_end(&sample) + 16, 0xFFFFFFFF);
    put64(sample_end(&sample) + 40, 512);
    sample_seal_footer(sample_end(&sample));
    expect_repaired(*state, sample, "");
}

static void fixed_disks(void **state)
{
    /* It has grown behind its footer. */
    expect_repaired(*state, longer(sound_fixed(), 5000, 0), "");
    expect_repaired(*state, longer(sound_fixed(), 5000, 1), "footer lost");

    struct sample sample = sound_fixed();
    sample.len -= 1;
    expect_repaired(*state, sample, "");

    /* A guest's footer, and the true one is cut off. */
    sample = sound_fixed();
    memset(sample.bytes + 1024, 0, SAMPLE_SIZE - 1024);
    sample_footer(sample.bytes + 512, SAMPLE_FIXED, 4 * SAMPLE_SIZE, 9);
    sample.len -= 512;
    expect_repaired(*state, sample, "footer lost");

    /* A resize was interrupted, and its old footer is in the last sector. */
    sample = sound_fixed();
    memcpy(sample_end(&sample) - 512, sample_end(&sample), 512);
    put64(sample_end(&sample) + 40, SAMPLE_SIZE - 512 + 1);
    sample_seal_footer(sample_end(&sample));
    struct verdict mended = repaired(*state, sample, false, "");
    for (size_t i = 0; i < SAMPLE_SIZE; i++)
        assert_int_equal(mended.content[i], i < SAMPLE_SIZE - 512 ? 1 + i / 512 : 0);
    verdict_free(&mended);

    /* A sector is missing. */
    sample = sound_fixed();
    memmove(sample_end(&sample) - 512, sample_end(&sample), 512);
    sample.len -= 512;
    lost_at = SAMPLE_SIZE - 512;
    lost_end = SAMPLE_SIZE;
    struct verdict end = repaired(*state, sample, false, "");
    lost_end = 0;
    for (size_t i = 0; i < SAMPLE_SIZE; i++)
        assert_int_equal(end.content[i], i < SAMPLE_SIZE - 512 ? 1 + i / 512 : 0);
    verdict_free(&end);
}

static void what_blktap_marks_is_left(void **state)
{
    struct sample sample = sound(2);
    memcpy(sample_end(&sample), "v_poison", 8);
    sample_seal_footer(sample_end(&sample));
    put(*state, "d.vhd", sample);
    assert_int_equal(repair(*state, false), 0);
}

/* No damage makes a repair lose content of a disk that opens, or crash. */
static void images_that_are_spoilt(void **state)
{
    static struct file image;
    uint64_t seed = 0x7654321;

    for (int i = 0; i < 300; i++) {
        struct sample sample = sound(3);
        sample_spoil(&sample, &seed);
        put(*state, "d.vhd", sample);
        load(*state, "d.vhd", &image);
        if (begin_run(*state, false) && i % 10 == 0)
            judge_failures(&image);
        record_forget();
        verdict_free(&run.start);
        verdict_free(&run.end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_sound_disk_is_not_changed),
        SCRATCH_TEST(footers_come_from_each_other),
        SCRATCH_TEST(checksums_are_put_right_where_all_else_is),
        SCRATCH_TEST(fields_that_the_specification_decides),
        SCRATCH_TEST(fixed_disks),
        SCRATCH_TEST(what_blktap_marks_is_left),
        SCRATCH_TEST(images_that_are_spoilt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
