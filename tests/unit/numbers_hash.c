/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a backup would take one disk for another, because two of them share an st_ino.
 */
#include "tree/numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "gate.h"
#include "numbers.h"
#include "scratch.h"
#include "tree/ino.h"

static void a_number_that_does_not_fit_is_hashed(void **state)
{
    struct mount mount;

    put(*state, "a.vhd");
    put(*state, "b.vhd");
    put(*state, "c.vhd");
    images[0].file = "a.vhd";
    images[0].ino = FS_NUMBER_END;
    images[1].file = "b.vhd";
    images[1].ino = UINT64_MAX;
    images[2].file = "c.vhd";
    images[2].ino = FS_NUMBER_END - 1; /* the last one that fits */
    mount_begin(&mount, *state);
    const uint64_t a = number_of(&mount, "a"), b = number_of(&mount, "b");
    assert_int_not_equal(a, b);
    assert_int_equal(number_of(&mount, "c"), FS_NUMBER_END - 1);
    mount_end(&mount);
    assert_int_equal(next_number_of(*state, "b"), b);
    assert_int_equal(next_number_of(*state, "a"), a);
}

/* Images of two file systems may have one inode number. */
static void an_image_of_another_device_is_hashed(void **state)
{
    struct mount mount;

    put(*state, "a.vhd");
    put(*state, "b.vhd");
    put(*state, "c.vhd");
    for (int i = 0; i < 3; i++)
        images[i].ino = 4711;
    images[0].file = "a.vhd";
    images[1].file = "b.vhd";
    images[1].dev_above = 1;
    images[2].file = "c.vhd";
    images[2].dev_above = 2;
    mount_begin(&mount, *state);
    const uint64_t a = number_of(&mount, "a"), b = number_of(&mount, "b"),
                   c = number_of(&mount, "c");
    assert_int_equal(a, 4711);
    assert_int_not_equal(b, a);
    assert_int_not_equal(c, a);
    assert_int_not_equal(b, c);
    mount_end(&mount);
    assert_int_equal(next_number_of(*state, "c"), c);
    assert_int_equal(next_number_of(*state, "b"), b);
}

/* The inode number of one image is the hash of another: then the other gets a second hash. */
static void two_disks_never_share_a_number(void **state)
{
    struct mount mount;

    put(*state, "a.vhd");
    put(*state, "z.vhd");
    images[0].file = "a.vhd";
    images[0].ino = UINT64_MAX;
    mount_begin(&mount, *state);
    const uint64_t hash = number_of(&mount, "a");
    images[1].file = "z.vhd";
    images[1].ino = hash;
    const uint64_t other = number_of(&mount, "a");
    assert_int_not_equal(other, hash);
    assert_int_equal(number_of(&mount, "z"), hash);
    mount_end(&mount);
    assert_int_equal(next_number_of(*state, "a"), other);

    /* A third image may have the second hash. */
    put(*state, "y.vhd");
    images[2].file = "y.vhd";
    images[2].ino = other;
    mount_begin(&mount, *state);
    assert_int_not_equal(number_of(&mount, "a"), hash);
    assert_int_not_equal(number_of(&mount, "a"), other);
    mount_end(&mount);
}

/* Another program may remove an image after its attributes were read. */
static void a_disk_that_is_gone_still_has_a_number(void **state)
{
    struct mount mount;
    char first[NAME_MAX + 1];

    put(*state, "a.vhd");
    put_link(*state, "b.vhd", "a.vhd");
    mount_begin(&mount, *state);
    struct stat image = image_of(&mount, "b");
    assert_int_equal(unlink(scratch_path(*state, "b.vhd")), 0);
    assert_true(fs_numbers_of(&mount.numbers, mount.store, "b", &image) < FS_NUMBER_END);
    assert_false(fs_numbers_is_link(&mount.numbers, mount.store, "b", &image, first));
    image.st_ino = UINT64_MAX;
    assert_true(fs_numbers_of(&mount.numbers, mount.store, "b", &image) < FS_NUMBER_END);
    assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    assert_true(fs_numbers_of(&mount.numbers, mount.store, "a", &image) < FS_NUMBER_END);
    mount_end(&mount);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NUMBERS_TEST(a_number_that_does_not_fit_is_hashed),
        NUMBERS_TEST(an_image_of_another_device_is_hashed),
        NUMBERS_TEST(two_disks_never_share_a_number),
        NUMBERS_TEST(a_disk_that_is_gone_still_has_a_number),
    };
    return cmocka_run_group_tests_name("numbers_hash", tests, NULL, NULL);
}
