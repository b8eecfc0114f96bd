/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a hostile file would crash the daemon or make it use memory without end.
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

/* A sparse file of vast length must cost nothing. */
static void a_vast_file_is_no_trouble(void **state)
{
    (void)state;
    bool is_usable;
    struct sample sample = sample_dynamic(9, 0);
    int fd = memfd_create("vast", MFD_CLOEXEC);
    const off_t length = (off_t)1 << 40;

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, length), 0);
    struct vhd_image image = judge_fd(fd, &is_usable);
    assert_int_equal(image.fault.defect, VHD_FOOTER_MISSING);
    assert_int_equal(image.length, length);

    assert_int_equal(pwrite(fd, sample.bytes, 2048, 0), 2048);
    assert_int_equal(pwrite(fd, sample.bytes, 512, length - 512), 512);
    image = judge_fd(fd, &is_usable);
    assert_int_equal(image.fault.defect, VHD_SOUND);
    assert_int_equal(image.blocks, SAMPLE_BLOCKS);
    close(fd);
    free(sample.bytes);
}

static void a_spoilt_image_is_judged_all_the_same(void **state)
{
    (void)state;
    enum { TIMES = 6000 };
    uint64_t seed = UINT64_C(0x5EED0F00D), usable = 0;
    const struct sample bases[] = {sample_fixed(1), sample_dynamic(2, 3), sample_child(3, 4, "p"),
                                   sample_dynamic(5, 0)};
    int fd = memfd_create("spoilt", MFD_CLOEXEC);

    assert_true(fd >= 0);
    print_message("seed 0x%" PRIX64 ", %d images\n", seed, TIMES);
    for (int i = 0; i < TIMES; i++) {
        const struct sample *base = &bases[i % 4];
        struct sample sample = sample_of(base->len);
        bool is_usable;

        memcpy(sample.bytes, base->bytes, base->len);
        sample_spoil(&sample, &seed);
        sample.len -= sample_random(&seed) % 16 == 0 ? sample_random(&seed) % 700 : 0;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, sample.bytes, sample.len, 0), sample.len);
        struct vhd_image image = judge_fd(fd, &is_usable);
        free(sample.bytes);
        if (!is_usable)
            continue;
        usable++;
        assert_true(image.has_footer);
        assert_true(image.footer.current_size > 0 && image.footer.current_size % 512 == 0);
        if (image.footer.type == VHD_TYPE_FIXED) {
            assert_true(image.footer.current_size <= image.length);
            continue;
        }
        assert_true(image.has_header);
        assert_true(image.allocated <= image.blocks);
        assert_true(image.blocks <= image.header.max_entries);
        assert_true((uint64_t)image.blocks * image.header.block_size >= image.footer.current_size);
    }
    for (int i = 0; i < 4; i++)
        free(bases[i].bytes);
    close(fd);
    assert_true(usable > TIMES / 20 && usable < TIMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vast_file_is_no_trouble),
        cmocka_unit_test(a_spoilt_image_is_judged_all_the_same),
    };
    return cmocka_run_group_tests_name("image_hostile", tests, NULL, NULL);
}
