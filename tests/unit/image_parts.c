/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a caller that needs a part of an image would read all of it, or get another part
 * than the one that was judged.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "image/image.h"
#include "judged.h"
#include "sample.h"

/* Read without the table; releases it. */
static struct vhd_image read_image(struct sample sample, bool *ret_usable)
{
    struct vhd_image image;
    int fd = file_of(&sample);
    memset(&image, 0xA5, sizeof image);
    *ret_usable = vhd_image_read(fd, &image);
    assert_int_equal(*ret_usable, is_harmless(image.fault.defect));
    assert_int_equal(image.length, sample.len);
    assert_int_equal(image.blocks, 0);
    assert_int_equal(image.allocated, 0);
    close(fd);
    free(sample.bytes);
    return image;
}

static void reads_without_the_table(void **state)
{
    (void)state;
    bool is_usable;
    struct vhd_image image = read_image(sample_fixed(7), &is_usable);
    assert_true(is_usable);
    assert_int_equal(image.footer.uuid[0], 7);
    assert_false(image.has_header);

    struct sample sample = sample_dynamic(9, 3);
    put32(sample_entry(&sample, 1), 0x00FFFFFF); /* outside */
    image = read_image(sample, &is_usable);
    assert_true(is_usable);
    assert_int_equal(image.fault.defect, VHD_SOUND);
    assert_int_equal(image.footer.current_size, SAMPLE_SIZE);
    assert_true(image.has_header);
    assert_int_equal(image.header.block_size, SAMPLE_BLOCK);

    sample = sample_dynamic(9, 0);
    sample_header(sample.bytes + SAMPLE_HEADER, UINT64_MAX, 0, SAMPLE_BLOCK); /* no such table */
    image = read_image(sample, &is_usable);
    assert_true(is_usable);

    sample = sample_child(3, 4, "base.vhd");
    memset(sample_end(&sample), 0, 512);
    image = read_image(sample, &is_usable);
    assert_true(is_usable);
    assert_int_equal(image.fault.defect, VHD_FOOTER_LOST);
    assert_int_equal(image.header.parent_uuid[0], 4);
}

static void keeps_the_table_if_asked(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 3);
    struct vhd_image image;
    _Atomic uint32_t *table = NULL;
    int fd = file_of(&sample);

    assert_true(vhd_image_load(fd, &image, &table));
    assert_int_equal(image.blocks, SAMPLE_BLOCKS);
    for (unsigned i = 0; i < SAMPLE_BLOCKS; i++) {
        uint32_t at = (SAMPLE_DATA + (2 - i) * SAMPLE_STRIDE) / 512;
        assert_int_equal(table[i], i < 3 ? at : UINT32_MAX);
    }
    assert_int_equal(image.footer_at, sample.len - 512);
    free(table);
    assert_true(vhd_image_load(fd, &image, NULL));
    close(fd);
    free(sample.bytes);

    /* A fixed disk has none; a damaged image has none to release. */
    sample = sample_fixed(9);
    fd = file_of(&sample);
    table = (_Atomic uint32_t *)&sample;
    assert_true(vhd_image_load(fd, &image, &table));
    assert_null(table);
    close(fd);
    free(sample.bytes);
    sample = sample_dynamic(9, 3);
    put32(sample_entry(&sample, 3), 1);
    fd = file_of(&sample);
    table = (_Atomic uint32_t *)&sample;
    assert_false(vhd_image_load(fd, &image, &table));
    assert_ptr_equal(table, &sample);
    close(fd);
    free(sample.bytes);
}

static void reports_the_place_of_the_footer(void **state)
{
    (void)state;
    bool is_usable;
    struct sample sample = sample_dynamic(9, 2);

    assert_int_equal(judge(&sample, &is_usable).footer_at, sample.len - 512);
    sample.len--;
    assert_int_equal(judge(&sample, &is_usable).footer_at, sample.len - 511);
    sample.len -= 2048;
    sample_entry(&sample, 0)[0] = sample_entry(&sample, 1)[0] = 0xFF;
    assert_int_equal(judge(&sample, &is_usable).footer_at, sample.len); /* it is lost */
    free(sample.bytes);
}

/* Defects of footer and header are found as when the whole image is judged. */
static void reads_footer_and_header_as_it_judges_them(void **state)
{
    (void)state;
    enum { TIMES = 3000 };
    uint64_t seed = UINT64_C(0x0DDBA11);
    int fd = memfd_create("spoilt", MFD_CLOEXEC);

    assert_true(fd >= 0);
    print_message("seed 0x%" PRIX64 ", %d images\n", seed, TIMES);
    for (int i = 0; i < TIMES; i++) {
        struct sample sample = i % 2 ? sample_child(3, 4, "p") : sample_fixed(1);
        struct vhd_image image;
        bool is_usable;
        sample_spoil(&sample, &seed);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, sample.bytes, sample.len, 0), sample.len);
        free(sample.bytes);
        bool is_read = vhd_image_read(fd, &image);
        struct vhd_image judged = judge_fd(fd, &is_usable);
        assert_true(is_read || !is_usable);
        if (!is_read)
            assert_int_equal(image.fault.defect, judged.fault.defect);
        assert_int_equal(image.length, judged.length);
        assert_int_equal(image.has_footer, judged.has_footer);
        assert_int_equal(image.has_header, judged.has_header);
        if (image.has_footer)
            assert_memory_equal(image.footer.uuid, judged.footer.uuid, sizeof(uuid_t));
        if (image.has_header)
            assert_memory_equal(image.header.parent_uuid, judged.header.parent_uuid,
                                sizeof(uuid_t));
        assert_true(!vhd_image_is_differencing(&image) || image.has_header);
    }
    close(fd);
}

static void only_a_differencing_disk_with_a_header_is_one(void **state)
{
    (void)state;
    bool is_usable;
    struct vhd_image image = accept_image(sample_child(1, 2, "base.vhd"));
    assert_true(vhd_image_is_differencing(&image));
    image = read_image(sample_child(1, 2, "base.vhd"), &is_usable);
    assert_true(vhd_image_is_differencing(&image));
    image = accept_image(sample_dynamic(1, 1));
    assert_false(vhd_image_is_differencing(&image));
    image = accept_image(sample_fixed(1));
    assert_false(vhd_image_is_differencing(&image));

    /* A parent's name in the header of a dynamic disk does not make it one. */
    struct sample sample = sample_dynamic(1, 1);
    sample_parent(sample.bytes + SAMPLE_HEADER, 2, "base.vhd");
    image = accept_image(sample);
    assert_false(vhd_image_is_differencing(&image));

    /* The type of a differencing disk, but no header that could name its parent. */
    sample = sample_child(1, 2, "base.vhd");
    sample.bytes[SAMPLE_HEADER] ^= 1;
    image = read_image(sample, &is_usable);
    assert_false(is_usable);
    assert_int_equal(image.footer.type, VHD_TYPE_DIFFERENCING);
    assert_false(vhd_image_is_differencing(&image));
    image = read_image(sample_of(4096), &is_usable);
    assert_false(vhd_image_is_differencing(&image));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_without_the_table),
        cmocka_unit_test(keeps_the_table_if_asked),
        cmocka_unit_test(reports_the_place_of_the_footer),
        cmocka_unit_test(reads_footer_and_header_as_it_judges_them),
        cmocka_unit_test(only_a_differencing_disk_with_a_header_is_one),
    };
    return cmocka_run_group_tests_name("image_parts", tests, NULL, NULL);
}
