/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a fixed disk would show a footer in its content after a resize that did not end,
 * or hide what a program has written there.
 */
#include "image/mark.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

#define OLD_SIZE (3 * MB)
#define NEW_SIZE (4 * MB)

static struct vhd_footer_disk footer(uint64_t size, uint64_t original, uint8_t identity)
{
    struct vhd_footer footer = vhd_footer_of(VHD_TYPE_FIXED, size, 1);
    struct vhd_footer_disk bytes;

    footer.uuid[0] = identity;
    footer.original_size = original;
    vhd_footer_encode(&footer, &bytes);
    return bytes;
}

/* A fixed disk of ones whose resize has ended right behind the new footer. */
static void put_interrupted(const char *folder, uint8_t identity)
{
    const struct vhd_footer_disk old = footer(OLD_SIZE, OLD_SIZE, identity),
                                 new = footer(NEW_SIZE, vhd_mark_to(OLD_SIZE), 1);
    char *bytes = calloc(1, NEW_SIZE + sizeof new);

    assert_non_null(bytes);
    memset(bytes, 1, OLD_SIZE);
    memcpy(bytes + OLD_SIZE, &old, sizeof old);
    memcpy(bytes + NEW_SIZE, &new, sizeof new);
    scratch_put(folder, "a.vhd", bytes, NEW_SIZE + sizeof new);
    free(bytes);
}

/* Does the disk read as the old content with zeros behind, and is the other footer hidden? */
static void reads(struct vhd_disk *disk, bool is_hidden)
{
    static char buf[NEW_SIZE];

    assert_int_equal(vhd_disk_size(disk), NEW_SIZE);
    assert_int_equal(vhd_disk_read(disk, buf, sizeof buf, 0, NULL), 0);
    for (size_t i = 0; i < sizeof buf; i++) {
        if (is_hidden || i < OLD_SIZE || i >= OLD_SIZE + VHD_SECTOR_SIZE)
            assert_int_equal(buf[i], i < OLD_SIZE);
    }
    if (!is_hidden)
        assert_memory_equal(buf + OLD_SIZE, "conectix", 8);
    /* From inside the sector, and up to there. */
    assert_int_equal(vhd_disk_read(disk, buf, 1024, OLD_SIZE - 500, NULL), 0);
    assert_int_equal(buf[499], 1);
    assert_int_equal(buf[500], is_hidden ? 0 : 'c');
    assert_int_equal(vhd_disk_read(disk, buf, 8, OLD_SIZE + 3, NULL), 0);
    assert_int_equal(buf[0], is_hidden ? 0 : 'e');
}

static void hides_the_other_footer_from_readers(void **state)
{
    struct disks disks = disks_open(*state);

    put_interrupted(*state, 1);
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    reads(disk, true);
    close_disk(disk);
    disks_close(disks);
}

static void shows_what_is_written_there_afterwards(void **state)
{
    struct disks disks = disks_open(*state);
    char buf[512];

    put_interrupted(*state, 1);
    struct vhd_disk *disk = open_disk(disks, "a", VHD_DISK_WRITE);
    reads(disk, true);
    assert_int_equal(vhd_disk_write(disk, "new", 3, OLD_SIZE + 100), 0);
    assert_int_equal(vhd_disk_read(disk, buf, sizeof buf, OLD_SIZE, NULL), 0);
    assert_memory_equal(buf + 100, "new", 3);
    close_disk(disk);
    disks_close(disks);
}

/* A footer of another disk is content, as that of a disk in a disk. */
static void hides_no_footer_of_another_disk(void **state)
{
    struct disks disks = disks_open(*state);

    put_interrupted(*state, 2);
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    reads(disk, false);
    close_disk(disk);
    disks_close(disks);
}

static void is_set_in_no_other_footer(void **state)
{
    struct vhd_footer footer = vhd_footer_of(VHD_TYPE_FIXED, NEW_SIZE, 1);

    (void)state;
    assert_false(vhd_mark_is_set(&footer));
    footer.original_size = vhd_mark_to(OLD_SIZE);
    assert_true(vhd_mark_is_set(&footer));
    assert_int_equal(vhd_mark_at(&footer), OLD_SIZE);
    footer.type = VHD_TYPE_DYNAMIC;
    assert_false(vhd_mark_is_set(&footer));
    footer.type = VHD_TYPE_FIXED;
    footer.original_size = vhd_mark_to(NEW_SIZE); /* it would lie behind the disk */
    assert_false(vhd_mark_is_set(&footer));
    footer.original_size = OLD_SIZE; /* as other programs leave it */
    assert_false(vhd_mark_is_set(&footer));
}

static void is_followed_to_a_footer_alone(void **state)
{
    struct vhd_footer marked = vhd_footer_of(VHD_TYPE_FIXED, NEW_SIZE, 1), other;
    uint64_t at = 7;

    marked.uuid[0] = 1;
    marked.original_size = vhd_mark_to(OLD_SIZE);
    put_interrupted(*state, 1);
    int fd = open(scratch_path(*state, "a.vhd"), O_RDWR);
    assert_int_equal(vhd_mark_read(fd, &marked, &other), 0);
    assert_int_equal(other.current_size, OLD_SIZE);
    assert_int_equal(vhd_mark_find(fd, &marked, &at), 0);
    assert_int_equal(at, OLD_SIZE);
    assert_int_equal(pwrite(fd, "gone", 4, OLD_SIZE), 4);
    assert_int_equal(vhd_mark_read(fd, &marked, &other), -ENOENT);
    assert_int_equal(vhd_mark_find(fd, &marked, &at), 0);
    assert_int_equal(at, 0);
    assert_int_equal(ftruncate(fd, OLD_SIZE), 0);
    assert_int_equal(vhd_mark_find(fd, &marked, &at), -EIO);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(hides_the_other_footer_from_readers),
        SCRATCH_TEST(shows_what_is_written_there_afterwards),
        SCRATCH_TEST(hides_no_footer_of_another_disk),
        SCRATCH_TEST(is_followed_to_a_footer_alone),
        cmocka_unit_test(is_set_in_no_other_footer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
