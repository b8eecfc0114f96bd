/* SPDX-License-Identifier: MIT */
/*
 * If this failed: after a host that could not be read for a moment, a flush of a differencing disk
 * would hang for ever and the whole disk with it, or data would not reach the next flush.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <cmocka.h>

#include "engine.h"

/* The library's calls of pread(2) come here. */
static bool has_no_reads;

ssize_t __real_pread64(int fd, void *buf, size_t len, off_t off);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off);

ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off)
{
    if (has_no_reads) {
        errno = EIO;
        return -1;
    }
    return __real_pread64(fd, buf, len, off);
}

/* The image cannot be confirmed, so the flush ends before its first barrier. */
static void flush_in_vain(struct vhd_disk *disk)
{
    has_no_reads = true;
    assert_int_equal(vhd_disk_flush(disk), -EIO);
    has_no_reads = false;
}

/* A child with blocks of 2 MiB, all of whose content is the parent's so far. */
static struct vhd_disk *open_child(const char *folder, struct disks disks)
{
    unlink(scratch_path(folder, "child.vhd"));
    put_empty(folder, "base.vhd", 4 * MB, 1, 0, NULL);
    struct vhd_disk *base = open_disk(disks, "base", VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER);
    fill(base, 0, 4 * MB, 9);
    close_disk(base);
    put_empty(folder, "child.vhd", 4 * MB, 2, 1, "base.vhd");
    return open_disk(disks, "child", VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER);
}

/* Another subblock of the same block is written before the next flush, or none is. */
static void a_flush_that_fails_at_first_is_done_by_the_next(void **state)
{
    for (int more = 0; more < 2; more++) {
        struct disks disks = disks_open(*state);
        struct vhd_disk *disk = open_child(*state, disks);
        fill(disk, 0, 4096, 1);
        flush_in_vain(disk);
        flush_in_vain(disk);
        if (more)
            fill(disk, 65536, 4096, 2);
        assert_int_equal(vhd_disk_flush(disk), 0);
        close_disk(disk);

        disk = open_disk(disks, "child", 0);
        expect(disk, 0, 4096, 1);
        expect(disk, 65536, 4096, more ? 2 : 9);
        close_disk(disk);
        disks_close(disks);
    }
}

/* The failed flush holds nothing of a block that goes meanwhile. */
static void a_discard_after_a_failed_flush_leaves_the_next_one_whole(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_disk *disk = open_child(*state, disks);

    fill(disk, 0, 4096, 1);
    fill(disk, 2 * MB, 4096, 2);
    flush_in_vain(disk);
    assert_int_equal(vhd_disk_discard(disk, 2 * MB, 2 * MB), 0);
    fill(disk, 2 * MB + 4096, 4096, 3);
    assert_int_equal(vhd_disk_flush(disk), 0);
    assert_int_equal(vhd_disk_flush(disk), 0);
    expect(disk, 0, 4096, 1);
    expect(disk, 2 * MB, 4096, 0);
    expect(disk, 2 * MB + 4096, 4096, 3);
    close_disk(disk);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_flush_that_fails_at_first_is_done_by_the_next),
        SCRATCH_TEST(a_discard_after_a_failed_flush_leaves_the_next_one_whole),
    };

    return cmocka_run_group_tests_name("flush_retry", tests, NULL, NULL);
}
