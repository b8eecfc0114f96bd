/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a disk whose parts only have to be joined would be called damaged, or a damaged
 * one would be called something else.
 */
#include "image/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "sentence.h"

/* Judge the image of a file, and then whether it is a first part. */
static bool judge(const char *folder, const char *file, struct vhd_image *ret)
{
    struct disks disks = disks_open(folder);
    int fd = open(scratch_path(folder, file), O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    vhd_image_judge(fd, ret);
    bool is_split = vhd_split_judge(disks.store, file, ret);
    close(fd);
    disks_close(disks);
    return is_split;
}

/* The first part of a fixed disk: content without a footer. Of a dynamic one: the copy is there. */
static void put_first_part(const char *folder, const char *file, bool is_dynamic)
{
    struct sample sample = is_dynamic ? sample_dynamic(1, 2) : sample_fixed(1);

    sample.len -= is_dynamic ? 512 : 1024;
    put(folder, file, sample);
}

static void a_part_without_an_end_and_its_successor_are_a_split_disk(void **state)
{
    static const char *const parts[][2] = {
        {"a.vhd", "a.v01"}, {"b.vhd", "b.V01"}, {"c.VHD", "c.v01"}, {"d.x.vhd", "d.x.v01"}};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (int is_dynamic = 0; is_dynamic < 2; is_dynamic++) {
            struct vhd_image image;
            put_first_part(*state, parts[i][0], is_dynamic);
            scratch_put(*state, parts[i][1], "more", 4);
            assert_true(judge(*state, parts[i][0], &image));
            assert_int_equal(image.fault.defect, VHD_SPLIT);
            assert_sentence(image.fault.sentence);
            assert_non_null(strstr(image.fault.sentence, parts[i][1]));
        }
    }
}

static void without_a_successor_it_is_damaged(void **state)
{
    struct vhd_image image;

    put_first_part(*state, "a.vhd", false);
    scratch_put(*state, "a.v02", "more", 4);
    scratch_put(*state, "b.v01", "more", 4);
    assert_int_equal(mkdir(scratch_path(*state, "a.V01"), 0777), 0);
    assert_false(judge(*state, "a.vhd", &image));
    assert_int_equal(image.fault.defect, VHD_FOOTER_MISSING);
    put_first_part(*state, "c.vhd", true);
    assert_false(judge(*state, "c.vhd", &image));
    assert_int_equal(image.fault.defect, VHD_FOOTER_LOST);
}

static void a_whole_disk_is_whole_whatever_lies_beside_it(void **state)
{
    struct vhd_image image;

    put(*state, "a.vhd", sample_dynamic(1, 2));
    scratch_put(*state, "a.v01", "more", 4);
    assert_false(judge(*state, "a.vhd", &image));
    assert_int_equal(image.fault.defect, VHD_SOUND);
}

static void it_is_not_opened(void **state)
{
    struct disks disks = disks_open(*state);

    put_first_part(*state, "a.vhd", true);
    scratch_put(*state, "a.v01", "more", 4);
    refuse_disk(disks, "a", 0, VHD_NOT_A_DISK);
    refuse_disk(disks, "a", VHD_DISK_WRITE, VHD_NOT_A_DISK);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_part_without_an_end_and_its_successor_are_a_split_disk),
        SCRATCH_TEST(without_a_successor_it_is_damaged),
        SCRATCH_TEST(a_whole_disk_is_whole_whatever_lies_beside_it),
        SCRATCH_TEST(it_is_not_opened),
    };
    return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
