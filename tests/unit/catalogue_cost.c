/* SPDX-License-Identifier: MIT */
/*
 * If this failed, reading one disk would cost reading all the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "catalogue.h"
#include "disks.h"
#include "gate.h"

/* Counts of all kinds at once, each compared with a plain one. */
static void finds_each_parent_among_many(void **state)
{
    enum { CHILDREN = 400 };
    struct disks disks = store_of(*state);
    unsigned expected[256] = {0};
    uint64_t seed = UINT64_C(0xCAFE);
    char file[32];

    for (int i = 0; i < CHILDREN; i++) {
        /* Some with many children, some with one or none, and those at both ends of their order. */
        uint64_t random = sample_random(&seed);
        uint8_t parent = (uint8_t)(random >> 32);
        if (random % 8 == 0)
            parent = random >> 8 & 1 ? 0 : 255;
        uint8_t id = (uint8_t)(parent ^ 0x55);
        snprintf(file, sizeof file, "%d.vhd", i);
        put(*state, file, sample_child(id, parent, "base.vhd"));
        expected[parent]++;
    }
    for (int parent = 0; parent < 256; parent++)
        assert_int_equal(children_of(disks, (uint8_t)parent), expected[parent]);
    disks_close(disks);
}

static bool counts_without_a_read(struct disks disks, unsigned children)
{
    unsigned before = images_opened;
    assert_int_equal(children_now(disks, 2), children);
    return images_opened == before;
}

static void a_second_count_opens_no_image(void **state)
{
    enum { IMAGES = 2000 };
    struct disks disks = store_of(*state);
    struct sample child = sample_child(11, 2, "base.vhd");
    char file[32];

    for (int i = 0; i < IMAGES; i++) {
        snprintf(file, sizeof file, "%d.vhd", i);
        scratch_put(*state, file, child.bytes, child.len);
    }
    free(child.bytes);

    images_opened = 0;
    assert_int_equal(children_of(disks, 2), IMAGES);
    assert_int_equal(images_opened, IMAGES + 1); /* with the parent */
    /* Very new images may be opened twice, because they could change unnoticed. */
    UNTIL(counts_without_a_read(disks, IMAGES));
    images_opened = IMAGES;
    assert_int_equal(children_of(disks, 2), IMAGES);
    assert_int_equal(children_of(disks, 3), 0);
    assert_int_equal(children_now(disks, 2), IMAGES);
    assert_int_equal(images_opened, IMAGES);

    put(*state, "new.vhd", sample_child(12, 2, "base.vhd"));
    assert_int_equal(unlink(scratch_path(*state, "7.vhd")), 0);
    assert_int_equal(children_of(disks, 2), IMAGES);
    assert_int_equal(images_opened, IMAGES + 1);
    write_over_later(*state, "9.vhd", sample_child(11, 3, "base.vhd"));
    unsigned before = images_opened;
    assert_int_equal(children_now(disks, 2), IMAGES - 1);
    assert_in_range(images_opened - before, 1, 2); /* new.vhd may be too new to be reliable */
    disks_close(disks);
}

/* While nothing changes in the folder, only its own time is read. */
static void an_unchanged_folder_is_not_listed_again(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
    UNTIL(counts_without_a_listing(disks));
    unsigned before = READ(listings);
    assert_int_equal(children_now(disks, 2), 1);
    assert_int_equal(READ(listings), before + 1);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(finds_each_parent_among_many),
        SCRATCH_TEST(a_second_count_opens_no_image),
        SCRATCH_TEST(an_unchanged_folder_is_not_listed_again),
    };
    return cmocka_run_group_tests_name("catalogue_cost", tests, NULL, NULL);
}
