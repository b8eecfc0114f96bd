/* SPDX-License-Identifier: MIT */
/*
 * If this failed: to open the remains of a crash or of another program would damage them further,
 * or would show data that counts as lost.
 */
#include "disk/recover.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

/* The library's calls of these come here, under both of their names; one of them fails. */
static int failure;           /* its errno; 0 for none */
static unsigned calls_before; /* successful calls before it */

ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __real_pwrite64(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off);
int __real_ftruncate(int fd, off_t length);
int __real_ftruncate64(int fd, off_t length);
int __wrap_ftruncate(int fd, off_t length);
int __wrap_ftruncate64(int fd, off_t length);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

static bool fails(void)
{
    if (failure == 0 || calls_before-- > 0)
        return false;
    errno = failure;
    failure = 0;
    return true;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off)
{
    return fails() ? -1 : __real_pwrite(fd, buf, len, off);
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off)
{
    return fails() ? -1 : __real_pwrite64(fd, buf, len, off);
}

int __wrap_ftruncate(int fd, off_t length)
{
    return fails() ? -1 : __real_ftruncate(fd, length);
}

int __wrap_ftruncate64(int fd, off_t length)
{
    return fails() ? -1 : __real_ftruncate64(fd, length);
}

int __wrap_fdatasync(int fd)
{
    return fails() ? -1 : __real_fdatasync(fd);
}

/* Open for writing and close: the image is whole and clean, and has its content. */
static void opens_and_leaves_clean(const char *folder, unsigned blocks)
{
    struct disks disks = disks_open(folder);
    struct vhd_disk *disk = open_writable(disks, "a");
    size_t len;

    expect(disk, 0, blocks * BLOCK, 0xEE);
    expect(disk, blocks * BLOCK, DISK - blocks * BLOCK, 0);
    close_disk(disk);
    expect_clean(folder, "a.vhd");
    uint8_t *bytes = file_bytes(folder, "a.vhd", &len);
    assert_int_equal(len, SAMPLE_DATA + blocks * SAMPLE_STRIDE + 512);
    assert_memory_equal(bytes, bytes + len - 512, 512);
    free(bytes);
    disks_close(disks);
}

static void a_lost_footer_is_put_back(void **state)
{
    for (int way = 0; way < 5; way++) {
        struct sample sample = sample_dynamic(1, 2);
        if (way == 0)
            memset(sample_end(&sample), 0, 512);
        else if (way == 1)
            memset(sample_end(&sample), 0xC7, 512); /* as tapdisk does while it writes */
        else if (way == 2)
            sample.len -= 512;
        else if (way == 3)
            sample.len += 12345; /* a growth that was cut off */
        else
            sample.len -= 1; /* the 511 bytes of programs before 2004 */
        put(*state, "a.vhd", sample);
        opens_and_leaves_clean(*state, 2);
    }
}

static void a_lost_copy_is_put_back(void **state)
{
    for (int way = 0; way < 3; way++) {
        struct sample sample = sample_dynamic(1, 2);
        if (way == 0)
            memset(sample.bytes, 0, 512);
        else if (way == 1)
            sample.bytes[100] ^= 1;
        else
            sample_footer(sample.bytes, SAMPLE_DYNAMIC, SAMPLE_SIZE / 2, 1); /* a cut resize */
        put(*state, "a.vhd", sample);
        opens_and_leaves_clean(*state, 2);
    }
}

static void slack_is_cut_off(void **state)
{
    for (unsigned slack = 512; slack < 20000; slack += 3 * 512) {
        struct sample sample = sample_dynamic(1, 2);
        memset(sample_end(&sample), 0xEE, 512);
        sample.bytes = realloc(sample.bytes, sample.len + slack);
        assert_non_null(sample.bytes);
        memset(sample.bytes + sample.len, 0xEE, slack);
        sample.len += slack;
        sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 1);
        put(*state, "a.vhd", sample);
        opens_and_leaves_clean(*state, 2);
    }
}

/* A gap may hold the data of a lost write: a block that gets that slot reads as zeros. */
static void gaps_are_used_and_not_trusted(void **state)
{
    struct sample sample = sample_dynamic(1, 4);
    struct disks disks = disks_open(*state);

    put32(sample_entry(&sample, 2), UINT32_MAX); /* it lies second of four */
    put(*state, "a.vhd", sample);
    const uint64_t length = file_length(*state, "a.vhd");
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 2 * BLOCK + 700, 1, 5);
    expect(disk, 2 * BLOCK, 700, 0);
    expect(disk, 2 * BLOCK + 701, BLOCK - 701, 0);
    close_disk(disk);
    assert_int_equal(file_length(*state, "a.vhd"), length);
    expect_clean(*state, "a.vhd");
    disk = open_disk(disks, "a", 0);
    expect(disk, 2 * BLOCK, 700, 0);
    expect(disk, 2 * BLOCK + 700, 1, 5);
    expect(disk, 2 * BLOCK + 701, BLOCK - 701, 0);
    close_disk(disk);
    disks_close(disks);
}

/* Other programs may keep unknown data between the table and the first block. */
static void the_part_before_the_first_block_is_left_alone(void **state)
{
    struct sample sample = sample_of(SAMPLE_DATA + 40000 + SAMPLE_STRIDE + 512);
    struct disks disks = disks_open(*state);
    const uint64_t at = (SAMPLE_DATA + 40000 + 511) / 512 * 512;
    size_t len;

    sample.len = at + SAMPLE_STRIDE + 512;
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 1);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, SAMPLE_BLOCKS, SAMPLE_BLOCK);
    memset(sample.bytes + SAMPLE_TABLE, 0xFF, 512);
    put32(sample_entry(&sample, 0), (uint32_t)(at / 512));
    memset(sample.bytes + SAMPLE_DATA, 0x77, at - SAMPLE_DATA);
    memset(sample.bytes + at, 0xFF, 512);
    put(*state, "a.vhd", sample);
    struct vhd_disk *disk = open_writable(disks, "a");
    fill(disk, 0, DISK, 1);
    close_disk(disk);
    uint8_t *bytes = file_bytes(*state, "a.vhd", &len);
    for (uint64_t i = SAMPLE_DATA; i < at; i++)
        assert_int_equal(bytes[i], 0x77);
    free(bytes);
    disks_close(disks);
}

/*
 * An image with all that recovery mends: a copy that differs, and slack, or no footer at the end.
 */
static void put_to_mend(const char *folder, bool has_end)
{
    struct sample sample = sample_dynamic(1, 2);

    sample.len += 4096;
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 1);
    put32(sample.bytes + 24, 99);
    sample_seal_footer(sample.bytes);
    if (!has_end)
        memset(sample_end(&sample), 0xC7, 512);
    put(folder, "a.vhd", sample);
}

/*
 * A reader becomes a writer on a host that is full or fails, at each step once. Reads go on, and
 * the next attempt succeeds.
 */
static void a_failed_attempt_leaves_nothing_behind(void **state)
{
    static const int failures[] = {ENOSPC, EIO, EDQUOT};
    struct disks disks = disks_open(*state);
    unsigned attempts = 0;

    for (unsigned i = 0; i < 6; i++) {
        enum vhd_result result = VHD_UNEXPECTED;
        for (unsigned step = 0; result != VHD_OK || failure == 0; step++) {
            put_to_mend(*state, i % 2);
            struct vhd_disk *disk = open_disk(disks, "a", 0);
            failure = failures[i / 2];
            calls_before = step;
            result = vhd_disk_make_writable(disk, NULL);
            attempts += failure == 0;
            /* On a full host the attempt succeeds where the footer at the end can stay. */
            if (result != VHD_OK)
                assert_false(vhd_disk_is_writable(disk));
            const bool is_last = failure != 0;
            failure = 0;
            assert_false(vhd_disk_has_failed(disk));
            assert_int_equal(vhd_disk_confirm(disk), 0);
            expect(disk, 0, 2 * BLOCK, 0xEE);
            expect(disk, 2 * BLOCK, 2 * BLOCK, 0);
            assert_int_equal(vhd_disk_make_writable(disk, NULL), VHD_OK);
            fill(disk, 2 * BLOCK, 2 * BLOCK, 5);
            assert_int_equal(vhd_disk_flush(disk), 0);
            expect(disk, 0, 2 * BLOCK, 0xEE);
            expect(disk, 2 * BLOCK, 2 * BLOCK, 5);
            close_disk(disk);
            expect_clean(*state, "a.vhd");
            if (is_last)
                break;
        }
    }
    assert_true(attempts > 20);
    disks_close(disks);
}

/* A failed attempt keeps no claim that would keep others out. */
static void a_failed_attempt_keeps_no_claim(void **state)
{
    struct disks disks = disks_open(*state), others = disks_open(*state);

    put_to_mend(*state, true);
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    failure = EIO;
    calls_before = 1;
    assert_int_not_equal(vhd_disk_make_writable(disk, NULL), VHD_OK);
    assert_int_equal(failure, 0);
    close_disk(open_disk(others, "a", 0));
    close_disk(disk);
    close_disk(open_writable(others, "a"));
    disks_close(disks);
    disks_close(others);
}

/* A close cuts off slots that were made ahead; a crash does not. */
static void be_killed(void *folder)
{
    struct disks disks = disks_open(folder);
    struct vhd_disk *disk;
    const uint8_t byte = 9;

    CHILD_EXPECT(vhd_disk_open(disks.catalogue, "a", VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER, &disk,
                               NULL) == VHD_OK);
    for (uint64_t i = 0; i < 20; i++) {
        CHILD_EXPECT(vhd_disk_write(disk, &byte, 1, i * 2 * MB) == 0);
        CHILD_EXPECT(vhd_disk_flush(disk) == 0);
    }
    CHILD_EXPECT(vhd_disk_write(disk, &byte, 1, 100 * MB) == 0);
    CHILD_EXPECT(vhd_disk_discard(disk, 2 * MB, 0) == 0);
    _exit(0); /* as good as kill -9: nothing is closed */
}

static void the_remains_of_a_killed_writer_are_put_in_order(void **state)
{
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", 256 * MB, 1, 0, NULL);
    in_child(be_killed, *state);
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    expect(disk, 0, 2 * MB, 0);
    expect(disk, 38 * MB, 1, 9);
    expect(disk, 100 * MB, 1, 9);
    close_disk(disk);
    disk = open_writable(disks, "a");
    for (uint64_t i = 1; i < 20; i++) {
        expect(disk, i * 2 * MB, 1, 9);
        expect(disk, i * 2 * MB + 1, 1000, 0);
    }
    fill(disk, 200 * MB, 10, 3);
    expect(disk, 200 * MB + 10, 2 * MB - 10, 0);
    close_disk(disk);
    assert_int_equal(expect_clean(*state, "a.vhd").allocated, 21);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_lost_footer_is_put_back),
        SCRATCH_TEST(a_lost_copy_is_put_back),
        SCRATCH_TEST(slack_is_cut_off),
        SCRATCH_TEST(gaps_are_used_and_not_trusted),
        SCRATCH_TEST(the_part_before_the_first_block_is_left_alone),
        SCRATCH_TEST(a_failed_attempt_leaves_nothing_behind),
        SCRATCH_TEST(a_failed_attempt_keeps_no_claim),
        SCRATCH_TEST(the_remains_of_a_killed_writer_are_put_in_order),
    };
    return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
