/* SPDX-License-Identifier: MIT */
/*
 * If this failed: compacting would drop data, let the parent's data show where zeros hide it, leave
 * gaps in the file, or make an image that other programs refuse.
 */
#include "reshape/compact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

/* Remove the blocks of zeros, and move blocks until none moves. Returns the number of moves. */
static unsigned compact(struct vhd_disk *disk)
{
    uint8_t *buf = malloc(vhd_disk_block_size(disk));
    struct vhd_packer *packer;
    unsigned all = 0, moved = 1;
    bool was_allocated;

    assert_non_null(buf);
    for (uint32_t block = 0; block < vhd_disk_blocks(disk); block++)
        assert_int_equal(vhd_disk_drop_zeros(disk, block, buf, &was_allocated), 0);
    free(buf);
    assert_int_equal(vhd_packer_new(disk, &packer), 0);
    const uint32_t planned = vhd_packer_left(packer);
    while (moved > 0) {
        assert_int_equal(vhd_packer_step(packer, &moved), 0);
        all += moved;
    }
    assert_int_equal(all, planned);
    assert_int_equal(vhd_packer_left(packer), 0);
    vhd_packer_free(packer);
    return all;
}

/* The image is sound, and its file as short as for this many packed blocks. */
static void expect_packed(const char *folder, const char *file, unsigned blocks)
{
    struct vhd_image image = expect_clean(folder, file);

    assert_int_equal(image.allocated, blocks);
    assert_int_equal(image.length, SAMPLE_DATA + blocks * SAMPLE_STRIDE + 512);
}

static void zeros_leave_and_the_last_blocks_move(void **state)
{
    struct disks disks = disks_open(*state);

    /* The first blocks lie last in the file. */
    for (unsigned zero = 0; zero < SAMPLE_BLOCKS; zero++) {
        put(*state, "a.vhd", sample_dynamic(1, SAMPLE_BLOCKS));
        struct vhd_disk *disk = open_writable(disks, "a");
        for (uint32_t block = 0; block < SAMPLE_BLOCKS; block++)
            fill(disk, block * BLOCK, BLOCK, block == zero ? 0 : (uint8_t)(block + 1));
        /* Only the block of zeros that lies last leaves no gap. */
        assert_int_equal(compact(disk), zero > 0);
        for (uint32_t block = 0; block < SAMPLE_BLOCKS; block++)
            expect(disk, block * BLOCK, BLOCK, block == zero ? 0 : (uint8_t)(block + 1));
        assert_int_equal(vhd_disk_allocated(disk), SAMPLE_BLOCKS - 1);
        close_disk(disk);
        expect_packed(*state, "a.vhd", SAMPLE_BLOCKS - 1);
    }
    disks_close(disks);
}

static void a_disk_of_zeros_has_no_block(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, SAMPLE_BLOCKS));
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, DISK, 0);
    assert_int_equal(compact(disk), 0);
    close_disk(disk);
    expect_packed(*state, "a.vhd", 0);
    disks_close(disks);
}

static void a_packed_disk_is_not_changed(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, SAMPLE_BLOCKS));
    struct kept kept = keep(*state, "a.vhd");
    struct vhd_disk *disk = open_writable(disks, "a");
    assert_int_equal(compact(disk), 0);
    close_disk(disk);
    expect_kept(*state, "a.vhd", kept);
    disks_close(disks);
}

/* What lies under clear bits is not the disk's: a moved block has zeros there. */
static void a_moved_block_of_another_program_is_full(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 3);

    /* Block 0 lies last; its second sector is not written. Block 2, the first in the file, goes. */
    sample.bytes[SAMPLE_DATA + 2 * SAMPLE_STRIDE] = 0xBF;
    memset(sample.bytes + SAMPLE_DATA + 512, 0, BLOCK);
    put(*state, "a.vhd", sample);
    struct vhd_disk *disk = open_writable(disks, "a");
    assert_int_equal(compact(disk), 1);
    expect(disk, 0, 512, 0xEE);
    expect(disk, 512, 512, 0);
    expect(disk, 1024, BLOCK - 1024, 0xEE);
    close_disk(disk);
    expect_packed(*state, "a.vhd", 2);
    disk = open_disk(disks, "a", 0);
    expect(disk, 512, 512, 0);
    close_disk(disk);
    disks_close(disks);
}

static void zeros_over_data_of_the_parent_stay(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(*state, "a.vhd", sample_child(2, 1, "base.vhd"));
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, BLOCK, 0);         /* over data: stays */
    fill(disk, 3 * BLOCK, BLOCK, 7); /* over a hole: must become zeros first */
    fill(disk, 2 * BLOCK, 512, 5);
    assert_int_equal(vhd_disk_flush(disk), 0);
    fill(disk, 3 * BLOCK, BLOCK, 0);
    assert_int_equal(vhd_disk_allocated(disk), 3);
    compact(disk);
    assert_int_equal(vhd_disk_allocated(disk), 2);
    close_disk(disk);
    disk = open_disk(disks, "a", 0);
    expect(disk, 0, BLOCK, 0);
    expect(disk, BLOCK, BLOCK, 0xEE);
    expect(disk, 2 * BLOCK, 512, 5);
    expect(disk, 2 * BLOCK + 512, 2 * BLOCK - 512, 0);
    close_disk(disk);
    disks_close(disks);
}

static void a_fixed_disk_has_no_blocks(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_fixed(1));
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    assert_int_equal(vhd_disk_blocks(disk), 0);
    assert_int_equal(vhd_disk_block_size(disk), 0);
    close_disk(disk);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(zeros_leave_and_the_last_blocks_move),
        SCRATCH_TEST(a_disk_of_zeros_has_no_block),
        SCRATCH_TEST(a_packed_disk_is_not_changed),
        SCRATCH_TEST(a_moved_block_of_another_program_is_full),
        SCRATCH_TEST(zeros_over_data_of_the_parent_stay),
        SCRATCH_TEST(a_fixed_disk_has_no_blocks),
    };
    return cmocka_run_group_tests_name("compact", tests, NULL, NULL);
}
