/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a disk would get a size that its image cannot have, would lose data at its end,
 * or would keep space that it got in vain.
 */
#include "reshape/resize.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "resize_scenes.h"

static void what_is_in_the_way_is_refused(void **state)
{
    const char *folder = *state;
    struct disks disks = disks_open(folder);
    uint64_t length = 0;

    /* A header behind the table. */
    struct sample sample = sample_dynamic(1, 1);
    const size_t table = 512, header = 1024;
    memset(sample.bytes + 512, 0xFF, 1536);
    put32(sample.bytes + table, SAMPLE_DATA / 512);
    sample_header(sample.bytes + header, table, SAMPLE_BLOCKS, BLOCK);
    put64(sample.bytes + 16, header);
    sample_seal_footer(sample.bytes);
    memcpy(sample_end(&sample), sample.bytes, 512);
    put(folder, "d.vhd", sample);
    struct vhd_disk *disk = open_writable(disks, "d");
    assert_int_equal(vhd_disk_judge_size(disk, 128 * BLOCK, &length), 0);
    assert_int_equal(vhd_disk_judge_size(disk, 129 * BLOCK, &length), -EOPNOTSUPP);
    close_disk(disk);

    /* More sectors than an entry can name, and more blocks than open. */
    put(folder, "e.vhd", sample_dynamic(2, 1));
    disk = open_writable(disks, "e");
    assert_int_equal(vhd_disk_judge_size(disk, UINT64_C(60) << 30, &length), 0);
    assert_true(length > UINT64_C(60) << 30);
    assert_int_equal(vhd_disk_judge_size(disk, UINT64_C(64) << 30, &length), 0);
    assert_int_equal(vhd_disk_judge_size(disk, (UINT64_C(64) << 30) + 512, &length), -EFBIG);
    close_disk(disk);
    disks_close(disks);
}

static void data_is_found_from_the_end_backwards(void **state)
{
    const char *folder = *state;
    struct disks disks = disks_open(folder);
    const uint64_t size = UINT64_C(2040) << 30;
    const uint64_t places[] = {5 * UINT64_C(2) * MB + 700, 511, 0};
    uint64_t end = size;

    put_empty(folder, "d.vhd", size, 1, 0, NULL);
    put(folder, "f.vhd", fixed_zeros_at_end());
    struct vhd_disk *disk = open_writable(disks, "d"), *flat = open_writable(disks, "f");
    while (vhd_disk_skip_zeros(disk, 0, &end) == 0 && end > 0)
        continue;
    assert_int_equal(end, 0);
    for (size_t i = sizeof places / sizeof *places; i-- > 0;) {
        fill(disk, places[i], 1, 7);
        /* Zeros in an allocated block count as zeros. */
        fill(disk, places[i] + 9 * MB, 1, 7);
        fill(disk, places[i] + 9 * MB, 1, 0);
        end = size;
        int found = 0;
        while (found == 0 && end > 0)
            found = vhd_disk_skip_zeros(disk, 0, &end);
        assert_int_equal(found, 1);
        assert_int_equal(end, places[i] / 512 * 512 + 512);
    }
    end = DISK;
    assert_int_equal(vhd_disk_skip_zeros(flat, 5120, &end), 0);
    assert_int_equal(end, 5120);
    assert_int_equal(vhd_disk_skip_zeros(flat, 0, &end), 1);
    assert_int_equal(end, 5120);
    close_disk(flat);
    close_disk(disk);
    disks_close(disks);
}

static void a_retracted_disk_is_as_it_was(void **state)
{
    const char *folder = *state;
    struct disks disks = disks_open(folder);
    size_t len, now;

    put(folder, "f.vhd", sample_fixed(1));
    uint8_t *before = file_bytes(folder, "f.vhd", &len);
    for (int is_extended = 0; is_extended <= 1; is_extended++) {
        struct vhd_disk *disk = open_writable(disks, "f");
        int fd = vhd_disk_file_to_reserve(disk);
        assert_int_equal(fallocate(fd, FALLOC_FL_KEEP_SIZE, DISK, MB), 0);
        if (is_extended) {
            assert_int_equal(vhd_disk_extend(disk, MB), 0);
            assert_int_equal(vhd_disk_size(disk), MB);
        }
        assert_int_equal(vhd_disk_retract(disk), 0);
        assert_int_equal(vhd_disk_size(disk), DISK);
        close_disk(disk);
        assert_true(file_used(folder, "f.vhd") < MB / 2);
    }
    uint8_t *after = file_bytes(folder, "f.vhd", &now);
    assert_int_equal(now, len);
    assert_memory_equal(after, before, len);
    free(before);
    free(after);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(what_is_in_the_way_is_refused),
        SCRATCH_TEST(data_is_found_from_the_end_backwards),
        SCRATCH_TEST(a_retracted_disk_is_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
