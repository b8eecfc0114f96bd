/*
 * If this failed: two blocks would share a slot, or a block be somewhere in memory and elsewhere on
 * disk, so that what is synced is lost; or a slot be used again before it is safe.
 */
#include "disk/allocate.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "disk/barrier.h"
#include "engine.h"
#include "format/block.h"
#include "gate.h"

static struct vhd_disk *disk_of(const char *folder, struct disks *ret)
{
    put_empty(folder, "a.vhd", 64 * MB, 1, 0, NULL);
    *ret = disks_open(folder);
    return open_writable(*ret, "a");
}

static void disk_end(struct disks disks, struct vhd_disk *disk)
{
    close_disk(disk);
    disks_close(disks);
}

static uint32_t entry_of(const struct vhd_disk *disk, uint32_t block)
{
    return vhd_layer_entry(disk->top, block);
}

static void a_block_is_entered_on_disk_and_in_memory(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    for (uint32_t block = 0; block < 32; block += 5) {
        assert_int_equal(entry_of(disk, block), VHD_UNALLOCATED);
        assert_int_equal(vhd_block_allocate(disk, block), 0);
        assert_int_not_equal(entry_of(disk, block), VHD_UNALLOCATED);
        assert_int_equal(entry_of(disk, block), file_entry(*state, "a.vhd", block));
        assert_true(vhd_layer_is_full(disk->top, block, entry_of(disk, block)));
    }
    disk_end(disks, disk);
    assert_int_equal(expect_clean(*state, "a.vhd").allocated, 7);
}

static void a_block_that_has_a_slot_keeps_it(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    assert_int_equal(vhd_block_allocate(disk, 3), 0);
    const uint32_t entry = entry_of(disk, 3);
    assert_int_equal(vhd_block_allocate(disk, 3), 0);
    assert_int_equal(entry_of(disk, 3), entry);
    disk_end(disks, disk);
}

static void all_blocks_get_slots_of_their_own(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    for (uint32_t block = 0; block < 32; block++)
        assert_int_equal(vhd_block_allocate(disk, (block * 7 + 3) % 32), 0);
    assert_int_equal(disk->unallocated, 0);
    disk_end(disks, disk);
    struct vhd_image image = expect_clean(*state, "a.vhd"); /* which says that none overlap */
    assert_int_equal(image.allocated, 32);
}

static void a_block_is_taken_out_on_disk_and_in_memory(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);
    uint32_t sector = 0;

    assert_int_equal(vhd_block_deallocate(disk, 3, &sector), 0);
    assert_int_equal(sector, VHD_UNALLOCATED); /* there was none */
    assert_int_equal(vhd_block_allocate(disk, 3), 0);
    const uint32_t entry = entry_of(disk, 3), unallocated = disk->unallocated;
    assert_int_equal(vhd_block_deallocate(disk, 3, &sector), 0);
    assert_int_equal(sector, entry);
    assert_int_equal(entry_of(disk, 3), VHD_UNALLOCATED);
    assert_int_equal(file_entry(*state, "a.vhd", 3), VHD_UNALLOCATED);
    assert_int_equal(disk->unallocated, unallocated + 1);
    disk_end(disks, disk);
}

/* Not before a barrier that begins after it was freed: the old entry might come back otherwise. */
static void a_freed_slot_is_ready_after_a_barrier(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);
    uint32_t sector;

    assert_int_equal(vhd_block_allocate(disk, 0), 0);
    assert_int_equal(vhd_block_deallocate(disk, 0, &sector), 0);
    const size_t ready = vhd_slots_ready(&disk->slots), waiting = vhd_slots_waiting(&disk->slots);
    vhd_disk_free_slots(disk, &sector, 1);
    assert_int_equal(vhd_slots_ready(&disk->slots), ready);
    assert_int_equal(vhd_slots_waiting(&disk->slots), waiting + 1);
    assert_int_equal(vhd_disk_barrier_now(disk), 0);
    assert_int_equal(vhd_slots_waiting(&disk->slots), 0);
    assert_int_equal(vhd_slots_ready(&disk->slots), ready + waiting + 1);
    assert_int_equal(vhd_block_allocate(disk, 20), 0); /* the lowest */
    assert_int_equal(entry_of(disk, 20), sector);
    disk_end(disks, disk);
}

static void a_freed_slot_is_zero(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);
    uint32_t sector;
    size_t len;

    fill(disk, 0, 2 * MB, 0x5A);
    assert_int_equal(vhd_block_deallocate(disk, 0, &sector), 0);
    vhd_disk_free_slots(disk, &sector, 1);
    uint8_t *bytes = file_bytes(*state, "a.vhd", &len);
    for (size_t i = 0; i < 512; i++)
        assert_int_equal(bytes[(size_t)sector * 512 + i], 0xFF);
    for (size_t i = 0; i < 2 * MB; i++)
        assert_int_equal(bytes[(size_t)sector * 512 + 512 + i], 0);
    free(bytes);
    disk_end(disks, disk);
}

static void what_another_program_wrote_in_part_is_no_slot_for_now(void **state)
{
    struct sample sample = sample_dynamic(1, 2);
    struct disks disks = disks_open(*state);
    uint32_t sector;

    sample.bytes[(size_t)get32(sample_entry(&sample, 0)) * 512] = 0x7F;
    put(*state, "a.vhd", sample);
    struct vhd_disk *disk = open_writable(disks, "a");
    for (uint32_t block = 0; block < 2; block++) {
        const size_t waiting = vhd_slots_waiting(&disk->slots);
        assert_int_equal(vhd_block_deallocate(disk, block, &sector), 0);
        vhd_disk_free_slots(disk, &sector, 1);
        assert_int_equal(vhd_slots_waiting(&disk->slots), waiting + block);
    }
    disk_end(disks, disk);
    expect_clean(*state, "a.vhd");
}

enum { THREADS = 4 };

struct taker {
    struct vhd_disk *disk;
    struct gate *gate;
    uint32_t first;
    int err;
};

static void *take_slots(void *arg)
{
    struct taker *taker = arg;

    gate_pass(taker->gate);
    for (uint32_t i = 0; i < 32 && taker->err == 0; i++)
        taker->err = vhd_block_allocate(taker->disk, (taker->first + i) % 32);
    return NULL;
}

/* Each wants all blocks; each block gets one slot. */
static void several_may_ask_at_once(void **state)
{
    for (int round = 0; round < 10; round++) {
        struct disks disks;
        struct vhd_disk *disk = disk_of(*state, &disks);
        struct gate gate = GATE_CLOSED;
        struct taker takers[THREADS];
        pthread_t threads[THREADS];
        for (uint32_t i = 0; i < THREADS; i++) {
            takers[i] = (struct taker){disk, &gate, i * (uint32_t)round, 0};
            assert_int_equal(pthread_create(&threads[i], NULL, take_slots, &takers[i]), 0);
        }
        gate_await(&gate, THREADS);
        gate_open(&gate);
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(takers[i].err, 0);
        }
        disk_end(disks, disk);
        assert_int_equal(expect_clean(*state, "a.vhd").allocated, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_block_is_entered_on_disk_and_in_memory),
        SCRATCH_TEST(a_block_that_has_a_slot_keeps_it),
        SCRATCH_TEST(all_blocks_get_slots_of_their_own),
        SCRATCH_TEST(a_block_is_taken_out_on_disk_and_in_memory),
        SCRATCH_TEST(a_freed_slot_is_ready_after_a_barrier),
        SCRATCH_TEST(a_freed_slot_is_zero),
        SCRATCH_TEST(what_another_program_wrote_in_part_is_no_slot_for_now),
        SCRATCH_TEST(several_may_ask_at_once),
    };
    return cmocka_run_group_tests_name("allocate", tests, NULL, NULL);
}
