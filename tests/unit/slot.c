/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a full host could not store the bits of a flush, or a slot would go to a block
 * with a bitmap that is wrong for it.
 */
#include "disk/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

enum { SECTOR = 8, LENGTH = 512 + BLOCK };

/* A small disk whose file has 0xEE in each byte of a slot at SECTOR. */
static struct vhd_disk *disk_of(const char *folder, bool is_child, struct disks *ret)
{
    uint8_t bytes[LENGTH + 512];

    put(folder, "base.vhd", sample_dynamic(1, 1));
    put(folder, "a.vhd", is_child ? sample_child(2, 1, "base.vhd") : sample_dynamic(2, 1));
    *ret = disks_open(folder);
    struct vhd_disk *disk = open_writable(*ret, "a");
    memset(bytes, 0xEE, sizeof bytes);
    assert_int_equal(pwrite(disk->write_fd, bytes, sizeof bytes, SECTOR * 512), sizeof bytes);
    return disk;
}

static void disk_end(struct disks disks, struct vhd_disk *disk)
{
    vhd_disk_close(disk, NULL);
    disks_close(disks);
}

/* A host that is full at the time of a flush already has a place for the bits. */
static void a_bitmap_of_zeros_is_no_hole(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, true, &disks);
    struct stat before, after;

    assert_int_equal(ftruncate(disk->write_fd, 1 << 20), 0);
    assert_int_equal(fsync(disk->write_fd), 0);
    assert_int_equal(fstat(disk->write_fd, &before), 0);
    assert_int_equal(vhd_slot_put_bitmap(disk, 1024), 0);
    assert_int_equal(fsync(disk->write_fd), 0);
    assert_int_equal(fstat(disk->write_fd, &after), 0);
    assert_true(after.st_blocks > before.st_blocks);
    disk_end(disks, disk);
}

static void a_bitmap_is_full_when_each_bit_is_set(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, false, &disks);

    assert_false(vhd_slot_has_full_bitmap(disk, SECTOR)); /* 0xEE */
    for (unsigned bits = 0; bits < 256; bits++) {
        uint8_t byte = (uint8_t)bits;
        assert_int_equal(pwrite(disk->write_fd, &byte, 1, SECTOR * 512), 1);
        /* A block of 4 KiB has eight bits; the rest is padding. */
        assert_int_equal(vhd_slot_has_full_bitmap(disk, SECTOR), bits == 0xFF);
    }
    assert_false(vhd_slot_has_full_bitmap(disk, 1 << 20)); /* behind the end */
    disk_end(disks, disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_bitmap_of_zeros_is_no_hole),
        SCRATCH_TEST(a_bitmap_is_full_when_each_bit_is_set),
    };
    return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
