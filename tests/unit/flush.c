/* SPDX-License-Identifier: MIT */
/*
 * If this failed: fsync would report data as safe that is not, or a disk would go on although its
 * host has lost data; or each fsync would cost too much.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "disk/differ.h"
#include "disk/state.h"
#include "engine.h"
#include "gate.h"

/* The library's calls of fdatasync(2) come here. */
static unsigned barriers;
static int fails; /* the errno of the next; 0: it works */
static _Thread_local int fails_here;
static void (*at_barrier)(void *arg), *at_barrier_arg;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
    COUNT(barriers);
    if (at_barrier)
        at_barrier(at_barrier_arg);
    if (fails || fails_here) {
        errno = fails ? fails : fails_here;
        return -1;
    }
    return __real_fdatasync(fd);
}

static unsigned flush(struct vhd_disk *disk)
{
    barriers = 0;
    assert_int_equal(vhd_disk_flush(disk), 0);
    return barriers;
}

static int calm(void **state)
{
    fails = 0;
    at_barrier = NULL;
    return scratch_setup(state);
}

#define FLUSH_TEST(test) cmocka_unit_test_setup_teardown(test, calm, scratch_teardown)

static void an_overwrite_costs_one_barrier(void **state)
{
    struct disks disks = disks_open(*state);
    const char *const names[] = {"dynamic", "fixed", "child"};

    put(*state, "dynamic.vhd", sample_dynamic(1, 2));
    put(*state, "fixed.vhd", sample_fixed(2));
    put(*state, "base.vhd", sample_dynamic(3, 2));
    put(*state, "child.vhd", sample_child(4, 3, "base.vhd"));
    for (int i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_writable(disks, names[i]);
        for (int times = 0; times < 3; times++) {
            barriers = 0;
            fill(disk, 10, 100, (uint8_t)times);
            assert_int_equal(barriers, 0);
            assert_int_equal(flush(disk), 1);
        }
        close_disk(disk);
    }
    disks_close(disks);
}

/*
 * Growth ahead rides on the barrier of a flush, so a first write waits for no barrier of its own.
 */
static void a_first_write_costs_one_barrier_where_a_slot_is_ready(void **state)
{
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", 256 * MB, 1, 0, NULL);
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, 512, 1); /* the very first one grows the file, and waits */
    flush(disk);
    flush(disk);
    for (uint64_t block = 1; block < 100; block++) {
        barriers = 0;
        fill(disk, block * 2 * MB, 512, 1);
        assert_int_equal(barriers, 0);
        assert_int_equal(flush(disk), 1);
    }
    close_disk(disk);
    disks_close(disks);
}

/*
 * Data, then bits: a bit that is durable before its data would show zeros in place of the parent's.
 */
static void a_childs_new_subblocks_cost_two(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 4));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    struct vhd_disk *disk = open_writable(disks, "child");
    fill(disk, 2 * BLOCK, 512, 1);
    flush(disk);
    fill(disk, 3 * BLOCK, 512, 1);
    assert_int_equal(flush(disk), 2);
    assert_int_equal(flush(disk), 1);
    fill(disk, 3 * BLOCK, 512, 2);
    assert_int_equal(flush(disk), 1);
    close_disk(disk);
    disks_close(disks);
}

struct first_bits {
    const char *folder;
    unsigned block;
    uint8_t bits[8]; /* the first byte of the block's bitmap at each barrier */
};

static void note_bits(void *arg)
{
    struct first_bits *seen = arg;
    uint32_t entry = file_entry(seen->folder, "child.vhd", seen->block);
    int fd = open(scratch_path(seen->folder, "child.vhd"), O_RDONLY | O_CLOEXEC);

    if (entry != 0xFFFFFFFF && barriers <= 8)
        assert_int_equal(pread(fd, &seen->bits[barriers - 1], 1, (off_t)entry * 512), 1);
    close(fd);
}

static void bits_are_written_between_the_two(void **state)
{
    struct disks disks = disks_open(*state);
    struct first_bits seen = {.folder = *state, .block = 3};

    put(*state, "base.vhd", sample_dynamic(1, 4));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    struct vhd_disk *disk = open_writable(disks, "child");
    fill(disk, 3 * BLOCK, 512, 1);
    at_barrier = note_bits;
    at_barrier_arg = &seen;
    assert_int_equal(flush(disk), 2);
    at_barrier = NULL;
    assert_int_equal(seen.bits[0], 0);
    assert_int_equal(seen.bits[1], 0xFF);
    close_disk(disk);
    disks_close(disks);
}

/* Where no parent has data, an early bit hides nothing. */
static void bits_go_with_the_data_where_parents_have_none(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    struct vhd_disk *disk = open_writable(disks, "child");
    fill(disk, 2 * BLOCK, 512, 1);
    flush(disk);
    fill(disk, 3 * BLOCK, 512, 1);
    assert_int_equal(flush(disk), 1);
    close_disk(disk);
    disk = open_disk(disks, "child", 0);
    expect(disk, 3 * BLOCK, 512, 1);
    expect(disk, 3 * BLOCK + 512, BLOCK - 512, 0);
    close_disk(disk);
    disks_close(disks);
}

struct second {
    struct vhd_disk *disk;
};

static void write_another_subblock(void *arg)
{
    const struct second *second = arg;
    if (barriers == 1)
        assert_int_equal(vhd_disk_write(second->disk, "x", 1, 9 * BLOCK), 0);
}

/* A write during a flush belongs to the next one: its data may not be durable yet. */
static void only_bits_of_earlier_writes_are_written(void **state)
{
    enum { LARGE = 16 * BLOCK };
    struct disks disks = disks_open(*state);
    struct sample base = sample_of(LARGE + 512), child = sample_child(2, 1, "base.vhd");
    size_t len;

    memset(base.bytes, 0x11, LARGE);
    sample_footer(sample_end(&base), SAMPLE_FIXED, LARGE, 1);
    sample_header(child.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 1, LARGE);
    sample_parent(child.bytes + SAMPLE_HEADER, 1, "base.vhd");
    child.len = SAMPLE_DATA + 512;
    put32(sample_entry(&child, 0), UINT32_MAX);
    sample_footers(&child, SAMPLE_DIFFERENCING, LARGE, 2);
    put(*state, "base.vhd", base);
    put(*state, "child.vhd", child);
    struct vhd_disk *disk = open_writable(disks, "child");
    struct second second = {disk};
    fill(disk, 4 * BLOCK, 1, 1);
    at_barrier = write_another_subblock;
    at_barrier_arg = &second;
    assert_int_equal(flush(disk), 2);
    at_barrier = NULL;
    uint8_t *bytes = file_bytes(*state, "child.vhd", &len);
    size_t at = (size_t)file_entry(*state, "child.vhd", 0) * 512;
    for (size_t i = 0; i < 512; i++)
        assert_int_equal(bytes[at + i], i == 4 ? 0xFF : 0);
    free(bytes);
    expect(disk, 9 * BLOCK, 1, 'x');
    assert_int_equal(flush(disk), 2);
    bytes = file_bytes(*state, "child.vhd", &len);
    assert_int_equal(bytes[at + 9], 0xFF);
    free(bytes);
    close_disk(disk);
    disks_close(disks);
}

static void a_reader_has_nothing_to_flush(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, 1));
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    assert_int_equal(flush(disk), 0);
    close_disk(disk);
    disks_close(disks);
}

/* Another program might find it and take it for the end of the image. */
static void the_footer_of_before_a_growth_is_zeroed(void **state)
{
    struct disks disks = disks_open(*state);
    size_t len;

    put_empty(*state, "a.vhd", 64 * MB, 1, 0, NULL);
    const uint64_t old = file_length(*state, "a.vhd") - 512;
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, 512, 1);
    assert_int_equal(vhd_disk_flush(disk), 0);
    uint8_t *bytes = file_bytes(*state, "a.vhd", &len);
    assert_true(len > old + 512);
    for (size_t i = 0; i < 512; i++)
        assert_int_equal(bytes[old + i], 0);
    free(bytes);
    close_disk(disk);
    disks_close(disks);
}

/* The host may have dropped pages that it could not write, and may report success the next time. */
static void a_failure_is_final(void **state)
{
    struct disks disks = disks_open(*state);
    const char *const names[] = {"dynamic", "fixed", "child"};
    uint8_t byte = 1;

    put(*state, "dynamic.vhd", sample_dynamic(1, 2));
    put(*state, "fixed.vhd", sample_fixed(2));
    put(*state, "base.vhd", sample_dynamic(3, 4));
    put(*state, "child.vhd", sample_child(4, 3, "base.vhd"));
    for (int i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_writable(disks, names[i]);
        fill(disk, 0, 1, 1);
        fails = ENOSPC;
        assert_int_equal(vhd_disk_flush(disk), -ENOSPC);
        fails = 0;
        barriers = 0;
        assert_int_equal(vhd_disk_flush(disk), -EIO);
        assert_int_equal(barriers, 0);
        assert_int_equal(vhd_disk_write(disk, &byte, 1, 0), -EIO);
        assert_int_equal(vhd_disk_discard(disk, BLOCK, 0), -EIO);
        assert_int_equal(vhd_disk_flush(disk), -EIO);
        expect(disk, 1, BLOCK - 1, 0xEE);
        assert_int_equal(vhd_disk_close(disk, NULL), i == 1 ? 0 : -EIO);

        disk = open_writable(disks, names[i]);
        fill(disk, 0, 1, 2);
        flush(disk);
        expect(disk, 0, 1, 2);
        close_disk(disk);
    }
    disks_close(disks);
}

static void fail_first(void *arg)
{
    struct gate *gate = arg;

    if (READ(barriers) > 1)
        return;
    gate_pass(gate);
    fails_here = EIO;
}

static void *flush_run(void *disk)
{
    return (void *)(intptr_t)vhd_disk_flush(disk);
}

/* The host reports an error to only one of two concurrent syncs. */
static void a_failure_is_reported_to_all_flushes(void **state)
{
    struct disks disks = disks_open(*state);
    struct gate gate = GATE_CLOSED;
    pthread_t threads[2];
    void *results[2];

    put(*state, "a.vhd", sample_dynamic(1, 2));
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, 1, 1);
    barriers = 0;
    at_barrier = fail_first;
    at_barrier_arg = &gate;
    assert_int_equal(pthread_create(&threads[0], NULL, flush_run, disk), 0);
    gate_await(&gate, 1);
    assert_int_equal(pthread_create(&threads[1], NULL, flush_run, disk), 0);
    usleep(20000); /* time for the second to get as far as it can */
    gate_open(&gate);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &results[i]);
        assert_int_equal((intptr_t)results[i], -EIO);
    }
    at_barrier = NULL;
    assert_int_equal(vhd_disk_close(disk, NULL), -EIO);
    disks_close(disks);
}

struct discarder {
    struct vhd_disk *disk;
    pthread_t thread;
    bool is_started;
};

static void *discard_run(void *disk)
{
    return (void *)(intptr_t)vhd_disk_discard(disk, BLOCK, 0);
}

/* The first block leaves the table while its bits are being flushed. */
static void discard_meanwhile(void *arg)
{
    struct discarder *discarder = arg;

    if (discarder->is_started)
        return;
    discarder->is_started = true;
    assert_int_equal(pthread_create(&discarder->thread, NULL, discard_run, discarder->disk), 0);
    UNTIL(vhd_layer_entry(discarder->disk->top, 0) == UINT32_MAX);
}

/* The pending bits of a failed flush may go with their block; nothing may use them later. */
static void a_failed_flush_leaves_nothing_behind(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample child = sample_dynamic(2, 2);
    size_t done;

    memset(child.bytes + SAMPLE_DATA, 0, 512);
    memset(child.bytes + SAMPLE_DATA + SAMPLE_STRIDE, 0, 512);
    sample_footers(&child, SAMPLE_DIFFERENCING, SAMPLE_SIZE, 2);
    sample_parent(child.bytes + SAMPLE_HEADER, 1, "base.vhd");
    put(*state, "base.vhd", sample_dynamic(1, 0));
    put(*state, "child.vhd", child);
    struct vhd_disk *disk = open_writable(disks, "child");
    struct discarder discarder = {.disk = disk};
    fill(disk, 0, 512, 1);
    at_barrier = discard_meanwhile;
    at_barrier_arg = &discarder;
    fails = EIO;
    assert_int_equal(vhd_disk_flush(disk), -EIO);
    fails = 0;
    at_barrier = NULL;
    pthread_join(discarder.thread, NULL);
    /* A flush that had begun before the other one failed. */
    assert_int_equal(vhd_differ_write(disk, "x", 1, BLOCK, &done), 0);
    assert_int_equal(vhd_disk_flush(disk), -EIO);
    assert_int_equal(vhd_disk_close(disk, NULL), -EIO);
    disks_close(disks);
}

/* A write may need a barrier too, to get a slot; its failure is as final. */
static void a_failure_while_growing_is_final_too(void **state)
{
    struct disks disks = disks_open(*state);
    uint8_t byte = 1;

    put_empty(*state, "a.vhd", 64 * MB, 1, 0, NULL);
    struct vhd_disk *disk = open_writable(disks, "a");
    fails = EIO;
    assert_int_equal(vhd_disk_write(disk, &byte, 1, 0), -EIO);
    fails = 0;
    assert_int_equal(vhd_disk_write(disk, &byte, 1, 0), -EIO);
    assert_int_equal(vhd_disk_flush(disk), -EIO);
    expect(disk, 0, MB, 0);
    vhd_disk_close(disk, NULL);
    disk = open_writable(disks, "a");
    fill(disk, 0, 1, 5);
    flush(disk);
    close_disk(disk);
    assert_int_equal(expect_clean(*state, "a.vhd").allocated, 1);
    disks_close(disks);
}

static void the_writes_of_a_killed_writer_are_made_durable_first(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, 2));
    barriers = 0;
    struct vhd_disk *disk = open_writable(disks, "a");
    assert_true(barriers > 0);
    close_disk(disk);
    fails = EIO;
    refuse_disk(disks, "a", VHD_DISK_WRITE, VHD_UNEXPECTED);
    fails = 0;
    disk = open_disk(disks, "a", 0);
    fails = EIO;
    assert_int_equal(vhd_disk_make_writable(disk, NULL), VHD_UNEXPECTED);
    fails = 0;
    expect(disk, 0, BLOCK, 0xEE);
    assert_int_equal(vhd_disk_make_writable(disk, NULL), VHD_OK);
    close_disk(disk);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLUSH_TEST(an_overwrite_costs_one_barrier),
        FLUSH_TEST(a_first_write_costs_one_barrier_where_a_slot_is_ready),
        FLUSH_TEST(a_childs_new_subblocks_cost_two),
        FLUSH_TEST(bits_are_written_between_the_two),
        FLUSH_TEST(bits_go_with_the_data_where_parents_have_none),
        FLUSH_TEST(only_bits_of_earlier_writes_are_written),
        FLUSH_TEST(a_reader_has_nothing_to_flush),
        FLUSH_TEST(the_footer_of_before_a_growth_is_zeroed),
        FLUSH_TEST(a_failure_is_final),
        FLUSH_TEST(a_failure_is_reported_to_all_flushes),
        FLUSH_TEST(a_failed_flush_leaves_nothing_behind),
        FLUSH_TEST(a_failure_while_growing_is_final_too),
        FLUSH_TEST(the_writes_of_a_killed_writer_are_made_durable_first),
    };
    return cmocka_run_group_tests_name("flush", tests, NULL, NULL);
}
