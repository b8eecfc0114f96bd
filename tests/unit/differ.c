/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a write to a differencing disk would destroy its parent's data around it, or the
 * parent's data would hide the write.
 */
#include "disk/differ.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "engine.h"

enum { SUBBLOCK = 4096, LARGE = 8 * SUBBLOCK };

/* Two blocks of eight subblocks each on a base that has the first of them, all 0x11. */
static struct vhd_disk *disk_of(const char *folder, struct disks *ret)
{
    struct sample base = sample_dynamic(1, 0), child = sample_child(2, 1, "base.vhd");

    sample_header(base.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 2, LARGE);
    put32(sample_entry(&base, 0), SAMPLE_DATA / 512);
    base.len = SAMPLE_DATA + 512 + LARGE + 512;
    base.bytes = realloc(base.bytes, base.len);
    assert_non_null(base.bytes);
    memset(base.bytes + SAMPLE_DATA, 0xFF, 512);
    memset(base.bytes + SAMPLE_DATA + 512, 0x11, LARGE);
    sample_footers(&base, SAMPLE_DYNAMIC, 2 * LARGE, 1);
    put(folder, "base.vhd", base);
    sample_header(child.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 2, LARGE);
    sample_parent(child.bytes + SAMPLE_HEADER, 1, "base.vhd");
    child.len = SAMPLE_DATA + 512;
    memset(child.bytes + SAMPLE_TABLE, 0xFF, 512);
    sample_footers(&child, SAMPLE_DIFFERENCING, 2 * LARGE, 2);
    put(folder, "child.vhd", child);
    *ret = disks_open(folder);
    return open_writable(*ret, "child");
}

static void disk_end(struct disks disks, struct vhd_disk *disk)
{
    close_disk(disk);
    disks_close(disks);
}

static size_t write_some(struct vhd_disk *disk, uint8_t byte, size_t len, uint64_t off)
{
    uint8_t buf[2 * LARGE];
    size_t done = SIZE_MAX;

    memset(buf, byte, len);
    assert_int_equal(vhd_differ_write(disk, buf, len, off, &done), 0);
    assert_true(done <= len);
    return done;
}

static uint64_t zero_some(struct vhd_disk *disk, uint64_t len, uint64_t off)
{
    uint64_t done = UINT64_MAX;

    assert_int_equal(vhd_differ_zero(disk, len, off, &done), 0);
    assert_true(done <= len);
    return done;
}

/* Call until all is written, which takes few calls. */
static void write_all(struct vhd_disk *disk, uint8_t byte, size_t len, uint64_t off)
{
    for (unsigned calls = 0; len > 0; calls++) {
        size_t done = write_some(disk, byte, len, off);
        len -= done;
        off += done;
        assert_true(calls < 64);
    }
}

static void zero_all(struct vhd_disk *disk, uint64_t len, uint64_t off)
{
    for (unsigned calls = 0; len > 0; calls++) {
        uint64_t done = zero_some(disk, len, off);
        len -= done;
        off += done;
        assert_true(calls < 64);
    }
}

static bool has_slot(const struct vhd_disk *disk, uint32_t block)
{
    return vhd_layer_entry(disk->top, block) != UINT32_MAX;
}

static void a_block_gets_a_slot_first(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    assert_int_equal(write_some(disk, 7, 10, 100), 0);
    assert_true(has_slot(disk, 0));
    expect(disk, 0, LARGE, 0x11); /* which changes nothing */
    assert_int_equal(write_some(disk, 7, 10, 100), 10);
    expect(disk, 0, 100, 0x11);
    expect(disk, 100, 10, 7);
    expect(disk, 110, LARGE - 110, 0x11);
    disk_end(disks, disk);
}

static void zeros_over_nothing_need_none(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    assert_int_equal(write_some(disk, 0, 5000, LARGE + 77), 5000);
    assert_false(has_slot(disk, 1));
    assert_int_equal(zero_some(disk, 5000, LARGE + 77), 5000);
    assert_false(has_slot(disk, 1));
    write_all(disk, 0, 10, 77); /* over the parent's data they do */
    assert_true(has_slot(disk, 0));
    expect(disk, 77, 10, 0);
    expect(disk, 87, 100, 0x11);
    disk_end(disks, disk);
}

static void no_call_goes_beyond_its_block(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    write_all(disk, 1, 1, 0);
    write_all(disk, 1, 1, LARGE);
    assert_true(write_some(disk, 2, LARGE, LARGE / 2) <= LARGE / 2);
    assert_true(zero_some(disk, LARGE, LARGE / 2) <= LARGE / 2);
    disk_end(disks, disk);
}

/* A write copies up the rest of the subblocks in which it begins and ends. */
static void the_rest_of_a_subblock_stays(void **state)
{
    static const struct {
        uint64_t off;
        size_t len;
    } cases[] = {{0, 1},
                 {4095, 2},
                 {SUBBLOCK, SUBBLOCK},
                 {SUBBLOCK + 1, SUBBLOCK - 2},
                 {3 * SUBBLOCK - 7, 2 * SUBBLOCK + 14},
                 {LARGE - 1, 1},
                 {0, LARGE},
                 {511, 3}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct disks disks;
        const uint64_t off = cases[i].off, end = off + cases[i].len;
        for (int is_zero = 0; is_zero < 2; is_zero++) {
            struct vhd_disk *disk = disk_of(*state, &disks);
            if (is_zero)
                zero_all(disk, end - off, off);
            else
                write_all(disk, 0x77, end - off, off);
            for (int times = 0; times < 2; times++) {
                expect(disk, 0, off, 0x11);
                expect(disk, off, end - off, is_zero ? 0 : 0x77);
                expect(disk, end, LARGE - end, 0x11);
                expect(disk, LARGE, LARGE, 0);
                close_disk(disk);
                disk = open_writable(disks, "child");
            }
            disk_end(disks, disk);
        }
    }
}

/* A present subblock is overwritten in place: no bits, nothing pending. */
static void a_present_subblock_is_overwritten(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    write_all(disk, 1, LARGE, 0);
    assert_int_equal(vhd_disk_flush(disk), 0);
    assert_false(vhd_subblocks_are_pending(disk->subblocks));
    assert_int_equal(write_some(disk, 2, 5000, 1000), 5000);
    assert_false(vhd_subblocks_are_pending(disk->subblocks));
    expect(disk, 1000, 5000, 2);
    disk_end(disks, disk);
}

static void bits_wait_where_a_parent_has_data(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    write_all(disk, 1, 10, LARGE); /* the parent has nothing there: the bits go at once */
    assert_false(vhd_subblocks_are_pending(disk->subblocks));
    write_all(disk, 1, 10, 0);
    assert_true(vhd_subblocks_are_pending(disk->subblocks));
    assert_int_equal(vhd_disk_flush(disk), 0);
    assert_false(vhd_subblocks_are_pending(disk->subblocks));
    disk_end(disks, disk);
}

/* In a slot that was found at open, the data of a lost write may lie under a clear bit. */
static void bits_wait_in_a_slot_that_was_found(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    write_all(disk, 1, 10, LARGE);
    close_disk(disk);
    disk = open_writable(disks, "child");
    write_all(disk, 1, 10, LARGE + SUBBLOCK);
    assert_true(vhd_subblocks_are_pending(disk->subblocks));
    disk_end(disks, disk);
}

/* The place of a block's bitmap in the file of the child. */
static off_t bits_at(const struct vhd_disk *disk, uint32_t block)
{
    return (off_t)vhd_layer_entry(disk->top, block) * 512;
}

/*
 * The thread that has reserved a subblock writes back the rest that it has read: others wait for
 * it.
 */
static void a_subblock_present_in_part_is_written_whole(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);
    uint8_t bits[2] = {0xF0, 0xFF};

    write_all(disk, 1, LARGE, 0);
    const off_t at = bits_at(disk, 0);
    close_disk(disk);
    int fd = open(scratch_path(*state, "child.vhd"), O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, bits, 1, at), 1);
    disk = open_writable(disks, "child");
    assert_int_equal(write_some(disk, 2, 512, 512), 512); /* a sector of the child */
    assert_true(vhd_subblocks_are_pending(disk->subblocks));
    assert_int_equal(vhd_disk_flush(disk), 0);
    assert_int_equal(pread(fd, bits, 2, at), 2);
    assert_int_equal(bits[0], 0xFF);
    close(fd);
    expect(disk, 0, 512, 1);
    expect(disk, 512, 512, 2);
    expect(disk, 1024, 1024, 1);
    expect(disk, 2048, 2048, 0x11); /* a sector of the parent */
    expect(disk, SUBBLOCK, LARGE - SUBBLOCK, 1);
    /* A write that begins in whole subblocks ends before it. */
    write_all(disk, 3, LARGE, 0);
    expect(disk, 0, LARGE, 3);
    disk_end(disks, disk);
}

/* An early bit must not show the data that a failed write has left under it. */
static void bits_wait_where_a_write_has_failed(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);
    struct rlimit before, limit;
    uint8_t buf[4 * SUBBLOCK] = {1};
    size_t done;

    write_all(disk, 1, 10, LARGE);
    assert_false(vhd_subblocks_are_pending(disk->subblocks));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)bits_at(disk, 1) + 512 + 3 * SUBBLOCK;
    void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(vhd_differ_write(disk, buf, sizeof buf, LARGE + SUBBLOCK, &done), -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, was);
    expect(disk, LARGE + SUBBLOCK, sizeof buf, 0);
    write_all(disk, 1, 10, LARGE + SUBBLOCK);
    assert_true(vhd_subblocks_are_pending(disk->subblocks));
    disk_end(disks, disk);
}

static void zeroed_subblocks_give_their_slot_back(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    write_all(disk, 1, LARGE, 0);
    assert_int_equal(vhd_disk_flush(disk), 0);
    const uint64_t before = file_used(*state, "child.vhd");
    zero_all(disk, LARGE, 0);
    assert_int_equal(vhd_disk_flush(disk), 0);
    assert_true(file_used(*state, "child.vhd") < before);
    assert_true(has_slot(disk, 0)); /* its bits hide the parent's data */
    expect(disk, 0, LARGE, 0);
    disk_end(disks, disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_block_gets_a_slot_first),
        SCRATCH_TEST(zeros_over_nothing_need_none),
        SCRATCH_TEST(no_call_goes_beyond_its_block),
        SCRATCH_TEST(the_rest_of_a_subblock_stays),
        SCRATCH_TEST(a_present_subblock_is_overwritten),
        SCRATCH_TEST(bits_wait_where_a_parent_has_data),
        SCRATCH_TEST(bits_wait_in_a_slot_that_was_found),
        SCRATCH_TEST(a_subblock_present_in_part_is_written_whole),
        SCRATCH_TEST(bits_wait_where_a_write_has_failed),
        SCRATCH_TEST(zeroed_subblocks_give_their_slot_back),
    };
    return cmocka_run_group_tests_name("differ", tests, NULL, NULL);
}
