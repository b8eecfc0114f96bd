/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a disk would read as other bytes than its images hold, or a search for data would
 * miss some.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

/* Give each sector of a sample's blocks bytes of its own: block and number. */
static void number_sectors(const struct sample *sample, unsigned blocks, uint8_t layer)
{
    for (unsigned block = 0; block < blocks; block++) {
        uint8_t *data = sample->bytes + (size_t)get32(sample_entry(sample, block)) * 512 + 512;
        for (unsigned i = 0; i < 8; i++)
            memset(data + 512 * i, (uint8_t)(layer + 16 * block + i), 512);
    }
}

static void bounds_are_kept(void **state)
{
    struct disks disks = disks_open(*state);
    uint8_t buf[16];

    put(*state, "dynamic.vhd", sample_dynamic(1, 2));
    put(*state, "fixed.vhd", sample_fixed(2));
    const char *const names[] = {"dynamic", "fixed"};
    for (int i = 0; i < 2; i++) {
        struct vhd_disk *disk = open_disk(disks, names[i], 0);
        assert_int_equal(vhd_disk_read(disk, buf, 1, DISK, NULL), -ERANGE);
        assert_int_equal(vhd_disk_read(disk, buf, 2, DISK - 1, NULL), -ERANGE);
        assert_int_equal(vhd_disk_read(disk, buf, 1, UINT64_MAX, NULL), -ERANGE);
        assert_int_equal(vhd_disk_read(disk, buf, 16, UINT64_MAX - 8, NULL), -ERANGE);
        assert_int_equal(vhd_disk_read(disk, buf, 0, DISK + 1, NULL), -ERANGE);
        assert_int_equal(vhd_disk_read(disk, buf, 1, DISK - 1, NULL), 0);
        assert_int_equal(vhd_disk_read(disk, buf, 0, DISK, NULL), 0);
        assert_int_equal(vhd_disk_read(disk, buf, 0, 0, NULL), 0);
        close_disk(disk);
    }
    disks_close(disks);
}

static void blocks_are_found_in_any_order(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 3);

    number_sectors(&sample, 3, 0);
    put(*state, "a.vhd", sample);
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    for (unsigned i = 0; i < 24; i++)
        expect(disk, 512 * i, 512, (uint8_t)(16 * (i / 8) + i % 8));
    expect(disk, 24 * 512, BLOCK, 0);
    close_disk(disk);
    disks_close(disks);
}

static void any_stretch_can_be_read(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 3);
    static uint8_t whole[DISK], part[DISK + 1];

    number_sectors(&sample, 3, 0);
    memset(sample.bytes + (size_t)get32(sample_entry(&sample, 1)) * 512, 0x5A, 1);
    put(*state, "a.vhd", sample);
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    assert_int_equal(vhd_disk_read(disk, whole, DISK, 0, NULL), 0);
    for (size_t off = 0; off < DISK; off += 97) {
        for (size_t len = 1; off + len <= DISK; len += 1 + len / 3) {
            memset(part, '#', sizeof part);
            assert_int_equal(vhd_disk_read(disk, part, len, off, NULL), 0);
            assert_memory_equal(part, whole + off, len);
            assert_int_equal(part[len], '#');
        }
    }
    close_disk(disk);
    disks_close(disks);
}

/* In a dynamic disk a clear bit means: never written, whatever bytes lie there. */
static void clear_bits_are_zeros(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 2);

    number_sectors(&sample, 2, 0x40);
    sample.bytes[(size_t)get32(sample_entry(&sample, 0)) * 512] = 0xA6; /* 1010 0110 */
    put(*state, "a.vhd", sample);
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    for (unsigned i = 0; i < 8; i++)
        expect(disk, 512 * i, 512, 0xA6 >> (7 - i) & 1 ? (uint8_t)(0x40 + i) : 0);
    close_disk(disk);
    disks_close(disks);
}

static void a_hole_is_reported_and_not_filled_in(void **state)
{
    struct disks disks = disks_open(*state);
    uint8_t buf[DISK];
    bool is_hole = false;

    put(*state, "a.vhd", sample_dynamic(1, 1));
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    memset(buf, '#', sizeof buf);
    assert_int_equal(vhd_disk_read(disk, buf, DISK - BLOCK, BLOCK, &is_hole), 0);
    assert_true(is_hole);
    for (size_t i = 0; i < sizeof buf; i++)
        assert_int_equal(buf[i], '#');

    assert_int_equal(vhd_disk_read(disk, buf, DISK - BLOCK + 1, BLOCK - 1, &is_hole), 0);
    assert_false(is_hole);
    assert_int_equal(buf[0], 0xEE);
    for (size_t i = 1; i < DISK - BLOCK + 1; i++)
        assert_int_equal(buf[i], 0);

    assert_int_equal(vhd_disk_read(disk, buf, 10, 0, &is_hole), 0);
    assert_false(is_hole);
    close_disk(disk);
    disks_close(disks);
}

/* Three layers, each with sectors of its own in one block. */
static void each_sector_comes_from_the_layer_that_has_it(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample base = sample_dynamic(1, 3), middle = sample_child(2, 1, "base.vhd"),
                  top = sample_child(3, 2, "middle.vhd");

    number_sectors(&base, 3, 0x80);
    number_sectors(&middle, 1, 0x40);
    number_sectors(&top, 1, 0x20);
    middle.bytes[(size_t)get32(sample_entry(&middle, 0)) * 512] = 0x3C; /* 0011 1100 */
    top.bytes[(size_t)get32(sample_entry(&top, 0)) * 512] = 0x18;       /* 0001 1000 */
    put(*state, "base.vhd", base);
    put(*state, "middle.vhd", middle);
    put(*state, "top.vhd", top);
    struct vhd_disk *disk = open_disk(disks, "top", 0);
    static const uint8_t expected[] = {0x80, 0x81, 0x42, 0x23, 0x24, 0x45, 0x86, 0x87};
    for (unsigned i = 0; i < 8; i++)
        expect(disk, 512 * i, 512, expected[i]);
    expect(disk, BLOCK, 512, 0x90);
    expect(disk, 3 * BLOCK, BLOCK, 0);
    close_disk(disk);
    disk = open_disk(disks, "middle", 0);
    expect(disk, 3 * 512, 512, 0x43);
    close_disk(disk);
    disks_close(disks);
}

static void a_parent_may_be_fixed(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample base = sample_fixed(1);
    bool is_hole = true;
    uint8_t byte;

    memset(base.bytes, 0x11, SAMPLE_SIZE);
    put(*state, "base.vhd", base);
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    struct vhd_disk *disk = open_disk(disks, "child", 0);
    expect(disk, 0, BLOCK, 0xEE);
    expect(disk, BLOCK, DISK - BLOCK, 0x11);
    assert_int_equal(vhd_disk_read(disk, &byte, 1, BLOCK, &is_hole), 0);
    assert_false(is_hole);
    close_disk(disk);
    disks_close(disks);
}

static void blocks_of_parent_and_child_may_differ(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample child = sample_child(2, 1, "base.vhd");

    /* One block of 16 KiB; the child has its last subblock. */
    sample_header(child.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 1, SAMPLE_SIZE);
    sample_parent(child.bytes + SAMPLE_HEADER, 1, "base.vhd");
    child.len = SAMPLE_DATA + 512 + SAMPLE_SIZE + 512;
    child.bytes = realloc(child.bytes, child.len);
    memset(child.bytes + SAMPLE_DATA, 0, 512);
    child.bytes[SAMPLE_DATA + 3] = 0xFF;
    memset(child.bytes + SAMPLE_DATA + 512, 0x33, SAMPLE_SIZE);
    sample_footers(&child, SAMPLE_DIFFERENCING, SAMPLE_SIZE, 2);
    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(*state, "child.vhd", child);
    struct vhd_disk *disk = open_disk(disks, "child", 0);
    expect(disk, 0, 2 * BLOCK, 0xEE);
    expect(disk, 2 * BLOCK, BLOCK, 0);
    expect(disk, 3 * BLOCK, BLOCK, 0x33);
    close_disk(disk);
    disks_close(disks);
}

/* Another program cuts the file: the read fails, and returns no zeros. */
static void a_file_that_has_become_shorter_is_reported(void **state)
{
    struct disks disks = disks_open(*state);
    uint8_t buf[BLOCK];

    put(*state, "dynamic.vhd", sample_dynamic(1, 2));
    put(*state, "fixed.vhd", sample_fixed(2));
    const char *const names[] = {"dynamic", "fixed"}, *const files[] = {"dynamic.vhd", "fixed.vhd"};
    for (int i = 0; i < 2; i++) {
        struct vhd_disk *disk = open_disk(disks, names[i], 0);
        assert_int_equal(truncate(scratch_path(*state, files[i]), 3000), 0);
        assert_int_equal(vhd_disk_read(disk, buf, BLOCK, 0, NULL), -EIO);
        close_disk(disk);
    }
    disks_close(disks);
}

static void reports_the_attributes_of_its_file(void **state)
{
    struct disks disks = disks_open(*state);
    struct stat told, found;

    put(*state, "a.vhd", sample_dynamic(1, 1));
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    assert_int_equal(vhd_disk_stat(disk, &told), 0);
    assert_int_equal(stat(scratch_path(*state, "a.vhd"), &found), 0);
    assert_int_equal(told.st_ino, found.st_ino);
    assert_int_equal(told.st_size, found.st_size);
    close_disk(disk);
    disks_close(disks);
}

static void seeks(struct vhd_disk *disk, uint64_t off, bool for_hole, uint64_t expected)
{
    uint64_t found = 1;

    assert_int_equal(vhd_disk_seek(disk, off, for_hole, &found), 0);
    assert_int_equal(found, expected);
}

static void data_and_holes_are_found(void **state)
{
    struct disks disks = disks_open(*state);
    uint64_t found = 4711;

    put(*state, "a.vhd", sample_dynamic(1, 0));
    struct vhd_disk *disk = open_writable(disks, "a");
    assert_int_equal(vhd_disk_seek(disk, 0, false, &found), -ENXIO);
    seeks(disk, 0, true, 0);
    seeks(disk, 100, true, 100);

    fill(disk, 2 * BLOCK, BLOCK, 1);
    seeks(disk, 0, false, 2 * BLOCK);
    seeks(disk, 7, false, 2 * BLOCK);
    seeks(disk, 2 * BLOCK + 9, false, 2 * BLOCK + 9);
    seeks(disk, 2 * BLOCK + 9, true, 3 * BLOCK);
    seeks(disk, 0, true, 0);
    assert_int_equal(vhd_disk_seek(disk, 3 * BLOCK, false, &found), -ENXIO);

    fill(disk, 3 * BLOCK, BLOCK, 1);
    seeks(disk, 2 * BLOCK, true, DISK); /* the end is a hole */
    for (int for_hole = 0; for_hole < 2; for_hole++) {
        assert_int_equal(vhd_disk_seek(disk, DISK, for_hole, &found), -ENXIO);
        assert_int_equal(vhd_disk_seek(disk, UINT64_MAX, for_hole, &found), -ENXIO);
    }
    assert_int_equal(found, 4711);
    close_disk(disk);
    disks_close(disks);
}

static void holes_of_partly_written_blocks_are_found(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 1);

    sample.bytes[(size_t)get32(sample_entry(&sample, 0)) * 512] = 0x30; /* 0011 0000 */
    put(*state, "a.vhd", sample);
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    seeks(disk, 0, false, 1024);
    seeks(disk, 1024, true, 2048);
    close_disk(disk);
    disks_close(disks);
}

static void the_parents_data_are_data(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    struct vhd_disk *disk = open_disk(disks, "child", 0);
    seeks(disk, BLOCK + 5, false, BLOCK + 5);
    seeks(disk, 0, true, 2 * BLOCK);
    close_disk(disk);
    disks_close(disks);
}

static void holes_of_a_fixed_disk_are_its_hosts(void **state)
{
    enum { SIZE = 8 * MB };
    struct disks disks = disks_open(*state);
    uint8_t footer[512];
    uint64_t found;

    sample_footer(footer, SAMPLE_FIXED, SIZE, 1);
    int fd = open(scratch_path(*state, "a.vhd"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    assert_int_equal(pwrite(fd, footer, 512, SIZE), 512);
    assert_int_equal(pwrite(fd, "data", 4, 4 * MB), 4);
    close(fd);
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    assert_int_equal(vhd_disk_seek(disk, 0, false, &found), 0);
    assert_in_range(found, 0, 4 * MB);
    assert_int_equal(vhd_disk_seek(disk, 4 * MB, true, &found), 0);
    assert_in_range(found, 4 * MB + 4, SIZE);
    /* The footer behind the disk is none of its data. */
    int err = vhd_disk_seek(disk, 7 * MB, false, &found);
    assert_true(err == -ENXIO || (err == 0 && found < SIZE));
    assert_int_equal(vhd_disk_seek(disk, SIZE, true, &found), -ENXIO);
    close_disk(disk);
    disks_close(disks);
}

/* A table of four megabytes, blocks at both ends. */
static void the_largest_disk_can_be_read(void **state)
{
    const uint64_t size = UINT64_C(2040) << 30;
    struct disks disks = disks_open(*state);

    put_empty(*state, "a.vhd", size, 1, 0, NULL);
    struct vhd_disk *disk = open_writable(disks, "a");
    assert_int_equal(vhd_disk_size(disk), size);
    seeks(disk, 0, true, 0);
    fill(disk, size - 1000, 1000, 3);
    seeks(disk, 0, false, size - 2 * MB);
    expect(disk, size - 1000, 1000, 3);
    expect(disk, size - 2000, 1000, 0);
    close_disk(disk);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(bounds_are_kept),
        SCRATCH_TEST(blocks_are_found_in_any_order),
        SCRATCH_TEST(any_stretch_can_be_read),
        SCRATCH_TEST(clear_bits_are_zeros),
        SCRATCH_TEST(a_hole_is_reported_and_not_filled_in),
        SCRATCH_TEST(each_sector_comes_from_the_layer_that_has_it),
        SCRATCH_TEST(a_parent_may_be_fixed),
        SCRATCH_TEST(blocks_of_parent_and_child_may_differ),
        SCRATCH_TEST(a_file_that_has_become_shorter_is_reported),
        SCRATCH_TEST(reports_the_attributes_of_its_file),
        SCRATCH_TEST(data_and_holes_are_found),
        SCRATCH_TEST(holes_of_partly_written_blocks_are_found),
        SCRATCH_TEST(the_parents_data_are_data),
        SCRATCH_TEST(holes_of_a_fixed_disk_are_its_hosts),
        SCRATCH_TEST(the_largest_disk_can_be_read),
    };
    return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
