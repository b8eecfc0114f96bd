/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a check would pass an image that another program refuses or misreads, because of
 * its footer or header, or would call a good one damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "checked.h"
#include "image/image.h"

/* Make a change in both footers. */
static struct sample with_footers(void (*change)(uint8_t *footer))
{
    struct sample sample = sound(2);
    change(sample.bytes);
    change(sample_end(&sample));
    sample_seal_footer(sample.bytes);
    sample_seal_footer(sample_end(&sample));
    return sample;
}

static void sound_disks_have_no_findings(void **state)
{
    expect_findings(*state, sound(2), "");
    expect_findings(*state, sound_fixed(), "");
    expect_findings(*state, sample_dynamic(7, 0), "footer geometry");
}

static void footers_that_are_lost_or_spoilt(void **state)
{
    struct sample sample = sound(2);
    memset(sample_end(&sample), 0, 512);
    expect_findings(*state, sample, "footer lost");

    sample = sound(2);
    sample_end(&sample)[40] ^= 1;
    expect_findings(*state, sample, "footer checksum; copy differs");

    sample = sound(2);
    sample.bytes[0] ^= 1;
    expect_findings(*state, sample, "copy lost");

    sample = sound(2);
    sample.bytes[40] ^= 1;
    expect_findings(*state, sample, "copy checksum");

    sample = sound(2);
    put32(sample.bytes + 24, 5);
    sample_seal_footer(sample.bytes);
    expect_findings(*state, sample, "copy differs");

    sample = sound(2);
    sample.bytes[64] ^= 1;
    sample_end(&sample)[64] ^= 1;
    expect_findings(*state, sample, "footer checksum; copy checksum");

    sample = sound(2);
    sample.len -= 1;
    expect_findings(*state, sample, "footer short");

    sample = sound(2);
    memset(sample.bytes, 1, 512);
    memset(sample_end(&sample), 1, 512);
    expect_findings(*state, sample, "footer lost");
}

static void set_size(uint8_t *footer)
{
    put64(footer + 40, 512);
}

static void set_features(uint8_t *footer)
{
    put32(footer + 8, 6);
}

static void set_temporary(uint8_t *footer)
{
    put32(footer + 8, 3);
}

static void set_large_geometry(uint8_t *footer)
{
    put16(footer + 56, 1);
}

static void set_small_geometry(uint8_t *footer)
{
    footer[58] = 1;
}

static void set_state(uint8_t *footer)
{
    footer[84] = 2;
}

static void set_reserved(uint8_t *footer)
{
    footer[85] = 1;
    footer[511] = 1;
}

static void set_hidden(uint8_t *footer)
{
    memcpy(footer + 28, "tap", 4);
    footer[85] = 1;
}

static void set_null_id(uint8_t *footer)
{
    memset(footer + 68, 0, 16);
}

static void set_disabled(uint8_t *footer)
{
    memcpy(footer, "v_poison", 8);
}

static void set_future(uint8_t *footer)
{
    put32(footer + 24, 0xF0000000);
}

static void fields_of_the_footer(void **state)
{
    expect_findings(*state, with_footers(set_size), "footer size");
    expect_findings(*state, with_footers(set_features), "footer features");
    expect_findings(*state, with_footers(set_temporary), "");
    expect_findings(*state, with_footers(set_large_geometry), "footer geometry");
    expect_findings(*state, with_footers(set_small_geometry), "");
    expect_findings(*state, with_footers(set_state), "footer state");
    expect_findings(*state, with_footers(set_reserved), "footer reserved; footer reserved");
    expect_findings(*state, with_footers(set_hidden), "");
    expect_findings(*state, with_footers(set_null_id), "footer id");
    expect_findings(*state, with_footers(set_disabled), "footer disabled");
    expect_findings(*state, with_footers(set_future), "");
}

static void fixed_disks(void **state)
{
    struct sample sample = sound_fixed();
    put64(sample_end(&sample) + 16, 0xFFFFFFFF);
    sample_seal_footer(sample_end(&sample));
    expect_findings(*state, sample, "footer offset");

    sample = sound_fixed();
    memmove(sample_end(&sample) - 512, sample_end(&sample), 512);
    sample.len -= 512;
    expect_findings(*state, sample, "file small");

    sample = sound_fixed();
    memmove(sample_end(&sample) + 512, sample_end(&sample), 512);
    sample.len += 512;
    expect_findings(*state, sample, "");

    sample = sound_fixed();
    sample.len -= 512;
    expect_findings(*state, sample, "footer lost");
}

static void headers(void **state)
{
    struct sample sample = sound(2);
    sample.bytes[SAMPLE_HEADER + 36] ^= 1;
    expect_findings(*state, sample, "header checksum");

    sample = sound(2);
    sample.bytes[SAMPLE_HEADER] ^= 1;
    expect_findings(*state, sample, "header cookie");

    sample = sound(2);
    put64(sample.bytes + SAMPLE_HEADER + 8, 0xFFFFFFFF);
    expect_findings(*state, sealed(sample), "header offset");

    sample = sound(2);
    sample.bytes[SAMPLE_HEADER + 60] = 1;
    sample.bytes[SAMPLE_HEADER + 1023] = 1;
    expect_findings(*state, sealed(sample), "header reserved; header reserved");

    sample = sound(2);
    sample.bytes[SAMPLE_HEADER + 65] = 'a';
    expect_findings(*state, sealed(sample), "header parent");

    sample = sound(2);
    put32(sample.bytes + SAMPLE_HEADER + 28, 3);
    expect_findings(*state, sealed(sample), "table small");

    sample = sound(2);
    put32(sample.bytes + SAMPLE_HEADER + 28, 5);
    expect_findings(*state, sealed(sample), "table surplus");

    sample = sound(2);
    put64(sample.bytes + SAMPLE_HEADER + 16, 1 << 20);
    expect_findings(*state, sealed(sample), "table outside");
}

static void a_caller_can_end_it(void **state)
{
    struct told told = {.calls_max = 1};
    uint64_t count;

    put(*state, "d.vhd", sound(2));
    assert_int_equal(check(*state, "d.vhd", &told, &count), -ECANCELED);
    told = (struct told){.calls_max = 3};
    assert_int_equal(check(*state, "d.vhd", &told, &count), -ECANCELED);
}

/* No damage stops a check, and each image that does not open has findings. */
static void images_that_are_spoilt(void **state)
{
    uint64_t seed = 0x1234567;

    for (int i = 0; i < 800; i++) {
        struct told told = {0};
        struct sample sample = i % 2 ? sound(2) : sound_child();
        struct vhd_image image;
        uint64_t count;

        sample_spoil(&sample, &seed);
        put(*state, "d.vhd", sample);
        told.text[0] = 0;
        assert_int_equal(check(*state, "d.vhd", &told, &count), 0);
        int fd = open(scratch_path(*state, "d.vhd"), O_RDONLY | O_CLOEXEC);
        assert_true(vhd_image_judge(fd, &image) || count > 0);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(sound_disks_have_no_findings),
        SCRATCH_TEST(footers_that_are_lost_or_spoilt),
        SCRATCH_TEST(fields_of_the_footer),
        SCRATCH_TEST(fixed_disks),
        SCRATCH_TEST(headers),
        SCRATCH_TEST(a_caller_can_end_it),
        SCRATCH_TEST(images_that_are_spoilt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
