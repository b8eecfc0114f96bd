/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a new block would overwrite data that another program keeps in the image, or a
 * cut of the file's end would remove data.
 */
#include "image/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

/* List the stretches in the file of a sample; releases the sample. */
static struct vhd_layout content_of(const char *folder, struct sample sample)
{
    struct disks disks = disks_open(folder);
    struct vhd_layout content;
    struct vhd_layer *layer;
    struct vhd_fault fault;
    uint64_t end = 0;

    put(folder, "a.vhd", sample);
    assert_int_equal(vhd_layer_open(disks.store, "a.vhd", VHD_LAYER_READ, &layer, NULL, &fault), 0);
    assert_int_equal(vhd_layout_list(layer, &content), 0);
    for (size_t i = 1; i < content.count; i++)
        assert_true(content.stretches[i - 1].at <= content.stretches[i].at);
    assert_int_equal(vhd_layout_end(layer, &end), 0);
    assert_int_equal(end, content.end);
    vhd_layer_close(layer);
    disks_close(disks);
    return content;
}

static bool has(const struct vhd_layout *content, uint64_t at, uint64_t end)
{
    for (size_t i = 0; i < content->count; i++) {
        if (content->stretches[i].at == at && content->stretches[i].end == end)
            return true;
    }
    return false;
}

/* The header gives the length of the table, also where the disk needs less of it. */
static void surplus_entries_are_metadata(void **state)
{
    struct sample sample = sample_dynamic(1, 0);

    sample.len = SAMPLE_TABLE + 2048 + 512;
    memset(sample.bytes + SAMPLE_TABLE, 0xFF, 2048);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 500, SAMPLE_BLOCK);
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 1);
    struct vhd_layout content = content_of(*state, sample);
    assert_true(has(&content, SAMPLE_TABLE, SAMPLE_TABLE + 2048));
    assert_int_equal(content.end, SAMPLE_TABLE + 2048);
    vhd_layout_free(&content);
}

/* Put a locator into a slot of the header, with its place in the units that programs use. */
static void put_locator(const struct sample *sample, unsigned slot, uint32_t space, uint32_t length,
                        uint64_t at)
{
    uint8_t *locator = sample->bytes + SAMPLE_HEADER + 576 + 24 * slot;

    memcpy(locator, "W2ru", 4);
    put32(locator + 4, space);
    put32(locator + 8, length);
    put64(locator + 16, at);
    sample_seal_header(sample->bytes + SAMPLE_HEADER);
}

static void the_data_of_locators_counts(void **state)
{
    struct sample sample = sample_dynamic(1, 1);
    const uint64_t behind = SAMPLE_DATA + SAMPLE_STRIDE;

    sample.len = behind + 4096 + 512;
    memset(sample.bytes + behind, 0, 4096);
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 1);
    put_locator(&sample, 0, 512, 40, behind + 512);      /* space in bytes */
    put_locator(&sample, 7, 2, 700, behind + 2048);      /* space in sectors */
    put_locator(&sample, 3, 512, 40, UINT64_C(1) << 62); /* nowhere */
    struct vhd_layout content = content_of(*state, sample);
    assert_true(has(&content, behind + 512, behind + 1024));
    assert_true(has(&content, behind + 2048, behind + 3072));
    assert_int_equal(content.end, behind + 3072);
    vhd_layout_free(&content);
}

/*
 * blktap's map of full blocks: its header is in the sector behind the table, the map at the place
 * which that names.
 */
static struct sample sample_with_batmap(const char *creator)
{
    struct sample sample = sample_dynamic(1, 0);
    uint8_t *header = sample.bytes + 2048;

    sample.len = 4096 + 512;
    memset(header, 0, 2048);
    memcpy(header, "tdbatmap", 8);
    put64(header + 8, 3072);
    put32(header + 16, 2);
    put32(header + 20, 0x00010002);
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 1);
    memcpy(sample.bytes + 28, creator, 4);
    put32(sample.bytes + 32, 0x00010003);
    sample_seal_footer(sample.bytes);
    memcpy(sample_end(&sample), sample.bytes, 512);
    return sample;
}

static void a_batmap_counts_where_blktap_has_one(void **state)
{
    struct vhd_layout content = content_of(*state, sample_with_batmap("tap\0"));

    assert_true(content.has_batmap);
    assert_true(has(&content, 2048, 2560));
    assert_true(has(&content, 3072, 4096));
    assert_int_equal(content.end, 4096);
    vhd_layout_free(&content);

    content = content_of(*state, sample_with_batmap("win "));
    assert_false(content.has_batmap);
    assert_int_equal(content.end, 2048);
    vhd_layout_free(&content);
}

/*
 * A disk that another program has made smaller: its table still has the blocks behind the new end.
 */
static struct sample made_smaller(unsigned blocks)
{
    struct sample sample = sample_dynamic(1, SAMPLE_BLOCKS);
    sample_footers(&sample, SAMPLE_DYNAMIC, (uint64_t)blocks * SAMPLE_BLOCK, 1);
    return sample;
}

/* These entries may be anything: then no part of the file is known to be free. */
static void entries_beyond_the_end_may_be_nonsense(void **state)
{
    struct sample sample = sample_dynamic(1, 2);
    const uint64_t end = sample.len - 512;

    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 128, SAMPLE_BLOCK);
    for (unsigned i = SAMPLE_BLOCKS; i < 128; i++)
        put32(sample_entry(&sample, i), i < 64 ? i : 0xFFFFFF00 + i);
    struct vhd_layout content = content_of(*state, sample);
    assert_true(has(&content, SAMPLE_TABLE + 512, end));
    assert_int_equal(content.end, end);
    vhd_layout_free(&content);
}

/* Some programs pad a table with zeros. */
static void zeros_beyond_the_end_are_no_blocks(void **state)
{
    struct sample sample = sample_dynamic(1, 2);

    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 128, SAMPLE_BLOCK);
    for (unsigned i = SAMPLE_BLOCKS; i < 128; i++)
        put32(sample_entry(&sample, i), 0);
    struct vhd_layout content = content_of(*state, sample);
    assert_int_equal(content.count, 3 + 2);
    vhd_layout_free(&content);
}

/* A table of four billion entries, all but one a hole: it costs neither memory nor time. */
static void a_sparse_table_of_any_length_is_read_quickly(void **state)
{
    const uint32_t entries = 0xFFFFFF00;
    const uint64_t table_end = SAMPLE_TABLE + UINT64_C(4) * entries;
    const uint64_t end = (table_end + 511) / 512 * 512;
    struct sample sample = sample_dynamic(1, 0);
    struct disks disks = disks_open(*state);
    struct vhd_layout content;
    struct vhd_layer *layer;
    struct vhd_fault fault;
    uint8_t entry[4];

    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, entries, SAMPLE_BLOCK);
    scratch_put(*state, "a.vhd", sample.bytes, SAMPLE_TABLE + 512);
    int fd = open(scratch_path(*state, "a.vhd"), O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    put32(entry, (uint32_t)(end / 512));
    if (pwrite(fd, entry, 4, (off_t)table_end - 4) < 0 ||
        pwrite(fd, sample.bytes, 512, (off_t)(end + SAMPLE_STRIDE + 8192)) < 0) {
        print_message("skipped: the host takes no file of 16 GiB\n");
        skip();
    }
    close(fd);
    free(sample.bytes);
    assert_int_equal(vhd_layer_open(disks.store, "a.vhd", VHD_LAYER_READ, &layer, NULL, &fault), 0);
    assert_int_equal(vhd_layout_list(layer, &content), 0);
    assert_int_equal(content.end, end + SAMPLE_STRIDE);
    vhd_layout_free(&content);
    vhd_layer_close(layer);
    disks_close(disks);
}

/* Growth into a block beyond the end would destroy it as surely as a cut. */
static void a_block_beyond_the_end_is_neither_cut_off_nor_used(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = made_smaller(2);
    size_t len;

    /* In the file, from the front: blocks 3 (beyond), 2 (beyond), 1, 0. Free block 1. */
    put32(sample_entry(&sample, 1), UINT32_MAX);
    put(*state, "a.vhd", sample);
    for (int i = 0; i < 2; i++) {
        struct vhd_disk *disk = open_writable(disks, "a");
        fill(disk, 0, 2 * BLOCK, 7);
        close_disk(disk);
        uint8_t *bytes = file_bytes(*state, "a.vhd", &len);
        assert_int_equal(get32(bytes + SAMPLE_TABLE + 8), (SAMPLE_DATA + SAMPLE_STRIDE) / 512);
        for (unsigned at = SAMPLE_DATA; at < SAMPLE_DATA + 2 * SAMPLE_STRIDE; at++)
            assert_int_equal(bytes[at], (at - SAMPLE_DATA) % SAMPLE_STRIDE < 512 ? 0xFF : 0xEE);
        free(bytes);
    }
    /* Beyond the end, and last in the file. */
    sample = sample_dynamic(1, 2);
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_BLOCK, 1);
    put32(sample_entry(&sample, 0), SAMPLE_DATA / 512);
    put32(sample_entry(&sample, 1), (SAMPLE_DATA + SAMPLE_STRIDE) / 512);
    put(*state, "b.vhd", sample);
    struct kept kept = keep(*state, "b.vhd");
    close_disk(open_writable(disks, "b"));
    expect_kept(*state, "b.vhd", kept);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(surplus_entries_are_metadata),
        SCRATCH_TEST(the_data_of_locators_counts),
        SCRATCH_TEST(a_batmap_counts_where_blktap_has_one),
        SCRATCH_TEST(entries_beyond_the_end_may_be_nonsense),
        SCRATCH_TEST(zeros_beyond_the_end_are_no_blocks),
        SCRATCH_TEST(a_sparse_table_of_any_length_is_read_quickly),
        SCRATCH_TEST(a_block_beyond_the_end_is_neither_cut_off_nor_used),
    };
    return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
