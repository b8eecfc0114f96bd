/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a new block would get another block's entry, and both would read as wrong data.
 */
#include "format/table.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"

static void entries_follow_each_other(void **state)
{
    (void)state;
    const struct vhd_header ours = {.table_offset = 1536},
                            far = {.table_offset = UINT64_C(1) << 40};

    assert_int_equal(vhd_table_entry_offset(&ours, 0), 1536);
    assert_int_equal(vhd_table_entry_offset(&ours, 1), 1540);
    assert_int_equal(vhd_table_entry_offset(&ours, 1044479), 4179452);
    assert_int_equal(vhd_table_entry_offset(&far, UINT32_MAX),
                     (UINT64_C(1) << 40) + UINT64_C(4) * UINT32_MAX);
}

static void an_entry_is_four_bytes_and_no_more(void **state)
{
    (void)state;
    const struct vhd_header header = {.table_offset = 512};
    AUTO_CLOSE int fd = memfd_create("table", MFD_CLOEXEC);
    uint8_t before[1024], after[1024];

    memset(before, 0xEE, sizeof before);
    assert_int_equal(pwrite(fd, before, sizeof before, 0), sizeof before);
    assert_int_equal(vhd_table_write_entry(fd, &header, 3, 0x01020304), 0);
    memcpy(before + 524, "\x01\x02\x03\x04", 4);
    assert_int_equal(pread(fd, after, sizeof after, 0), sizeof after);
    assert_memory_equal(before, after, sizeof after);

    assert_int_equal(vhd_table_write_entry(fd, &header, 127, VHD_UNALLOCATED), 0);
    memset(before + 1020, 0xFF, 4);
    assert_int_equal(pread(fd, after, sizeof after, 0), sizeof after);
    assert_memory_equal(before, after, sizeof after);
    assert_int_equal(lseek(fd, 0, SEEK_END), 1024);
}

static void reports_a_failed_write(void **state)
{
    (void)state;
    const struct vhd_header header = {.table_offset = 512};
    AUTO_CLOSE int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    AUTO_CLOSE int read_only = open("/dev/zero", O_RDONLY | O_CLOEXEC);

    assert_int_equal(vhd_table_write_entry(full, &header, 0, 7), -ENOSPC);
    assert_int_equal(vhd_table_write_entry(read_only, &header, 0, 7), -EBADF);
    assert_int_equal(vhd_table_write_entry(-1, &header, 0, 7), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_follow_each_other),
        cmocka_unit_test(an_entry_is_four_bytes_and_no_more),
        cmocka_unit_test(reports_a_failed_write),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
