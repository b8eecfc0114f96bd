/* SPDX-License-Identifier: MIT */
/*
 * If this failed: data would be read from the wrong file or from the wrong place in it, or a hole
 * would count as data.
 */
#include "image/extent.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "image/chain.h"
#include "engine.h"

struct chain {
    struct disks disks;
    struct vhd_layer *top;
};

/* A child whose first block has every second sector, on a base with the first two blocks. */
static struct chain chain_of_two(const char *folder)
{
    struct sample child = sample_child(2, 1, "base.vhd");
    struct chain chain;
    struct vhd_fault fault;

    child.bytes[(size_t)get32(sample_entry(&child, 0)) * 512] = 0xAA; /* 1010 1010 */
    put(folder, "base.vhd", sample_dynamic(1, 2));
    put(folder, "child.vhd", child);
    chain.disks = disks_open(folder);
    assert_int_equal(
        vhd_layer_open(chain.disks.store, "child.vhd", VHD_LAYER_READ, &chain.top, NULL, &fault),
        0);
    assert_int_equal(vhd_chain_open(chain.disks.store, chain.top, VHD_LAYER_READ, &fault), 0);
    return chain;
}

static void chain_end(struct chain chain)
{
    vhd_layer_close(chain.top);
    disks_close(chain.disks);
}

static struct vhd_extent extent_of(struct vhd_layer *top, uint64_t off, uint64_t len)
{
    struct vhd_extent extent = {.len = 0};

    assert_int_equal(vhd_extent_at(top, off, len, &extent), 0);
    assert_in_range(extent.len, 1, len);
    return extent;
}

static void without_layers_all_is_a_hole(void **state)
{
    (void)state;
    struct vhd_extent extent = extent_of(NULL, 5, UINT64_C(1) << 40);

    assert_true(extent.is_hole);
    assert_int_equal(extent.len, UINT64_C(1) << 40);
    assert_int_equal(vhd_extent_is_hole(NULL, 0, 1000), 1);
}

static void an_extent_belongs_to_one_layer(void **state)
{
    struct chain chain = chain_of_two(*state);
    const struct vhd_layer *child = chain.top, *base = child->parent;

    for (uint64_t i = 0; i < 8; i++) {
        const struct vhd_layer *layer = i % 2 == 0 ? child : base;
        struct vhd_extent extent = extent_of(chain.top, i * 512 + 11, DISK - i * 512 - 11);
        assert_false(extent.is_hole);
        assert_int_equal(extent.fd, layer->fd);
        assert_int_equal(extent.at,
                         vhd_layer_data(layer, vhd_layer_entry(layer, 0)) + i * 512 + 11);
        assert_int_equal(extent.len, 501);
    }
    struct vhd_extent extent = extent_of(chain.top, BLOCK, DISK - BLOCK);
    assert_int_equal(extent.fd, base->fd);
    assert_int_equal(extent.len, BLOCK);
    extent = extent_of(chain.top, 2 * BLOCK + 3, DISK - 2 * BLOCK - 3);
    assert_true(extent.is_hole);
    assert_int_equal(extent.len, DISK - 2 * BLOCK - 3);
    chain_end(chain);
}

static void a_hole_of_all_layers_is_a_hole(void **state)
{
    struct chain chain = chain_of_two(*state);

    assert_int_equal(vhd_extent_is_hole(chain.top, 2 * BLOCK, 2 * BLOCK), 1);
    assert_int_equal(vhd_extent_is_hole(chain.top, 2 * BLOCK - 1, 2), 0);
    assert_int_equal(vhd_extent_is_hole(chain.top, 0, DISK), 0);
    assert_int_equal(vhd_extent_is_hole(chain.top, 3 * BLOCK, 0), 1);
    chain_end(chain);
}

static void a_range_is_read_from_all_layers(void **state)
{
    struct chain chain = chain_of_two(*state);
    uint8_t buf[3 * BLOCK];
    bool is_hole = true;

    memset(buf, '#', sizeof buf);
    assert_int_equal(vhd_extent_read(chain.top, buf, sizeof buf, 10, &is_hole), 0);
    assert_false(is_hole);
    for (size_t i = 0; i < sizeof buf; i++)
        assert_int_equal(buf[i], i + 10 < 2 * BLOCK ? 0xEE : 0);
    memset(buf, '#', sizeof buf);
    assert_int_equal(vhd_extent_read(chain.top, buf, BLOCK, 3 * BLOCK, &is_hole), 0);
    assert_true(is_hole);
    assert_int_equal(buf[0], '#');
    assert_int_equal(vhd_extent_read(chain.top, buf, BLOCK, 3 * BLOCK, NULL), 0);
    assert_int_equal(buf[0], 0);
    chain_end(chain);
}

static void a_file_that_is_too_short_is_reported(void **state)
{
    struct chain chain = chain_of_two(*state);
    struct vhd_extent extent;
    uint8_t buf[BLOCK];

    extent_of(chain.top, BLOCK, BLOCK); /* its bitmap is known to be full from here on */
    assert_int_equal(truncate(scratch_path(*state, "base.vhd"), 2048), 0);
    assert_int_equal(vhd_extent_read(chain.top, buf, BLOCK, BLOCK, NULL), -EIO);
    assert_int_equal(vhd_extent_at(chain.top, 512, 512, &extent), -EIO);
    assert_int_equal(vhd_extent_is_hole(chain.top, 512, 512), -EIO);
    chain_end(chain);
}

/*
 * Beyond the end of a smaller parent there are zeros, whatever its blocks or its own parents hold.
 */
static void beyond_a_parents_end_is_a_hole(void **state)
{
    struct chain chain = chain_of_two(*state);
    struct vhd_layer *child = chain.top, *base = child->parent;
    const uint64_t ends[] = {BLOCK + 512, BLOCK + 1024, BLOCK + 1000};

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        uint8_t buf[2 * BLOCK];
        base->image.footer.current_size = ends[i];
        struct vhd_extent extent = extent_of(child, BLOCK, BLOCK);
        assert_int_equal(extent.fd, base->fd);
        assert_int_equal(extent.len, ends[i] - BLOCK);
        extent = extent_of(child, ends[i], DISK - ends[i]);
        assert_true(extent.is_hole);
        assert_int_equal(extent.len, DISK - ends[i]);
        assert_int_equal(vhd_extent_is_hole(base, ends[i], DISK), 1);
        assert_int_equal(vhd_extent_is_hole(base, ends[i] - 1, DISK), 0);
        memset(buf, 0x77, sizeof buf);
        assert_int_equal(vhd_extent_read(child, buf, sizeof buf, BLOCK, NULL), 0);
        for (size_t at = ends[i] - BLOCK; at < sizeof buf; at++)
            assert_int_equal(buf[at], 0);
    }
    chain_end(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_layers_all_is_a_hole),
        SCRATCH_TEST(an_extent_belongs_to_one_layer),
        SCRATCH_TEST(a_hole_of_all_layers_is_a_hole),
        SCRATCH_TEST(a_range_is_read_from_all_layers),
        SCRATCH_TEST(a_file_that_is_too_short_is_reported),
        SCRATCH_TEST(beyond_a_parents_end_is_a_hole),
    };
    return cmocka_run_group_tests_name("extent", tests, NULL, NULL);
}
