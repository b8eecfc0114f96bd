/* SPDX-License-Identifier: MIT */
/*
 * If this failed: an image would grow for nothing, or be spoilt for other programs; a writer would
 * wait for the disk at each write; or a full host would cost more than the write.
 */
#include <errno.h>
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
        SCRATCH_TEST(zeros_over_nothing_take_no_space),
        SCRATCH_TEST(a_new_block_is_laid_out_as_promised),
        SCRATCH_TEST(slots_made_ahead_are_cut_off_at_the_end),
        SCRATCH_TEST(blocks_written_in_order_lie_in_order),
        SCRATCH_TEST(overwriting_data_waits_for_nothing),
        SCRATCH_TEST(a_foreign_block_is_filled_in_at_its_first_write),
        SCRATCH_TEST(a_full_host_is_reported_and_costs_nothing_else),
        SCRATCH_TEST(a_host_with_short_files_is_reported),
    };
    return cmocka_run_group_tests_name("write_slots", tests, NULL, NULL);
}
