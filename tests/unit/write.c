/* SPDX-License-Identifier: MIT */
/*
 * If this failed: written data would be lost or go to the wrong place, or a footer of a fixed disk
 * would be overwritten.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine.h"
#include "gate.h"

/* A disk of each type with something on it, and a child. */
static struct disks store_of_all_types(const char *folder)
{
    put(folder, "fixed.vhd", sample_fixed(1));
    put(folder, "dynamic.vhd", sample_dynamic(2, 2));
    put(folder, "base.vhd", sample_dynamic(3, 2));
    put(folder, "child.vhd", sample_child(4, 3, "base.vhd"));
    return disks_open(folder);
}

static const char *const types[] = {"fixed", "dynamic", "child"};

static void bounds_are_kept(void **state)
{
    struct disks disks = store_of_all_types(*state);

    for (int i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_writable(disks, types[i]);
        assert_int_equal(vhd_disk_write(disk, "ab", 2, DISK - 1), -ERANGE);
        assert_int_equal(vhd_disk_write(disk, "ab", 2, DISK), -ERANGE);
        assert_int_equal(vhd_disk_write(disk, "ab", 2, UINT64_MAX), -ERANGE);
        assert_int_equal(vhd_disk_write(disk, "ab", 0, DISK + 1), -ERANGE);
        assert_int_equal(vhd_disk_write(disk, "ab", 0, DISK), 0);
        assert_int_equal(vhd_disk_write(disk, "b", 1, DISK - 1), 0);
        expect(disk, DISK - 1, 1, 'b');
        close_disk(disk);
    }
    disks_close(disks);
}

static void a_reader_cannot_write(void **state)
{
    struct disks disks = store_of_all_types(*state);

    for (int i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_disk(disks, types[i], 0);
        assert_int_equal(vhd_disk_write(disk, "ab", 2, 0), -EROFS);
        assert_int_equal(vhd_disk_write(disk, "ab", 2, DISK), -ERANGE);
        assert_int_equal(vhd_disk_discard(disk, 2, 0), -EROFS);
        close_disk(disk);
    }
    disks_close(disks);
}

/* Every offset and length, checked against memory, with a reopening between. */
static void any_stretch_can_be_written(void **state)
{
    struct disks disks = store_of_all_types(*state);

    for (int i = 0; i < 3; i++) {
        uint8_t model[DISK], got[DISK];
        uint64_t seed = 77;
        struct vhd_disk *disk = open_writable(disks, types[i]);
        assert_int_equal(vhd_disk_read(disk, model, DISK, 0, NULL), 0);
        for (int times = 0; times < 400; times++) {
            size_t off = sample_random(&seed) % DISK;
            size_t len = sample_random(&seed) % (times % 4 ? 700 : DISK);
            len = len < DISK - off ? len : DISK - off;
            memset(model + off, times % 5 ? times : 0, len);
            assert_int_equal(vhd_disk_write(disk, model + off, len, off), 0);
            if (times % 50 == 49) {
                close_disk(disk);
                disk = open_writable(disks, types[i]);
            }
            assert_int_equal(vhd_disk_read(disk, got, DISK, 0, NULL), 0);
            assert_memory_equal(got, model, DISK);
        }
        close_disk(disk);
    }
    expect_clean(*state, "dynamic.vhd");
    expect_clean(*state, "child.vhd");
    expect_clean(*state, "fixed.vhd");
    disks_close(disks);
}

static void zeros_over_data_are_zeros(void **state)
{
    struct disks disks = store_of_all_types(*state);

    for (int i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_writable(disks, types[i]);
        fill(disk, 100, BLOCK + 100, 0);
        expect(disk, 0, 100, 0xEE);
        expect(disk, 100, BLOCK + 100, 0);
        expect(disk, BLOCK + 200, BLOCK - 200, 0xEE);
        close_disk(disk);
        disk = open_disk(disks, types[i], 0);
        expect(disk, 100, BLOCK + 100, 0);
        close_disk(disk);
    }
    disks_close(disks);
}

static void a_fixed_disk_keeps_its_footer(void **state)
{
    struct disks disks = disks_open(*state);
    size_t len;

    put(*state, "a.vhd", sample_fixed(1));
    struct kept kept = keep(*state, "a.vhd");
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, DISK, 9);
    close_disk(disk);
    uint8_t *bytes = file_bytes(*state, "a.vhd", &len);
    assert_int_equal(len, kept.len);
    assert_memory_equal(bytes + DISK, kept.bytes + DISK, 512);
    assert_int_equal(bytes[DISK - 1], 9);
    free(bytes);
    free(kept.bytes);
    disks_close(disks);
}

/* The bit of a subblock means that all of it is here, so the rest is copied. */
static void a_child_copies_the_rest_of_a_subblock_up(void **state)
{
    enum { LARGE = 16 * BLOCK }; /* of one block */
    struct disks disks = disks_open(*state);
    struct sample base = sample_of(LARGE + 512), child = sample_child(2, 1, "base.vhd");
    size_t len;

    for (size_t i = 0; i < LARGE; i++)
        base.bytes[i] = (uint8_t)(i / 512 + 1);
    sample_footer(sample_end(&base), SAMPLE_FIXED, LARGE, 1);
    sample_header(child.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 1, LARGE);
    sample_parent(child.bytes + SAMPLE_HEADER, 1, "base.vhd");
    child.len = SAMPLE_DATA + 512;
    put32(sample_entry(&child, 0), UINT32_MAX);
    sample_footers(&child, SAMPLE_DIFFERENCING, LARGE, 2);
    put(*state, "base.vhd", base);
    put(*state, "child.vhd", child);
    struct kept kept = keep(*state, "base.vhd");
    struct vhd_disk *disk = open_writable(disks, "child");
    fill(disk, 3 * BLOCK - 10, 20, 0xAA); /* the end of subblock 2, the start of 3 */
    fill(disk, 7 * BLOCK + 600, 1, 0xBB);
    for (int times = 0; times < 3; times++) {
        expect(disk, 2 * BLOCK, 512, 17);
        expect(disk, 3 * BLOCK - 11, 1, 24);
        expect(disk, 3 * BLOCK - 10, 20, 0xAA);
        expect(disk, 3 * BLOCK + 10, 502, 25);
        expect(disk, 7 * BLOCK + 512, 88, 58);
        expect(disk, 7 * BLOCK + 600, 1, 0xBB);
        expect(disk, 7 * BLOCK + 601, 423, 58);
        expect(disk, LARGE - 512, 512, 128);
        if (times == 0)
            assert_int_equal(vhd_disk_flush(disk), 0);
        if (times == 1) {
            close_disk(disk);
            disk = open_writable(disks, "child");
        }
    }
    close_disk(disk);
    uint8_t *bytes = file_bytes(*state, "child.vhd", &len);
    size_t at = (size_t)file_entry(*state, "child.vhd", 0) * 512;
    for (size_t i = 0; i < 512; i++)
        assert_int_equal(bytes[at + i], i == 2 || i == 3 || i == 7 ? 0xFF : 0);
    assert_int_equal(bytes[at + 512 + 2 * BLOCK], 17);
    assert_int_equal(bytes[at + 512 + 7 * BLOCK], 57);
    free(bytes);
    expect_kept(*state, "base.vhd", kept);
    disks_close(disks);
}

/* A block smaller than a subblock, and a disk whose last block is one in part. */
static void odd_sizes_work(void **state)
{
    enum { SIZE = 5 * 512, SMALL = 1024 };
    struct disks disks = disks_open(*state);
    struct sample base = sample_of(SIZE + 512), child = sample_child(2, 1, "base.vhd"),
                  alone = sample_dynamic(3, 0);

    memset(base.bytes, 0x66, SIZE);
    sample_footer(sample_end(&base), SAMPLE_FIXED, SIZE, 1);
    sample_header(child.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 3, SMALL);
    sample_parent(child.bytes + SAMPLE_HEADER, 1, "base.vhd");
    child.len = SAMPLE_DATA + 512;
    put32(sample_entry(&child, 0), UINT32_MAX);
    sample_footers(&child, SAMPLE_DIFFERENCING, SIZE, 2);
    sample_header(alone.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 3, SMALL);
    sample_footers(&alone, SAMPLE_DYNAMIC, SIZE, 3);
    put(*state, "base.vhd", base);
    put(*state, "child.vhd", child);
    put(*state, "alone.vhd", alone);
    const char *const names[] = {"child", "alone"};
    for (int i = 0; i < 2; i++) {
        const uint8_t before = i == 0 ? 0x66 : 0;
        struct vhd_disk *disk = open_writable(disks, names[i]);
        fill(disk, SIZE - 1, 1, 1);
        fill(disk, SMALL - 1, 2, 2);
        for (int times = 0; times < 2; times++) {
            expect(disk, 0, SMALL - 1, before);
            expect(disk, SMALL - 1, 2, 2);
            expect(disk, SMALL + 1, SIZE - SMALL - 2, before);
            expect(disk, SIZE - 1, 1, 1);
            assert_int_equal(vhd_disk_write(disk, "ab", 2, SIZE - 1), -ERANGE);
            close_disk(disk);
            disk = open_writable(disks, names[i]);
        }
        close_disk(disk);
    }
    expect_clean(*state, "child.vhd");
    expect_clean(*state, "alone.vhd");
    disks_close(disks);
}

enum { WRITERS = 4, ROUNDS = 30 };

struct writer {
    struct vhd_disk *disk;
    struct gate *gate;
    unsigned number;
    int err;
};

/* Each subblock gets bytes of its own, in another order each time. */
static void *write_own_bytes(void *arg)
{
    struct writer *writer = arg;
    const size_t share = BLOCK / WRITERS;
    uint8_t buf[BLOCK / WRITERS];

    memset(buf, (int)writer->number + 1, sizeof buf);
    gate_pass(writer->gate);
    for (unsigned i = 0; i < SAMPLE_BLOCKS && writer->err == 0; i++) {
        unsigned block = writer->number % 2 ? i : SAMPLE_BLOCKS - 1 - i;
        writer->err = vhd_disk_write(writer->disk, buf, share,
                                     block * (uint64_t)BLOCK + writer->number * share);
    }
    return NULL;
}

/* Several threads write first to one block, or one subblock: no write is lost. */
static void first_writes_of_several_threads_are_all_there(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 2));
    for (int round = 0; round < ROUNDS; round++) {
        struct writer writers[WRITERS];
        pthread_t threads[WRITERS];
        struct gate gate = GATE_CLOSED;
        bool is_child = round % 2;
        const char *file = is_child ? "child.vhd" : "a.vhd";
        put(*state, file, is_child ? sample_child(3, 1, "base.vhd") : sample_dynamic(2, 1));
        struct vhd_disk *disk = open_writable(disks, is_child ? "child" : "a");
        for (unsigned i = 0; i < WRITERS; i++) {
            writers[i] = (struct writer){disk, &gate, i, 0};
            assert_int_equal(pthread_create(&threads[i], NULL, write_own_bytes, &writers[i]), 0);
        }
        gate_await(&gate, WRITERS);
        gate_open(&gate);
        for (unsigned i = 0; i < WRITERS; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(writers[i].err, 0);
        }
        for (unsigned i = 0; i < SAMPLE_BLOCKS * WRITERS; i++)
            expect(disk, i * (uint64_t)(BLOCK / WRITERS), BLOCK / WRITERS,
                   (uint8_t)(i % WRITERS + 1));
        close_disk(disk);
        expect_clean(*state, file);
    }
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(bounds_are_kept),
        SCRATCH_TEST(a_reader_cannot_write),
        SCRATCH_TEST(any_stretch_can_be_written),
        SCRATCH_TEST(zeros_over_data_are_zeros),
        SCRATCH_TEST(a_fixed_disk_keeps_its_footer),
        SCRATCH_TEST(a_child_copies_the_rest_of_a_subblock_up),
        SCRATCH_TEST(odd_sizes_work),
        SCRATCH_TEST(first_writes_of_several_threads_are_all_there),
    };
    return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
