/*
 * If this failed: a new block would be laid over what another program keeps in the image, or the
 * end of the file be cut off with something in it.
 */
#include "disk/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

/* What the file of a sample holds; releases the sample. */
static struct vhd_content content_of(const char *folder, struct sample sample)
{
    struct disks disks = disks_open(folder);
    struct vhd_content content;
    struct vhd_layer *layer;
    struct vhd_fault fault;

    put(folder, "a.vhd", sample);
    assert_int_equal(vhd_layer_open(disks.store, "a.vhd", VHD_LAYER_READ, &layer, NULL, &fault), 0);
    assert_int_equal(vhd_content_list(layer, &content), 0);
    for (size_t i = 1; i < content.count; i++)
        assert_true(content.stretches[i - 1].at <= content.stretches[i].at);
    vhd_layer_close(layer);
    disks_close(disks);
    return content;
}

static bool has(const struct vhd_content *content, uint64_t at, uint64_t end)
{
    for (size_t i = 0; i < content->count; i++) {
        if (content->stretches[i].at == at && content->stretches[i].end == end)
            return true;
    }
    return false;
}

static void an_empty_image_is_its_metadata(void **state)
{
    struct vhd_content content = content_of(*state, sample_dynamic(1, 0));

    assert_int_equal(content.count, 3);
    assert_true(has(&content, 0, 512));
    assert_true(has(&content, 512, 1536));
    assert_true(has(&content, 1536, 2048)); /* the table is padded to a sector */
    assert_int_equal(content.first_block, UINT64_MAX);
    assert_int_equal(content.end, 2048);
    assert_false(content.has_batmap);
    vhd_content_free(&content);
    assert_int_equal(content.count, 0);
    vhd_content_free(&content);
}

static void blocks_are_listed_where_they_lie(void **state)
{
    struct vhd_content content = content_of(*state, sample_dynamic(1, 3));

    assert_int_equal(content.count, 6);
    for (uint64_t i = 0; i < 3; i++)
        assert_true(
            has(&content, SAMPLE_DATA + i * SAMPLE_STRIDE, SAMPLE_DATA + (i + 1) * SAMPLE_STRIDE));
    assert_int_equal(content.first_block, SAMPLE_DATA);
    assert_int_equal(content.end, SAMPLE_DATA + 3 * SAMPLE_STRIDE);
    vhd_content_free(&content);
}

/* The table that the header claims counts, also where the disk needs less of it. */
static void surplus_entries_are_metadata(void **state)
{
    struct sample sample = sample_dynamic(1, 0);

    sample.len = SAMPLE_TABLE + 2048 + 512;
    memset(sample.bytes + SAMPLE_TABLE, 0xFF, 2048);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 500, SAMPLE_BLOCK);
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 1);
    struct vhd_content content = content_of(*state, sample);
    assert_true(has(&content, SAMPLE_TABLE, SAMPLE_TABLE + 2048));
    assert_int_equal(content.end, SAMPLE_TABLE + 2048);
    vhd_content_free(&content);
}

/* A locator in a slot: where its data is, in the units that programs use. */
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
    struct vhd_content content = content_of(*state, sample);
    assert_true(has(&content, behind + 512, behind + 1024));
    assert_true(has(&content, behind + 2048, behind + 3072));
    assert_int_equal(content.end, behind + 3072);
    vhd_content_free(&content);
}

/* blktap's map of full blocks: a header in the sector behind the table, the map where that says. */
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
    struct vhd_content content = content_of(*state, sample_with_batmap("tap\0"));

    assert_true(content.has_batmap);
    assert_true(has(&content, 2048, 2560));
    assert_true(has(&content, 3072, 4096));
    assert_int_equal(content.end, 4096);
    vhd_content_free(&content);

    content = content_of(*state, sample_with_batmap("win "));
    assert_false(content.has_batmap);
    assert_int_equal(content.end, 2048);
    vhd_content_free(&content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_empty_image_is_its_metadata),
        SCRATCH_TEST(blocks_are_listed_where_they_lie),
        SCRATCH_TEST(surplus_entries_are_metadata),
        SCRATCH_TEST(the_data_of_locators_counts),
        SCRATCH_TEST(a_batmap_counts_where_blktap_has_one),
    };
    return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
