/*
 * If this fails, an overwrite costs more than its transfer: after a disk has been opened, each
 * block that is written to would first wait until all that was written before is on the host's
 * disk. Or what lies under clear bits, which reads as zeros, would show once a bit beside it is
 * set.
 */
#include "disk/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/syscall.h>
#include <unistd.h>

#include "disks.h"

static unsigned syncs; /* calls of the library that end here */

int fdatasync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

static struct vhd_disk *open_disk(struct disks disks)
{
    struct vhd_disk *disk;
    assert_int_equal(vhd_disk_open(disks.store, disks.children, "d",
                                   VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER, &disk, NULL),
                     VHD_OK);
    syncs = 0;
    return disk;
}

static void overwriting_a_whole_block_waits_for_nothing(void **state)
{
    put(*state, "d.vhd", sample_dynamic(1, SAMPLE_BLOCKS));
    struct disks disks = disks_open(*state);
    struct vhd_disk *disk = open_disk(disks);

    for (unsigned block = 0; block < SAMPLE_BLOCKS; block++)
        assert_int_equal(vhd_disk_write(disk, "data", 4, block * SAMPLE_BLOCK + 100), 0);
    assert_int_equal(syncs, 0);
    assert_int_equal(vhd_disk_close(disk), 0);
    disks_close(disks);
}

static void what_lies_under_clear_bits_never_shows(void **state)
{
    struct sample sample = sample_dynamic(1, 1);
    char seen[SAMPLE_BLOCK], zeros[SAMPLE_BLOCK] = {0};

    /* The first two sectors count, of eight. */
    sample.bytes[SAMPLE_DATA] = 0xC0;
    put(*state, "d.vhd", sample);
    struct disks disks = disks_open(*state);
    struct vhd_disk *disk = open_disk(disks);
    assert_int_equal(vhd_disk_write(disk, "data", 4, 1024), 0);
    assert_int_equal(syncs, 1);
    assert_int_equal(vhd_disk_write(disk, "data", 4, 2048), 0);
    assert_int_equal(syncs, 1);
    assert_int_equal(vhd_disk_close(disk), 0);

    disk = open_disk(disks);
    assert_int_equal(vhd_disk_read(disk, seen, sizeof seen, 0, NULL), 0);
    assert_int_equal(seen[1023], (char)0xEE);
    assert_memory_equal(seen + 1024, "data", 4);
    assert_memory_equal(seen + 1028, zeros, 1020);
    assert_memory_equal(seen + 2048, "data", 4);
    assert_memory_equal(seen + 2052, zeros, SAMPLE_BLOCK - 2052);
    assert_int_equal(vhd_disk_close(disk), 0);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(overwriting_a_whole_block_waits_for_nothing),
        SCRATCH_TEST(what_lies_under_clear_bits_never_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
