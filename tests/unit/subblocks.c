/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a differencing disk would set a bit before its data is safe, and a power loss
 * would show zeros for the parent's data; or written data would read as the parent's.
 */
#include "disk/subblocks.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "gate.h"

enum { SUBBLOCKS = 16, LARGE = SUBBLOCKS * 4096 };

/* A differencing image of one block of sixteen subblocks, with its layer and subblocks. */
struct bench {
    const char *folder;
    struct disks disks;
    struct vhd_layer *layer;
    struct vhd_subblocks *subblocks;
    int write_fd;
    uint32_t entry;
};

static struct bench bench_of(const char *folder, uint32_t block_size, uint8_t first_byte)
{
    struct bench bench = {.folder = folder, .disks = disks_open(folder)};
    struct sample sample = sample_child(2, 1, "base.vhd");
    struct vhd_fault fault;

    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 1, block_size);
    sample_parent(sample.bytes + SAMPLE_HEADER, 1, "base.vhd");
    sample.len = SAMPLE_DATA + 512 + block_size + 512;
    sample.bytes = realloc(sample.bytes, sample.len);
    assert_non_null(sample.bytes);
    memset(sample.bytes + SAMPLE_DATA, 0, 512 + block_size);
    sample.bytes[SAMPLE_DATA] = first_byte;
    sample_footers(&sample, SAMPLE_DIFFERENCING, block_size, 2);
    put(folder, "child.vhd", sample);
    assert_int_equal(vhd_layer_open(bench.disks.store, "child.vhd", VHD_LAYER_WRITE, &bench.layer,
                                    &bench.write_fd, &fault),
                     0);
    bench.subblocks = vhd_subblocks_new(bench.layer, bench.write_fd);
    assert_non_null(bench.subblocks);
    bench.layer->bit_source = vhd_subblocks_bit_source(bench.subblocks);
    bench.entry = vhd_layer_entry(bench.layer, 0);
    return bench;
}

static void bench_end(struct bench bench)
{
    bench.layer->bit_source = NULL;
    vhd_subblocks_free(bench.subblocks);
    vhd_layer_close(bench.layer);
    close(bench.write_fd);
    disks_close(bench.disks);
}

static int reserve_absent(struct bench bench, uint32_t first, uint32_t end,
                          struct vhd_subblock_range *ret)
{
    return vhd_subblocks_reserve_absent(bench.subblocks, 0, bench.entry, first, end, ret);
}

static void give_back(struct bench bench, const struct vhd_subblock_range *range,
                      enum vhd_subblock_outcome how)
{
    assert_int_equal(vhd_subblocks_release(bench.subblocks, range, how), 0);
}

/* Write subblocks first to end, as a writer does. */
static void write_first(struct bench bench, uint32_t first, uint32_t end,
                        enum vhd_subblock_outcome how)
{
    struct vhd_subblock_range range;

    assert_int_equal(reserve_absent(bench, first, end, &range), 0);
    assert_int_equal(range.first, first);
    assert_int_equal(range.end, end);
    give_back(bench, &range, how);
}

/* Subblocks that are present for readers: bit i for subblock i. */
static unsigned present(struct bench bench)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < SUBBLOCKS; i++) {
        struct vhd_run run;
        assert_int_equal(vhd_layer_run(bench.layer, i * 4096, 4096, &run), 0);
        if (run.is_here) {
            assert_int_equal(run.len, 4096);
            bits |= 1u << i;
        }
    }
    return bits;
}

/* The bytes of the bitmap in the file. */
static unsigned on_disk(struct bench bench)
{
    uint8_t bytes[SUBBLOCKS];
    unsigned bits = 0;

    assert_int_equal(pread(bench.layer->fd, bytes, SUBBLOCKS, (off_t)bench.entry * 512), SUBBLOCKS);
    for (unsigned i = 0; i < SUBBLOCKS; i++) {
        assert_true(bytes[i] == 0 || bytes[i] == 0xFF);
        bits |= bytes[i] ? 1u << i : 0;
    }
    return bits;
}

static unsigned flush(struct bench bench)
{
    if (!vhd_subblocks_flush_begin(bench.subblocks))
        return 0;
    assert_int_equal(vhd_subblocks_flush_finish(bench.subblocks), 0);
    return 1;
}

static void a_subblock_is_4096_bytes_or_a_block(void **state)
{
    for (uint32_t block = 512; block <= 16384; block *= 2) {
        struct bench bench = bench_of(*state, block, 0);
        assert_int_equal(vhd_subblocks_size(bench.subblocks), block < 4096 ? block : 4096);
        bench_end(bench);
    }
    vhd_subblocks_free(NULL);
    vhd_subblocks_free_removed(NULL);
}

static void a_written_subblock_is_present_at_once_and_on_disk_later(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);

    assert_false(vhd_subblocks_are_pending(bench.subblocks));
    assert_int_equal(flush(bench), 0);
    write_first(bench, 2, 5, VHD_SUBBLOCKS_PENDING);
    assert_int_equal(present(bench), 0x1C);
    assert_int_equal(on_disk(bench), 0);
    assert_true(vhd_subblocks_are_pending(bench.subblocks));
    assert_int_equal(flush(bench), 1);
    assert_int_equal(present(bench), 0x1C);
    assert_int_equal(on_disk(bench), 0x1C);
    assert_false(vhd_subblocks_are_pending(bench.subblocks));
    assert_int_equal(flush(bench), 0);
    bench_end(bench);
}

static void a_failed_subblock_is_still_the_parents(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);

    write_first(bench, 0, SUBBLOCKS, VHD_SUBBLOCKS_FAILED);
    assert_int_equal(present(bench), 0);
    assert_false(vhd_subblocks_are_pending(bench.subblocks));
    write_first(bench, 0, 1, VHD_SUBBLOCKS_PENDING); /* and can be written again */
    assert_int_equal(present(bench), 1);
    bench_end(bench);
}

static void bits_can_go_at_once(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);

    write_first(bench, 1, 2, VHD_SUBBLOCKS_PENDING);
    write_first(bench, 7, 9, VHD_SUBBLOCKS_ON_DISK);
    assert_int_equal(on_disk(bench), 0x180); /* and without the pending ones */
    assert_int_equal(present(bench), 0x182);
    assert_int_equal(flush(bench), 1);
    assert_int_equal(on_disk(bench), 0x182);
    bench_end(bench);
}

static void only_absent_subblocks_are_reserved(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0xFF); /* the first is here */
    struct vhd_subblock_range range;

    assert_int_equal(reserve_absent(bench, 0, SUBBLOCKS, &range), 0);
    assert_int_equal(range.first, range.end);
    write_first(bench, 5, 6, VHD_SUBBLOCKS_PENDING);
    assert_int_equal(reserve_absent(bench, 1, SUBBLOCKS, &range), 0);
    assert_int_equal(range.first, 1);
    assert_int_equal(range.end, 5);
    give_back(bench, &range, VHD_SUBBLOCKS_PENDING);
    assert_int_equal(reserve_absent(bench, 3, SUBBLOCKS, &range), 0);
    assert_int_equal(range.first, range.end);
    assert_int_equal(present(bench), 0x3F);
    bench_end(bench);
}

/*
 * To zero a range, all its subblocks are reserved; those that were present stay so, and are not
 * pending.
 */
static void all_can_be_reserved(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0xFF);
    struct vhd_subblock_range range;

    assert_int_equal(vhd_subblocks_reserve(bench.subblocks, 0, bench.entry, 0, 4, &range), 0);
    assert_int_equal(range.first, 0);
    assert_int_equal(range.end, 4);
    give_back(bench, &range, VHD_SUBBLOCKS_PENDING);
    assert_int_equal(present(bench), 0xF);
    assert_int_equal(flush(bench), 1);
    assert_int_equal(on_disk(bench), 0xF);
    bench_end(bench);
}

static void another_entry_is_reported(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);
    struct vhd_subblock_range range;

    assert_int_equal(
        vhd_subblocks_reserve_absent(bench.subblocks, 0, bench.entry + 8, 0, 1, &range), 0);
    assert_int_equal(range.first, range.end);
    assert_int_equal(vhd_subblocks_reserve(bench.subblocks, 0, bench.entry + 8, 0, 1, &range), 0);
    assert_int_equal(range.first, range.end);
    bench_end(bench);
}

/* A flush writes the bits that were pending when it began, and no later ones. */
static void a_subblock_written_during_a_flush_belongs_to_the_next(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);

    write_first(bench, 0, 1, VHD_SUBBLOCKS_PENDING);
    assert_true(vhd_subblocks_flush_begin(bench.subblocks));
    write_first(bench, 1, 2, VHD_SUBBLOCKS_PENDING);
    write_first(bench, 3, 4, VHD_SUBBLOCKS_ON_DISK);
    assert_int_equal(on_disk(bench), 0x8);
    assert_int_equal(vhd_subblocks_flush_finish(bench.subblocks), 0);
    assert_int_equal(on_disk(bench), 0x9);
    assert_int_equal(present(bench), 0xB);
    assert_true(vhd_subblocks_are_pending(bench.subblocks));
    assert_int_equal(flush(bench), 1);
    assert_int_equal(on_disk(bench), 0xB);
    bench_end(bench);
}

/* A flush whose barrier has failed leaves its subblocks to the next one, beside later ones. */
static void an_abandoned_flush_leaves_all_pending(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);

    write_first(bench, 0, 1, VHD_SUBBLOCKS_PENDING);
    assert_true(vhd_subblocks_flush_begin(bench.subblocks));
    vhd_subblocks_flush_abandon(bench.subblocks);
    assert_int_equal(on_disk(bench), 0);
    assert_true(vhd_subblocks_are_pending(bench.subblocks));
    write_first(bench, 1, 2, VHD_SUBBLOCKS_PENDING);
    assert_int_equal(flush(bench), 1);
    assert_int_equal(on_disk(bench), 0x3);
    assert_false(vhd_subblocks_are_pending(bench.subblocks));
    bench_end(bench);
}

struct second {
    struct bench bench;
    struct gate gate;
    bool has_it; /* atomic */
    int err;
    uint32_t count; /* subblocks reserved */
};

static void *reserve_too(void *arg)
{
    struct second *second = arg;
    struct vhd_subblock_range range;

    gate_pass(&second->gate);
    second->err = reserve_absent(second->bench, 3, 6, &range);
    __atomic_store_n(&second->has_it, true, __ATOMIC_SEQ_CST);
    second->count = range.end - range.first;
    if (second->count > 0)
        vhd_subblocks_release(second->bench.subblocks, &range, VHD_SUBBLOCKS_PENDING);
    return NULL;
}

/* Of two first writers of a subblock one waits, and then finds it present or still absent. */
static void a_subblock_has_one_first_writer(void **state)
{
    for (int fails = 0; fails < 2; fails++) {
        struct second second = {.bench = bench_of(*state, LARGE, 0), .gate = GATE_CLOSED};
        struct vhd_subblock_range range;
        pthread_t thread;

        assert_int_equal(reserve_absent(second.bench, 2, 4, &range), 0);
        assert_int_equal(pthread_create(&thread, NULL, reserve_too, &second), 0);
        gate_await(&second.gate, 1);
        gate_open(&second.gate);
        for (int i = 0; i < 200; i++)
            sched_yield();
        assert_false(READ(second.has_it));
        give_back(second.bench, &range, fails ? VHD_SUBBLOCKS_FAILED : VHD_SUBBLOCKS_PENDING);
        pthread_join(thread, NULL);
        assert_int_equal(second.err, 0);
        assert_int_equal(second.count, fails ? 3 : 0);
        assert_int_equal(present(second.bench), fails ? 0x38 : 0xC);
        bench_end(second.bench);
    }
}

static int agree(void *arg, uint32_t block)
{
    const struct bench *bench = arg;
    vhd_layer_set_entry(bench->layer, block, 0xFFFFFFFF, false);
    return 0;
}

static int refuse(void *arg, uint32_t block)
{
    (void)arg, (void)block;
    return -EIO;
}

static void a_retired_block_removes_its_bitmap(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);
    struct vhd_pending_bitmap *dead = NULL;

    write_first(bench, 2, 3, VHD_SUBBLOCKS_PENDING);
    assert_int_equal(vhd_subblocks_remove_block(bench.subblocks, 0, refuse, &bench, &dead), -EIO);
    assert_null(dead);
    assert_int_equal(present(bench), 4);
    assert_int_equal(vhd_subblocks_remove_block(bench.subblocks, 0, agree, &bench, &dead), 0);
    assert_non_null(dead);
    assert_int_equal(present(bench), 0);
    assert_false(vhd_subblocks_are_pending(bench.subblocks));
    assert_int_equal(flush(bench), 0);
    assert_int_equal(on_disk(bench), 0);
    vhd_subblocks_free_removed(dead);

    /* Without a bitmap there is nothing to remove. */
    dead = NULL;
    vhd_layer_set_entry(bench.layer, 0, bench.entry, false);
    assert_int_equal(vhd_subblocks_remove_block(bench.subblocks, 0, agree, &bench, &dead), 0);
    assert_null(dead);
    bench_end(bench);
}

static void a_bitmap_that_is_all_on_disk_is_pruned(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);

    assert_null(vhd_subblocks_prune(bench.subblocks));
    write_first(bench, 2, 3, VHD_SUBBLOCKS_PENDING);
    assert_null(vhd_subblocks_prune(bench.subblocks));
    assert_int_equal(flush(bench), 1);
    struct vhd_pending_bitmap *dead = vhd_subblocks_prune(bench.subblocks);
    assert_non_null(dead);
    vhd_subblocks_free_removed(dead);
    assert_int_equal(present(bench), 4); /* the bitmap says so now */
    assert_null(vhd_subblocks_prune(bench.subblocks));
    write_first(bench, 5, 6, VHD_SUBBLOCKS_PENDING);
    assert_int_equal(present(bench), 0x24);
    bench_end(bench);
}

/* A reserved range keeps its bitmap, even if all its bits are on disk. */
static void a_reserved_range_is_not_pruned(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);
    struct vhd_subblock_range range;

    assert_int_equal(reserve_absent(bench, 2, 3, &range), 0);
    assert_null(vhd_subblocks_prune(bench.subblocks));
    give_back(bench, &range, VHD_SUBBLOCKS_PENDING);
    assert_int_equal(present(bench), 4);
    bench_end(bench);
}

/* Bits that cannot be written wait for the next flush. */
static void bits_that_fail_are_pending(void **state)
{
    struct bench bench = bench_of(*state, LARGE, 0);
    struct vhd_subblocks *broken = vhd_subblocks_new(bench.layer, bench.layer->fd); /* read-only */
    struct vhd_subblock_range range;

    bench.layer->bit_source = vhd_subblocks_bit_source(broken);
    assert_int_equal(vhd_subblocks_reserve_absent(broken, 0, bench.entry, 1, 2, &range), 0);
    assert_int_equal(vhd_subblocks_release(broken, &range, VHD_SUBBLOCKS_ON_DISK), -EBADF);
    assert_int_equal(present(bench), 2);
    assert_true(vhd_subblocks_are_pending(broken));
    assert_true(vhd_subblocks_flush_begin(broken));
    assert_int_equal(vhd_subblocks_flush_finish(broken), -EBADF);
    assert_true(vhd_subblocks_are_pending(broken));
    assert_int_equal(present(bench), 2);
    bench.layer->bit_source = NULL;
    vhd_subblocks_free(broken);
    bench_end(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_subblock_is_4096_bytes_or_a_block),
        SCRATCH_TEST(a_written_subblock_is_present_at_once_and_on_disk_later),
        SCRATCH_TEST(a_failed_subblock_is_still_the_parents),
        SCRATCH_TEST(bits_can_go_at_once),
        SCRATCH_TEST(only_absent_subblocks_are_reserved),
        SCRATCH_TEST(all_can_be_reserved),
        SCRATCH_TEST(another_entry_is_reported),
        SCRATCH_TEST(a_subblock_written_during_a_flush_belongs_to_the_next),
        SCRATCH_TEST(an_abandoned_flush_leaves_all_pending),
        SCRATCH_TEST(a_subblock_has_one_first_writer),
        SCRATCH_TEST(a_retired_block_removes_its_bitmap),
        SCRATCH_TEST(a_bitmap_that_is_all_on_disk_is_pruned),
        SCRATCH_TEST(a_reserved_range_is_not_pruned),
        SCRATCH_TEST(bits_that_fail_are_pending),
    };
    return cmocka_run_group_tests_name("subblocks", tests, NULL, NULL);
}
