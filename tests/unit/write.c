/* SPDX-License-Identifier: MIT */
/*
 * If this failed: written data would be lost or go to the wrong place; an image would grow for
 * nothing, or be spoilt for other programs; or a full host would cost more than the write.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine.h"
#include "gate.h"

static unsigned syncs; /* calls of the library that end here */

int fdatasync(int fd)
{
    COUNT(syncs);
    return (int)syscall(SYS_fdatasync, fd);
}

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

static void zeros_over_nothing_take_no_space(void **state)
{
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", 64 * MB, 1, 0, NULL);
    put_empty(*state, "child.vhd", 64 * MB, 2, 1, "a.vhd");
    struct kept kept = keep(*state, "child.vhd");
    struct vhd_disk *disk = open_writable(disks, "child");
    fill(disk, 0, 5 * MB + 123, 0);
    fill(disk, 63 * MB + 1, MB - 1, 0);
    close_disk(disk);
    expect_kept(*state, "child.vhd", kept);
    assert_int_equal(unlink(scratch_path(*state, "child.vhd")), 0);

    kept = keep(*state, "a.vhd");
    disk = open_writable(disks, "a");
    fill(disk, 0, 5 * MB + 123, 0);
    close_disk(disk);
    expect_kept(*state, "a.vhd", kept);
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

/* A block of ours: data on 4 KiB, a bitmap of ones, zeros around the written bytes. */
static void a_new_block_is_laid_out_as_promised(void **state)
{
    struct disks disks = disks_open(*state);
    size_t len;

    put_empty(*state, "a.vhd", 64 * MB, 1, 0, NULL);
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 10 * MB + 5, 3, 0x77);
    close_disk(disk);
    expect_clean(*state, "a.vhd");
    uint8_t *bytes = file_bytes(*state, "a.vhd", &len);
    assert_int_equal(file_entry(*state, "a.vhd", 4), 0xFFFFFFFF);
    size_t at = (size_t)file_entry(*state, "a.vhd", 5) * 512;
    assert_int_equal((at + 512) % 4096, 0);
    for (size_t i = 0; i < 512; i++)
        assert_int_equal(bytes[at + i], 0xFF);
    for (size_t i = 0; i < 2 * MB; i++)
        assert_int_equal(bytes[at + 512 + i], i >= 5 && i < 8 ? 0x77 : 0);
    assert_int_equal(len, at + 512 + 2 * MB + 512);
    assert_memory_equal(bytes, bytes + len - 512, 512);
    free(bytes);
    disks_close(disks);
}

/* A growing file uses as much as its data, because slots that are made ahead are holes. */
static void slots_made_ahead_are_cut_off_at_the_end(void **state)
{
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", 128 * MB, 1, 0, NULL);
    struct vhd_disk *disk = open_writable(disks, "a");
    for (uint64_t block = 0; block < 20; block++) {
        fill(disk, block * 2 * MB, 4096, 1);
        assert_int_equal(vhd_disk_flush(disk), 0);
    }
    close_disk(disk);
    struct vhd_image image = expect_clean(*state, "a.vhd");
    assert_int_equal(image.allocated, 20);
    assert_true(image.length <= UINT64_C(20) * 4104 * 512 + 16384);
    assert_true(file_used(*state, "a.vhd") < 20 * 3 * 4096 + 65536);
    disks_close(disks);
}

/*
 * The lowest slot goes first. So blocks that are written in order lie in order, and one transfer
 * reads them.
 */
static void blocks_written_in_order_lie_in_order(void **state)
{
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", 128 * MB, 1, 0, NULL);
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, 64 * MB, 1);
    close_disk(disk);
    for (unsigned block = 1; block < 32; block++)
        assert_int_equal(file_entry(*state, "a.vhd", block),
                         file_entry(*state, "a.vhd", block - 1) + 4104);
    disks_close(disks);
}

static void overwriting_data_waits_for_nothing(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, SAMPLE_BLOCKS));
    struct vhd_disk *disk = open_writable(disks, "a");
    syncs = 0;
    for (uint64_t block = 0; block < SAMPLE_BLOCKS; block++)
        fill(disk, block * BLOCK + 100, 4, 1);
    assert_int_equal(syncs, 0);
    close_disk(disk);
    disks_close(disks);
}

/* Another program's block, set in part, with rubbish under its clear bits. */
static void a_foreign_block_is_filled_in_at_its_first_write(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 2);
    size_t bitmap = (size_t)get32(sample_entry(&sample, 1)) * 512, len;

    sample.bytes[bitmap] = 0x0F;
    memset(sample.bytes + bitmap + 1, 0, 511);
    put(*state, "a.vhd", sample);
    struct vhd_disk *disk = open_writable(disks, "a");
    expect(disk, BLOCK, 2048, 0);
    expect(disk, BLOCK + 2048, 2048, 0xEE);
    syncs = 0;
    fill(disk, BLOCK + 512, 10, 0x55);
    fill(disk, BLOCK + 512, 10, 0x55);
    assert_int_equal(syncs, 2); /* zeros | bits | data */
    expect(disk, BLOCK, 512, 0);
    expect(disk, BLOCK + 512, 10, 0x55);
    expect(disk, BLOCK + 522, 2048 - 522, 0);
    expect(disk, BLOCK + 2048, 2048, 0xEE);
    close_disk(disk);
    uint8_t *bytes = file_bytes(*state, "a.vhd", &len);
    assert_int_equal(bytes[bitmap], 0xFF);
    for (size_t i = 0; i < 512; i++)
        assert_int_equal(bytes[bitmap + 512 + i], 0);
    free(bytes);
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

/* Use all space of a file system but so many bytes. */
static int hog(const char *folder, off_t rest)
{
    int fd = open(scratch_path(folder, "hog"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    off_t filled = 0;

    CHILD_EXPECT(fd >= 0);
    for (off_t piece = 1 << 20; piece >= 4096; piece /= 2) {
        while (fallocate(fd, 0, filled, piece) == 0)
            filled += piece;
    }
    CHILD_EXPECT(ftruncate(fd, filled > rest ? filled - rest : 0) == 0);
    return fd;
}

static void write_on_a_full_host(void *path)
{
    static const char *const names[] = {"a", "child"};
    struct vhd_disk *disk;
    static uint8_t buf[3 * MB], got[3 * MB];

    child_mount(path, "size=16m");
    put_empty(path, "base.vhd", 64 * MB, 1, 0, NULL);
    put_empty(path, "child.vhd", 64 * MB, 2, 1, "base.vhd");
    put_empty(path, "a.vhd", 64 * MB, 3, 0, NULL);
    struct disks disks = disks_open(path);
    memset(buf, 0x5C, sizeof buf);
    for (int i = 0; i < 2; i++) {
        CHILD_EXPECT(vhd_disk_open(disks.catalogue, names[i], VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER,
                                   &disk, NULL) == VHD_OK);
        CHILD_EXPECT(vhd_disk_write(disk, buf, 4096, 0) == 0);
        int fd = hog(path, MB);
        CHILD_EXPECT(vhd_disk_write(disk, buf, 3 * MB, 20 * MB) == -ENOSPC);
        CHILD_EXPECT(vhd_disk_write(disk, buf, 3 * MB, 30 * MB) == -ENOSPC);
        /* Existing blocks can be written to, and all data can be made durable. */
        CHILD_EXPECT(vhd_disk_write(disk, buf, 100, 50) == 0);
        CHILD_EXPECT(vhd_disk_flush(disk) == 0);
        CHILD_EXPECT(vhd_disk_read(disk, got, 4096, 0, NULL) == 0);
        CHILD_EXPECT(memcmp(got, buf, 4096) == 0);
        CHILD_EXPECT(ftruncate(fd, 0) == 0);
        CHILD_EXPECT(vhd_disk_write(disk, buf, 3 * MB, 20 * MB) == 0);
        CHILD_EXPECT(vhd_disk_read(disk, got, 3 * MB, 20 * MB, NULL) == 0);
        CHILD_EXPECT(memcmp(got, buf, 3 * MB) == 0);
        CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
        CHILD_EXPECT(vhd_disk_open(disks.catalogue, names[i], 0, &disk, NULL) == VHD_OK);
        CHILD_EXPECT(vhd_disk_read(disk, got, 3 * MB, 20 * MB, NULL) == 0);
        CHILD_EXPECT(memcmp(got, buf, 3 * MB) == 0);
        CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
        close(fd);
    }
    disks_close(disks);
}

static void a_full_host_is_reported_and_costs_nothing_else(void **state)
{
    in_child(write_on_a_full_host, *state);
}

static void write_up_to_a_limit(void *path)
{
    struct disks disks = disks_open(path);
    struct vhd_disk *disk;
    uint8_t buf[512] = {1};

    signal(SIGXFSZ, SIG_IGN);
    put_empty(path, "a.vhd", 64 * MB, 1, 0, NULL);
    CHILD_EXPECT(vhd_disk_open(disks.catalogue, "a", VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER, &disk,
                               NULL) == VHD_OK);
    CHILD_EXPECT(vhd_disk_write(disk, buf, 512, 0) == 0);
    /* A growth by many slots is refused; one by the last slot that fits is not. */
    const struct rlimit limit = {5 * MB, 5 * MB};
    CHILD_EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHILD_EXPECT(vhd_disk_write(disk, buf, 512, 30 * MB) == 0);
    CHILD_EXPECT(vhd_disk_write(disk, buf, 512, 40 * MB) == -EFBIG);
    CHILD_EXPECT(vhd_disk_write(disk, buf, 512, 512) == 0);
    CHILD_EXPECT(vhd_disk_flush(disk) == 0);
    CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
    disks_close(disks);
}

static void a_host_with_short_files_is_reported(void **state)
{
    in_child(write_up_to_a_limit, *state);
    expect_clean(*state, "a.vhd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(bounds_are_kept),
        SCRATCH_TEST(a_reader_cannot_write),
        SCRATCH_TEST(any_stretch_can_be_written),
        SCRATCH_TEST(zeros_over_nothing_take_no_space),
        SCRATCH_TEST(zeros_over_data_are_zeros),
        SCRATCH_TEST(a_new_block_is_laid_out_as_promised),
        SCRATCH_TEST(slots_made_ahead_are_cut_off_at_the_end),
        SCRATCH_TEST(blocks_written_in_order_lie_in_order),
        SCRATCH_TEST(overwriting_data_waits_for_nothing),
        SCRATCH_TEST(a_foreign_block_is_filled_in_at_its_first_write),
        SCRATCH_TEST(a_fixed_disk_keeps_its_footer),
        SCRATCH_TEST(a_child_copies_the_rest_of_a_subblock_up),
        SCRATCH_TEST(odd_sizes_work),
        SCRATCH_TEST(first_writes_of_several_threads_are_all_there),
        SCRATCH_TEST(a_full_host_is_reported_and_costs_nothing_else),
        SCRATCH_TEST(a_host_with_short_files_is_reported),
    };
    return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
