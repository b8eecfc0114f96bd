/* SPDX-License-Identifier: MIT */
/*
 * If this failed: two files of the tree would have one inode number, and a backup would take one
 * for the other.
 */
#include "tree/ino.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_node_id_gives_back_its_parts(void **state)
{
    (void)state;
    static const uint32_t serials[] = {0, 1, 255, 256, UINT32_MAX};
    static const unsigned kinds[] = {0, 1, 255};
    static const uint64_t generations[] = {0, 1, (1 << 24) - 1};

    assert_int_equal(fs_ino(0, 1), 1); /* the root, as FUSE wants it */
    for (size_t s = 0; s < 5; s++)
        for (size_t k = 0; k < 3; k++)
            for (size_t g = 0; g < 3; g++) {
                const uint64_t ino = fs_ino(serials[s], kinds[k]);
                const uint64_t id = fs_ino_with_generation(ino, generations[g]);
                assert_int_equal(fs_ino_serial(id), serials[s]);
                assert_int_equal(fs_ino_kind(id), kinds[k]);
                assert_int_equal(id >> 40, generations[g]);
            }
}

static void files_of_disks_have_numbers_of_their_own(void **state)
{
    (void)state;
    assert_int_not_equal(fs_ino_of_image(1, 5), fs_ino_of_image(1, 6));
    assert_int_not_equal(fs_ino_of_image(1, 5), fs_ino_of_image(2, 5));
    assert_int_equal(fs_ino_of_image(FS_NUMBER_END - 1, 255), UINT64_MAX);
    assert_int_equal(fs_ino_kind(fs_ino_of_image(FS_NUMBER_END - 1, 7)), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_id_gives_back_its_parts),
        cmocka_unit_test(files_of_disks_have_numbers_of_their_own),
    };
    return cmocka_run_group_tests_name("ino", tests, NULL, NULL);
}
