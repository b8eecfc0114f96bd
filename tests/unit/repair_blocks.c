/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a repair would lose blocks of a disk whose table or end is damaged, leave it
 * damaged, or make it worse when a crash or a failing host cuts it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "repaired.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void surplus_entries_go_unless_they_hold_blocks(void **state)
{
    struct sample sample = sound(2);
    put32(sample.bytes + SAMPLE_HEADER + 28, 9);
    expect_repaired(*state, sealed(sample), "");

    sample = sound(2);
    put32(sample.bytes + SAMPLE_HEADER + 28, 9);
    put32(sample_entry(&sample, 8), 1000);
    expect_repaired(*state, sealed(sample), "");

    sample = sound(3);
    put32(sample.bytes + SAMPLE_HEADER + 28, 9);
    memcpy(sample_entry(&sample, 8), sample_entry(&sample, 2), 4);
    put32(sample_entry(&sample, 2), UINT32_MAX);
    expect_repaired(*state, sealed(sample), "table surplus");
}

static void entries_that_lead_nowhere_go(void **state)
{
    struct sample sample = sound(2);
    put32(sample_entry(&sample, 2), 1000);
    put32(sample_entry(&sample, 3), 0);
    struct verdict end = repaired(*state, sample, false, "");
    sample = sound(2);
    for (size_t i = 0; i < 2 * SAMPLE_BLOCK; i++) {
        const size_t block = i / SAMPLE_BLOCK;
        assert_int_equal(
            end.content[i],
            sample.bytes[SAMPLE_DATA + (1 - block) * SAMPLE_STRIDE + 512 + i % SAMPLE_BLOCK]);
    }
    free(sample.bytes);
    verdict_free(&end);

    /* XO leaves such an entry after a crash: the block begins at the footer. */
    sample = sound(2);
    put32(sample_entry(&sample, 3), (uint32_t)(sample.len / 512 - 1));
    expect_repaired(*state, sample, "");
}

static void blocks_that_overlap_keep_what_they_read(void **state)
{
    struct sample sample = sound(2);
    memcpy(sample_entry(&sample, 3), sample_entry(&sample, 0), 4);
    memcpy(sample_entry(&sample, 2), sample_entry(&sample, 1), 4);
    struct verdict end = repaired(*state, sample, false, "");
    assert_memory_equal(end.content, end.content + 3 * SAMPLE_BLOCK, SAMPLE_BLOCK);
    assert_memory_equal(end.content + SAMPLE_BLOCK, end.content + 2 * SAMPLE_BLOCK, SAMPLE_BLOCK);
    verdict_free(&end);

    /* In part: the upper one moves, and takes what lies there. */
    sample = sound(2);
    put32(sample_entry(&sample, 0), SAMPLE_DATA / 512 + 4);
    memset(sample.bytes + SAMPLE_DATA + 4 * 512, 0xFF, 512);
    end = repaired(*state, sample, false, "");
    assert_int_equal(end.content[0], SAMPLE_DATA / 512 + 5);
    assert_int_equal(end.content[SAMPLE_BLOCK], SAMPLE_DATA / 512 + 1);
    assert_int_equal(end.content[SAMPLE_BLOCK + 3 * 512], 0xFF);
    verdict_free(&end);
}

static void a_file_that_is_cut_keeps_its_part(void **state)
{
    /* Block 0 is the last in the file. */
    struct sample sample = sound(2);
    sample.len -= 512 + 3 * 512 + 100;
    struct verdict end = repaired(*state, sample, false, "");
    sample = sound(2);
    const uint8_t *data = sample.bytes + SAMPLE_DATA + SAMPLE_STRIDE + 512;
    assert_memory_equal(end.content, data, 4 * 512 + 412);
    for (size_t i = 4 * 512 + 412; i < SAMPLE_BLOCK; i++)
        assert_int_equal(end.content[i], 0);
    free(sample.bytes);
    verdict_free(&end);

    /* A footer stands inside the last block. */
    sample = sound(2);
    sample.len -= 1024;
    memcpy(sample_end(&sample), sample.bytes, 512);
    lost_at = SAMPLE_BLOCK - 1024;
    lost_end = SAMPLE_BLOCK;
    end = repaired(*state, sample, false, "");
    lost_end = 0;
    for (size_t i = SAMPLE_BLOCK - 1024; i < SAMPLE_BLOCK; i++)
        assert_int_equal(end.content[i], 0);
    verdict_free(&end);

    /* Inside the table: nothing is left of the blocks. */
    sample = sound(2);
    sample.len = SAMPLE_TABLE + 6;
    expect_repaired(*state, sample, "");

    /* Inside the header: nothing can be done. */
    sample = sound(2);
    sample.len = SAMPLE_HEADER + 700;
    expect_repaired(*state, sample, "footer lost; header outside");
}

static void slack_is_cut_off(void **state)
{
    struct sample sample = longer(sound(2), 512, 3);
    memcpy(sample_end(&sample), sample.bytes, 512);
    memset(sample_end(&sample) - 512, 3, 512);
    const size_t len = sample.len;
    expect_repaired(*state, sample, "");
    struct stat attributes;
    assert_int_equal(stat(scratch_path(*state, "d.vhd"), &attributes), 0);
    assert_int_equal(attributes.st_size, len - 512);
}

static void children_allow_no_change_of_content(void **state)
{
    struct sample sample = sound(2);
    memset(sample_end(&sample), 0, 512);
    struct verdict end = repaired(*state, sample, true, "");
    verdict_free(&end);

    sample = sound(2);
    put32(sample_entry(&sample, 2), 1000);
    memset(sample.bytes, 0, 512);
    end = repaired(*state, sample, true, "block 2 outside");
    verdict_free(&end);

    sample = sound(2);
    memcpy(sample_entry(&sample, 3), sample_entry(&sample, 0), 4);
    end = repaired(*state, sample, true, "block 0 overlap");
    verdict_free(&end);
}

/* Without a copy, the footer at the end is all there is, until the copy is written. */
static void a_growth_needs_the_copy(void **state)
{
    struct sample sample = sound(2);
    memset(sample.bytes, 0xAA, 512);
    memcpy(sample_entry(&sample, 3), sample_entry(&sample, 0), 4);
    expect_repaired(*state, sample, "");

    sample = longer(sound(2), 5 * 512, 3);
    memcpy(sample_end(&sample), sample.bytes, 512);
    memset(sample.bytes, 0xAA, 512);
    expect_repaired(*state, sample, "");
}

static struct sample without_copy_and_overlapping(void)
{
    struct sample sample = sound(2);

    memset(sample.bytes, 0xAA, 512);
    memcpy(sample_entry(&sample, 3), sample_entry(&sample, 0), 4);
    return sample;
}

static struct sample with_slack_and_entries_outside(void)
{
    struct sample sample = longer(sound(2), 512, 3);

    memcpy(sample_end(&sample), sample.bytes, 512);
    memset(sample_end(&sample) - 512, 3, 512);
    put32(sample_entry(&sample, 2), 1000);
    return sample;
}

/*
 * A character for each sync of a repair: 1 if states show its lack. The footer of a growth has to
 * be first on class X alone, which the model lacks. A cut that is lost leaves slack, which is no
 * fault.
 */
static void each_barrier_is_needed(void **state)
{
    static const struct {
        struct sample (*make)(void);
        const char *needed;
    } cases[] = {
        {without_copy_and_overlapping, "1011"},
        {with_slack_and_entries_outside, "10"},
    };
    static struct file image;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        put(*state, "d.vhd", cases[i].make());
        load(*state, "d.vhd", &image);
        assert_int_equal(begin_run(*state, false), 1);
        char needed[40] = "";
        for (unsigned ignored = 1; ignored <= record.syncs; ignored++)
            needed[ignored - 1] = judge_record(judge_quietly, &image, ignored, true) ? '0' : '1';
        assert_string_equal(needed, cases[i].needed);
        record_forget();
        verdict_free(&run.start);
        verdict_free(&run.end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(surplus_entries_go_unless_they_hold_blocks),
        SCRATCH_TEST(entries_that_lead_nowhere_go),
        SCRATCH_TEST(blocks_that_overlap_keep_what_they_read),
        SCRATCH_TEST(a_file_that_is_cut_keeps_its_part),
        SCRATCH_TEST(slack_is_cut_off),
        SCRATCH_TEST(children_allow_no_change_of_content),
        SCRATCH_TEST(a_growth_needs_the_copy),
        SCRATCH_TEST(each_barrier_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
