/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a disk could not grow to its limit, would grow without need, or each new block
 * would wait for a barrier.
 */
#include "disk/grow.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "disk/allocate.h"
#include "disk/barrier.h"
#include "disk/confirm.h"
#include "engine.h"

static struct vhd_disk *disk_of(const char *folder, uint64_t size, struct disks *ret)
{
    put_empty(folder, "a.vhd", size, 1, 0, NULL);
    *ret = disks_open(folder);
    return open_writable(*ret, "a");
}

static void disk_end(struct disks disks, struct vhd_disk *disk)
{
    close_disk(disk);
    disks_close(disks);
}

/* With the lock held, as its callers hold it. */
static void grow_ahead(struct vhd_disk *disk)
{
    pthread_mutex_lock(&disk->growth_lock);
    vhd_disk_grow_ahead(disk);
    pthread_mutex_unlock(&disk->growth_lock);
}

/*
 * A writer waits for the first slot, so it is made alone. Later growths make many slots, but no
 * more than a limit.
 */
static void steps_become_larger_but_not_without_end(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 2048 * UINT64_C(1048576), &disks);
    size_t largest = 0;

    for (uint32_t block = 0; block < 600; block++) {
        assert_int_equal(vhd_block_allocate(disk, block), 0);
        size_t slots = vhd_slots_ready(&disk->slots) + vhd_slots_waiting(&disk->slots);
        largest = slots > largest ? slots : largest;
        if (block == 0)
            assert_int_equal(slots, 0);
    }
    assert_in_range(largest, 16, 512);
    disk_end(disks, disk);
}

/* There are never more slots than unallocated blocks. */
static void no_slot_is_made_without_a_block_for_it(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 64 * MB, &disks);

    for (uint32_t block = 0; block < 32; block++) {
        assert_int_equal(vhd_block_allocate(disk, block), 0);
        grow_ahead(disk);
        assert_true(vhd_slots_ready(&disk->slots) + vhd_slots_waiting(&disk->slots) <=
                    disk->unallocated);
    }
    assert_false(vhd_disk_is_short_of_slots(disk));
    disk_end(disks, disk);
}

static void a_disk_without_new_blocks_does_not_grow(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 64 * MB, &disks);
    const uint64_t length = file_length(*state, "a.vhd");

    assert_false(vhd_disk_is_short_of_slots(disk));
    grow_ahead(disk);
    assert_int_equal(vhd_disk_flush(disk), 0);
    assert_int_equal(file_length(*state, "a.vhd"), length);
    disk_end(disks, disk);
}

/* Sector numbers have 32 bits, and the highest means unallocated. */
static void a_file_ends_where_sector_numbers_end(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 64 * MB, &disks);
    const uint64_t footer_at = disk->footer_at;

    /* The image goes on far behind its content; the part between is a hole. */
    const uint64_t far = (UINT64_C(0xFFFFFFFF) - 4000) * 512;
    assert_int_equal(vhd_footer_put(disk, disk->write_fd, far), 0);
    disk->footer_at = far;
    disk->length = far + 512;
    assert_int_equal(vhd_block_allocate(disk, 0), -EFBIG);
    assert_int_equal(ftruncate(disk->write_fd, (off_t)footer_at + 512), 0);
    disk->footer_at = footer_at;
    disk->length = footer_at + 512;
    assert_int_equal(vhd_block_allocate(disk, 0), 0);
    disk_end(disks, disk);
    expect_clean(*state, "a.vhd");
}

/* Where the length follows the pages, copies of the footer fill its page. They go, it stays. */
static void a_footer_that_moves_leaves_zeros_behind(void **state)
{
    static const uint64_t distances[] = {512, 1024, 1536, 2048, 6144};

    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        struct disks disks;
        struct vhd_disk *disk = disk_of(*state, 64 * UINT64_C(1048576), &disks);
        const uint64_t old = disk->footer_at, at = old + distances[i];
        size_t len;

        assert_int_equal(old % 4096, 2048);
        disk->growth = VHD_GROWTH_XFS;
        if (disk->direct_fd >= 0)
            close(disk->direct_fd);
        disk->direct_fd = -1;
        pthread_mutex_lock(&disk->growth_lock);
        assert_int_equal(vhd_disk_move_footer(disk, at), 0);
        assert_int_equal(vhd_disk_barrier(disk), 0);
        assert_int_equal(vhd_confirm_end(disk), 0);
        pthread_mutex_unlock(&disk->growth_lock);
        uint8_t *bytes = file_bytes(*state, "a.vhd", &len);
        assert_int_equal(len, at + 512);
        assert_memory_equal(bytes + at, "conectix", 8);
        for (uint64_t byte = old; byte < at; byte++)
            assert_int_equal(bytes[byte], 0);
        free(bytes);
        disk_end(disks, disk);
        unlink(scratch_path(*state, "a.vhd"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(steps_become_larger_but_not_without_end),
        SCRATCH_TEST(no_slot_is_made_without_a_block_for_it),
        SCRATCH_TEST(a_disk_without_new_blocks_does_not_grow),
        SCRATCH_TEST(a_file_ends_where_sector_numbers_end),
        SCRATCH_TEST(a_footer_that_moves_leaves_zeros_behind),
    };
    return cmocka_run_group_tests_name("grow", tests, NULL, NULL);
}
