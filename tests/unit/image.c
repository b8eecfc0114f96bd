/* SPDX-License-Identifier: MIT */
/*
 * If this failed, sound disks of other programs would be refused, or a damaged or hostile file
 * would be accepted, crash the daemon or make it use memory without end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "image/image.h"
#include "sample.h"

/* Defects that have occurred in the tests so far. */
static bool met[VHD_DEFECT_COUNT];

static int file_of(const struct sample *sample)
{
    int fd = memfd_create("sample", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, sample->bytes, sample->len, 0), sample->len);
    return fd;
}

static bool is_harmless(enum vhd_defect defect)
{
    return defect == VHD_SOUND || defect == VHD_FOOTER_LOST || defect == VHD_DISABLED ||
           defect == VHD_OLD_BITMAPS;
}

static struct vhd_image judge_fd(int fd, bool *ret_usable)
{
    struct vhd_image image;
    memset(&image, 0xA5, sizeof image);
    *ret_usable = vhd_image_judge(fd, &image);
    assert_in_range(image.fault.defect, 0, VHD_DEFECT_COUNT - 1);
    assert_int_equal(*ret_usable, is_harmless(image.fault.defect));
    const char *sentence = vhd_defect_sentence(image.fault.defect);
    if (image.fault.defect == VHD_FOREIGN)
        assert_memory_equal(image.fault.sentence, "this is a", 9);
    else
        assert_int_equal(strncmp(image.fault.sentence, sentence, strlen(sentence)), 0);
    met[image.fault.defect] = true;
    return image;
}

static struct vhd_image judge(const struct sample *sample, bool *ret_usable)
{
    int fd = file_of(sample);
    struct vhd_image image = judge_fd(fd, ret_usable);
    close(fd);
    assert_int_equal(image.length, sample->len);
    return image;
}

/* The image is sound; releases it. */
static struct vhd_image accept_image(struct sample sample)
{
    bool is_usable;
    struct vhd_image image = judge(&sample, &is_usable);
    free(sample.bytes);
    if (image.fault.defect != VHD_SOUND)
        print_error("%s\n", image.fault.sentence);
    assert_true(is_usable);
    assert_int_equal(image.fault.defect, VHD_SOUND);
    assert_true(image.has_footer);
    return image;
}

/* The image has this defect; releases it. */
static struct vhd_image expect_defect(struct sample sample, enum vhd_defect defect)
{
    bool is_usable;
    struct vhd_image image = judge(&sample, &is_usable);
    free(sample.bytes);
    if (image.fault.defect != defect)
        print_error("%s, expected: %s\n", image.fault.sentence, vhd_defect_sentence(defect));
    assert_int_equal(image.fault.defect, defect);
    return image;
}

static void expect_header(const struct vhd_image *image, unsigned blocks, unsigned allocated)
{
    assert_true(image->has_header);
    assert_int_equal(image->header.block_size, SAMPLE_BLOCK);
    assert_int_equal(image->blocks, blocks);
    assert_int_equal(image->allocated, allocated);
}

static void accepts_a_fixed_disk(void **state)
{
    (void)state;
    struct vhd_image image = accept_image(sample_fixed(7));
    assert_int_equal(image.footer.type, VHD_TYPE_FIXED);
    assert_int_equal(image.footer.current_size, SAMPLE_SIZE);
    assert_int_equal(image.footer.uuid[0], 7);
    assert_false(image.has_header);
}

/* A guest can write anything into the first sector, a whole footer included. */
static void a_fixed_disk_is_judged_by_its_end(void **state)
{
    (void)state;
    struct sample sample = sample_fixed(7);
    sample_footer(sample.bytes, SAMPLE_DYNAMIC, 1 << 30, 8);
    struct vhd_image image = accept_image(sample);
    assert_int_equal(image.footer.type, VHD_TYPE_FIXED);
    assert_int_equal(image.footer.current_size, SAMPLE_SIZE);
    assert_int_equal(image.footer.uuid[0], 7);
}

static void accepts_dynamic_disks(void **state)
{
    (void)state;
    for (unsigned allocated = 0; allocated <= SAMPLE_BLOCKS; allocated++) {
        struct vhd_image image = accept_image(sample_dynamic(9, allocated));
        assert_int_equal(image.footer.type, VHD_TYPE_DYNAMIC);
        assert_int_equal(image.footer.current_size, SAMPLE_SIZE);
        assert_int_equal(image.footer.timestamp, 0x12345678);
        assert_memory_equal(image.footer.creator_app, "test", 4);
        assert_int_equal(image.footer.creator_version, 0x00020003);
        assert_int_equal(image.footer.creator_host, VHD_HOST_WINDOWS);
        assert_int_equal(image.footer.geometry.cylinders, 90);
        assert_int_equal(image.header.table_offset, SAMPLE_TABLE);
        assert_int_equal(image.header.max_entries, SAMPLE_BLOCKS);
        expect_header(&image, SAMPLE_BLOCKS, allocated);
    }
}

static void accepts_a_differencing_disk(void **state)
{
    (void)state;
    struct vhd_image image = accept_image(sample_child(1, 2, "base.vhd"));
    assert_int_equal(image.footer.type, VHD_TYPE_DIFFERENCING);
    assert_int_equal(image.footer.uuid[15], 1);
    assert_int_equal(image.header.parent_uuid[15], 2);
    assert_int_equal(image.header.parent_timestamp, 0x11111111);
    assert_int_equal(image.header.parent_name[0], 'b');
    assert_int_equal(image.header.parent_name[8], 0);
    expect_header(&image, SAMPLE_BLOCKS, 1);
}

static void accepts_a_footer_of_511_bytes(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    sample.len--;
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 2);

    sample = sample_fixed(9);
    sample.len--;
    image = accept_image(sample);
    assert_int_equal(image.footer.type, VHD_TYPE_FIXED);
}

static void uses_the_copy_where_the_end_is_lost(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct sample sample = sample_dynamic(9, 2);
        if (way == 0)
            memset(sample_end(&sample), 0, 512);
        else if (way == 1)
            memset(sample_end(&sample), 0xC7, 512); /* as tapdisk does while it writes */
        else if (way == 2)
            sample_end(&sample)[100] ^= 1;
        else
            sample.len -= 512;
        struct vhd_image image = expect_defect(sample, VHD_FOOTER_LOST);
        assert_true(image.has_footer);
        assert_int_equal(image.footer.uuid[0], 9);
        expect_header(&image, SAMPLE_BLOCKS, 2);
    }
}

static void needs_no_copy(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    memset(sample.bytes, 0, 512);
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 2);
}

static void accepts_surplus_entries(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, SAMPLE_BLOCKS + 3, SAMPLE_BLOCK);
    put32(sample_entry(&sample, SAMPLE_BLOCKS + 1), 0x00ABCDEF); /* nobody reads there */
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 2);
    assert_int_equal(image.header.max_entries, SAMPLE_BLOCKS + 3);
}

static void accepts_padding_of_zeros(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 1);
    memset(sample_entry(&sample, SAMPLE_BLOCKS), 0, 512 - 4 * SAMPLE_BLOCKS);
    accept_image(sample);
}

static void accepts_a_table_elsewhere(void **state)
{
    (void)state;
    /* Behind the blocks, in the last sector before the footer. */
    struct sample sample = sample_dynamic(9, 1);
    sample.len += 512;
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 9);
    memcpy(sample_end(&sample) - 512, sample.bytes + SAMPLE_TABLE, 512);
    sample_header(sample.bytes + SAMPLE_HEADER, sample.len - 1024, SAMPLE_BLOCKS, SAMPLE_BLOCK);
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 1);

    /* Between the copy and the header. */
    sample = sample_dynamic(9, 1);
    memcpy(sample.bytes + 512, sample.bytes + SAMPLE_TABLE, 512);
    sample_header(sample.bytes + 1024, 512, SAMPLE_BLOCKS, SAMPLE_BLOCK);
    put64(sample_end(&sample) + 16, 1024);
    sample_seal_footer(sample_end(&sample));
    image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 1);
}

static void accepts_gaps_and_slack(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 1);
    sample.len += 3 * 512;
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 9);
    put32(sample_entry(&sample, 0), SAMPLE_DATA / 512 + 2);
    struct vhd_image image = accept_image(sample);
    expect_header(&image, SAMPLE_BLOCKS, 1);
}

static void accepts_sizes_that_differ(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 1);
    put64(sample_end(&sample) + 40, 1 << 20); /* original */
    put64(sample_end(&sample) + 48, SAMPLE_SIZE - 512);
    sample_seal_footer(sample_end(&sample));
    struct vhd_image image = accept_image(sample);
    assert_int_equal(image.footer.original_size, 1 << 20);
    assert_int_equal(image.footer.current_size, SAMPLE_SIZE - 512);
    expect_header(&image, SAMPLE_BLOCKS, 1);
}

static void accepts_the_default_block_size(void **state)
{
    (void)state;
    struct sample sample = sample_of(2048 + 512 + (2 << 20) + 512);
    sample_footers(&sample, SAMPLE_DYNAMIC, 3 << 20, 9);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 2, 2 << 20);
    memset(sample.bytes + SAMPLE_TABLE, 0xFF, 512);
    put32(sample_entry(&sample, 1), 4);
    struct vhd_image image = accept_image(sample);
    assert_int_equal(image.blocks, 2);
    assert_int_equal(image.allocated, 1);
}

static void keeps_reserved_bytes(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 0);
    sample_end(&sample)[84] = 1;
    sample_end(&sample)[85] = 1; /* "hidden" */
    sample_seal_footer(sample_end(&sample));
    struct vhd_image image = accept_image(sample);
    assert_int_equal(image.footer.saved_state, 1);
    assert_int_equal(image.footer.reserved[0], 1);
}

/* Put other bytes into both footers, and seal them. */
static void change_footers(const struct sample *sample, size_t at, const void *bytes, size_t len)
{
    uint8_t *const footers[] = {sample->bytes, sample_end(sample)};
    for (int i = 0; i < 2; i++) {
        memcpy(footers[i] + at, bytes, len);
        sample_seal_footer(footers[i]);
    }
}

/*
 * The library follows blktap's own rules: it does not write to an image that blktap would not write
 * to.
 */
static void some_images_are_for_reading_only(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    change_footers(&sample, 0, "v_poison", 8);
    struct vhd_image image = expect_defect(sample, VHD_DISABLED);
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_DISABLED);
    expect_header(&image, SAMPLE_BLOCKS, 2);

    sample = sample_dynamic(9, 2);
    change_footers(&sample, 28, "tap\0\0\0\0\1", 8);
    image = expect_defect(sample, VHD_OLD_BITMAPS);
    assert_true(vhd_image_has_old_bitmaps(&image));
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_OLD_BITMAPS);

    /* Both defects, and no end: the sentence names one, but both are known. */
    sample = sample_dynamic(9, 2);
    change_footers(&sample, 0, "v_poison", 8);
    change_footers(&sample, 28, "tap\0\0\0\0\1", 8);
    memset(sample_end(&sample), 0, 512);
    image = expect_defect(sample, VHD_FOOTER_LOST);
    assert_true(vhd_image_has_old_bitmaps(&image));
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_DISABLED);

    /* Other versions, and disks without bitmaps. */
    sample = sample_dynamic(9, 2);
    change_footers(&sample, 28, "tap\0\0\1\0\1", 8);
    image = accept_image(sample);
    assert_false(vhd_image_has_old_bitmaps(&image));
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_SOUND);
    sample = sample_fixed(9);
    change_footers(&sample, 28, "tap\0\0\0\0\1", 8);
    image = accept_image(sample);
    assert_int_equal(vhd_image_read_only_reason(&image), VHD_SOUND);
}

static void a_file_that_is_no_image(void **state)
{
    (void)state;
    const size_t lengths[] = {0, 1, 510, 511, 512, 513, 1024, 4096};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct vhd_image image = expect_defect(sample_of(lengths[i]), VHD_FOOTER_MISSING);
        assert_false(image.has_footer);
        assert_false(image.has_header);
    }
    /* The copy of a fixed disk is its guest's sector. */
    struct sample sample = sample_of(4096);
    sample_footer(sample.bytes, SAMPLE_FIXED, 1024, 9);
    expect_defect(sample, VHD_FOOTER_MISSING);
}

static void an_image_of_another_format(void **state)
{
    (void)state;
    struct sample sample = sample_of(4096);
    memcpy(sample.bytes, "vhdxfile", 8);
    struct vhd_image image = expect_defect(sample, VHD_FOREIGN);
    assert_false(image.has_footer);
    assert_string_equal(image.fault.sentence, "this is a VHDX image; vhdfs reads VHD images only");

    /* The content that a guest has written does not matter. */
    sample = sample_fixed(9);
    memcpy(sample.bytes, "vhdxfile", 8);
    accept_image(sample);
    /* And a damaged VHD is a VHD. */
    sample = sample_fixed(9);
    memcpy(sample.bytes, "vhdxfile", 8);
    sample.bytes[sample.len - 448] ^= 1;
    expect_defect(sample, VHD_FOOTER_CHECKSUM);
}

static void a_file_that_cannot_be_read(void **state)
{
    (void)state;
    bool is_usable;
    struct sample sample = sample_dynamic(9, 0);
    int fd = file_of(&sample);
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int write_only = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(write_only >= 0);
    struct vhd_image image = judge_fd(write_only, &is_usable);
    assert_int_equal(image.fault.defect, VHD_UNREADABLE);
    image = judge_fd(-1, &is_usable);
    assert_int_equal(image.fault.defect, VHD_UNREADABLE);
    close(write_only);
    close(fd);
    free(sample.bytes);
}

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

/* A number put into both footers of a small dynamic disk, and sealed. */
static struct sample with_footer(size_t at, unsigned width, uint64_t value)
{
    struct sample sample = sample_dynamic(9, 2);
    uint8_t *const footers[] = {sample.bytes, sample_end(&sample)};
    for (int i = 0; i < 2; i++) {
        if (width == 4)
            put32(footers[i] + at, (uint32_t)value);
        else
            put64(footers[i] + at, value);
        sample_seal_footer(footers[i]);
    }
    return sample;
}

/* The same for the header. */
static struct sample with_header(size_t at, unsigned width, uint64_t value)
{
    struct sample sample = sample_dynamic(9, 2);
    if (width == 4)
        put32(sample.bytes + SAMPLE_HEADER + at, (uint32_t)value);
    else
        put64(sample.bytes + SAMPLE_HEADER + at, value);
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    return sample;
}

/* The same for an entry of the table. */
static struct sample with_entry(unsigned block, uint32_t sector)
{
    struct sample sample = sample_dynamic(9, 2);
    put32(sample_entry(&sample, block), sector);
    return sample;
}

/* The defect whose sentence is about this. */
static enum vhd_defect defect_about(const char *what)
{
    for (int i = 0; i < VHD_DEFECT_COUNT; i++) {
        if (strstr(vhd_defect_sentence((enum vhd_defect)i), what))
            return (enum vhd_defect)i;
    }
    fail();
    return VHD_SOUND;
}

static void defects_of_the_footer(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 0);
    sample.bytes[70] ^= 1;
    sample_end(&sample)[70] ^= 1;
    struct vhd_image image = expect_defect(sample, VHD_FOOTER_CHECKSUM);
    assert_false(image.has_footer);

    expect_defect(with_footer(12, 4, 0x00020000), VHD_FOOTER_VERSION);
    const uint32_t types[] = {0, 1, 5, 6, 7, 0x03000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        expect_defect(with_footer(60, 4, types[i]), VHD_FOOTER_TYPE);
    const uint64_t sizes[] = {0, 1, 511, 513, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        expect_defect(with_footer(48, 8, sizes[i]), defect_about("current size"));
}

static void a_fixed_disk_that_is_too_short(void **state)
{
    (void)state;
    const uint64_t sizes[] = {SAMPLE_SIZE + 512, UINT64_C(2040) << 30, UINT64_MAX - 511};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct sample sample = sample_fixed(9);
        sample_footer(sample_end(&sample), SAMPLE_FIXED, sizes[i], 9);
        struct vhd_image image = expect_defect(sample, VHD_FILE_TOO_SHORT);
        assert_true(image.has_footer);
        assert_int_equal(image.footer.current_size, sizes[i]);
    }
    struct sample sample = sample_fixed(9);
    sample_footer(sample_end(&sample), SAMPLE_FIXED, SAMPLE_SIZE - 512, 9);
    accept_image(sample);
}

static void a_header_outside(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    const uint64_t end = sample.len - 512;
    free(sample.bytes);
    const uint64_t offsets[] = {0,
                                1,
                                511,
                                513,
                                1000,
                                end - 512,
                                end,
                                end + 512,
                                INT64_MAX - 511,
                                UINT64_C(1) << 63,
                                UINT64_MAX - 1023,
                                UINT64_MAX - 511,
                                UINT64_MAX};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct vhd_image image = expect_defect(with_footer(16, 8, offsets[i]), VHD_HEADER_OUTSIDE);
        assert_true(image.has_footer);
        assert_false(image.has_header);
    }
    /* A file with a footer and too short for a header. */
    sample = sample_of(512);
    sample_footer(sample.bytes, SAMPLE_DYNAMIC, SAMPLE_SIZE, 9);
    expect_defect(sample, VHD_HEADER_OUTSIDE);
}

static void defects_of_the_header(void **state)
{
    (void)state;
    expect_defect(with_header(0, 4, 0), VHD_HEADER_COOKIE);
    expect_defect(with_header(24, 4, 0), VHD_HEADER_VERSION);
    const uint32_t blocks[] = {0, 1, 256, 511, 513, 4097, 0x7FFFFFFF, 0x80000001, UINT32_MAX};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        expect_defect(with_header(32, 4, blocks[i]), VHD_BLOCK_SIZE);
    struct sample sample = sample_dynamic(9, 2);
    sample.bytes[SAMPLE_HEADER + 900] ^= 0x80;
    struct vhd_image image = expect_defect(sample, VHD_HEADER_CHECKSUM);
    assert_true(image.has_footer);
    assert_false(image.has_header);
}

static void a_table_that_is_too_small(void **state)
{
    (void)state;
    expect_defect(with_header(28, 4, SAMPLE_BLOCKS - 1), VHD_TABLE_TOO_SMALL);
    expect_defect(with_header(28, 4, 0), VHD_TABLE_TOO_SMALL);
    expect_defect(with_header(32, 4, 512), VHD_TABLE_TOO_SMALL);
    expect_defect(with_footer(48, 8, SAMPLE_SIZE + 512), VHD_TABLE_TOO_SMALL);
    expect_defect(with_footer(48, 8, UINT64_C(2040) << 30), VHD_TABLE_TOO_SMALL);
}

static void a_disk_that_is_too_large(void **state)
{
    (void)state;
    /* Entries of 2 GiB would suffice for the size, but no such disk exists. */
    struct sample sample = with_footer(48, 8, (UINT64_C(1) << 41) + 512);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, UINT32_MAX, UINT32_C(1) << 31);
    struct vhd_image image = expect_defect(sample, VHD_DISK_TOO_LARGE);
    assert_non_null(strstr(image.fault.sentence, ": 2199023256064 bytes"));
    expect_defect(with_footer(48, 8, UINT64_MAX - 511), VHD_DISK_TOO_LARGE);
}

/* A disk of so many blocks of a sector, none of them in the file: a table of ones. */
static int many_blocks(uint32_t blocks)
{
    enum { PIECE = 1 << 20 };
    static uint8_t ones[PIECE];
    const uint64_t table = 4 * (uint64_t)blocks;
    struct sample sample = sample_dynamic(9, 0);
    int fd = memfd_create("many", MFD_CLOEXEC);

    assert_true(fd >= 0);
    memset(ones, 0xFF, sizeof ones);
    sample_footer(sample.bytes, SAMPLE_DYNAMIC, 512 * (uint64_t)blocks, 9);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, blocks, 512);
    assert_int_equal(pwrite(fd, sample.bytes, SAMPLE_TABLE, 0), SAMPLE_TABLE);
    for (uint64_t at = 0; at < table; at += PIECE)
        assert_true(pwrite(fd, ones, table - at < PIECE ? table - at : PIECE,
                           (off_t)(SAMPLE_TABLE + at)) > 0);
    off_t end = SAMPLE_TABLE + (off_t)(table + 511) / 512 * 512;
    assert_int_equal(pwrite(fd, sample.bytes, 512, end), 512);
    free(sample.bytes);
    return fd;
}

/* A hostile image must not use gigabytes of memory. */
static void a_disk_of_too_many_blocks(void **state)
{
    (void)state;
    bool is_usable;

    int fd = many_blocks(VHD_IMAGE_BLOCKS_MAX);
    struct vhd_image image = judge_fd(fd, &is_usable);
    close(fd);
    assert_int_equal(image.fault.defect, VHD_SOUND);
    assert_int_equal(image.blocks, VHD_IMAGE_BLOCKS_MAX);
    fd = many_blocks(VHD_IMAGE_BLOCKS_MAX + 1);
    image = judge_fd(fd, &is_usable);
    close(fd);
    assert_int_equal(image.fault.defect, VHD_TOO_MANY_BLOCKS);
    assert_non_null(strstr(image.fault.sentence, ": 16777217 of 512 bytes"));
}

/* The sentence of a defective image; releases it. */
static void expect_sentence(struct sample sample, const char *expected)
{
    bool is_usable;
    struct vhd_image image = judge(&sample, &is_usable);
    free(sample.bytes);
    assert_false(is_usable);
    assert_string_equal(image.fault.sentence, expected);
}

static void sentences_say_where(void **state)
{
    (void)state;
    const unsigned first = SAMPLE_DATA / 512, stride = SAMPLE_STRIDE / 512;

    expect_sentence(with_footer(12, 4, 7),
                    "the footer's format version is not 1.0: 0x00000007, at byte 11264");
    struct sample sample = with_header(0, 4, 0);
    expect_sentence(sample, "the dynamic header does not begin with \"cxsparse\": at byte 512");
    expect_sentence(with_header(32, 4, 513),
                    "the block size is below 512 bytes or not a power of two: 513, at byte 512");
    expect_sentence(with_entry(3, 0), "a block lies outside the file or over metadata: block 3 at "
                                      "sector 0 reaches over the footer's copy");
    expect_sentence(with_entry(3, 2), "a block lies outside the file or over metadata: block 3 at "
                                      "sector 2 reaches over the dynamic header");
    expect_sentence(with_entry(0, 3), "a block lies outside the file or over metadata: block 0 at "
                                      "sector 3 reaches over the table");
    expect_sentence(with_entry(0, first + stride + 1),
                    "a block lies outside the file or over metadata: block 0 at sector 14 ends at "
                    "byte 11776, expected at most 11264");
    expect_sentence(with_entry(3, first), "two blocks overlap: block 1 at sector 4 and block 3 at "
                                          "sector 4");
    expect_sentence(with_entry(0, first + 1), "two blocks overlap: block 1 at sector 4 and block 0 "
                                              "at sector 5");
}

static void a_table_outside(void **state)
{
    (void)state;
    struct sample sample = sample_dynamic(9, 2);
    const uint64_t end = sample.len - 512;
    free(sample.bytes);
    const uint64_t offsets[] = {0,
                                256,
                                SAMPLE_HEADER,
                                SAMPLE_HEADER + 512,
                                SAMPLE_TABLE + 1,
                                SAMPLE_TABLE + 256,
                                end,
                                end + 512,
                                INT64_MAX - 511,
                                UINT64_C(1) << 63,
                                UINT64_MAX - 511,
                                UINT64_MAX - 15,
                                UINT64_MAX};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct vhd_image image = expect_defect(with_header(16, 8, offsets[i]), VHD_TABLE_OUTSIDE);
        assert_true(image.has_header);
    }
    /* Entries without end, in a small file. */
    const uint32_t entries[] = {UINT32_MAX, UINT32_MAX - 1, UINT32_C(1) << 31, UINT32_C(1) << 30,
                                (uint32_t)(end - SAMPLE_TABLE) / 4 + 1};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        expect_defect(with_header(28, 4, entries[i]), VHD_TABLE_OUTSIDE);
    /* Before the header, and reaching into it. */
    sample = sample_dynamic(9, 2);
    put64(sample_end(&sample) + 16, 1024);
    sample_seal_footer(sample_end(&sample));
    sample_header(sample.bytes + 1024, 512, 129, SAMPLE_BLOCK);
    expect_defect(sample, VHD_TABLE_OUTSIDE);
}

static void a_block_outside(void **state)
{
    (void)state;
    const uint32_t last = SAMPLE_DATA / 512 + SAMPLE_STRIDE / 512; /* the last place */
    const uint32_t sectors[] = {0,
                                1,
                                2,
                                3, /* over copy, header, table */
                                last + 1,
                                last + SAMPLE_STRIDE / 512,
                                0x7FFFFFFF,
                                0x80000000,
                                UINT32_MAX - 1};
    for (size_t i = 0; i < sizeof sectors / sizeof *sectors; i++) {
        struct vhd_image image = expect_defect(with_entry(0, sectors[i]), VHD_BLOCK_OUTSIDE);
        assert_true(image.has_header);
    }
    /* A block larger than the file. */
    struct sample sample = with_header(32, 4, UINT32_C(1) << 31);
    expect_defect(sample, VHD_BLOCK_OUTSIDE);
    /* Surplus entries are metadata as well. */
    sample = sample_dynamic(9, 2);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 129, SAMPLE_BLOCK);
    expect_defect(sample, VHD_BLOCK_OUTSIDE);
    /* Without a footer at the end, the end of the file counts. */
    sample = with_entry(0, last + 1);
    memset(sample_end(&sample), 0, 512);
    sample_entry(&sample, 1)[0] = 0xFF;
    memset(sample_entry(&sample, 1), 0xFF, 4);
    expect_defect(sample, VHD_FOOTER_LOST);
}

static void blocks_that_overlap(void **state)
{
    (void)state;
    /* In a large file, at every distance, in both orders. */
    for (int distance = -10; distance <= 10; distance++) {
        struct sample sample = sample_dynamic(9, 4);
        const int base = SAMPLE_DATA / 512 + 14;
        for (unsigned i = 0; i < SAMPLE_BLOCKS; i++)
            memset(sample_entry(&sample, i), 0xFF, 4);
        put32(sample_entry(&sample, 1), (uint32_t)base);
        put32(sample_entry(&sample, 3), (uint32_t)(base + distance));
        if (distance > -9 && distance < 9)
            expect_defect(sample, VHD_BLOCK_OVERLAP);
        else
            accept_image(sample);
    }
}

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

/* The last test: the tests above have provoked every defect of a single image. */
static void every_defect_was_provoked(void **state)
{
    (void)state;
    for (int i = 0; i < VHD_NO_PARENT; i++) {
        if (!met[i])
            print_error("never met: %s\n", vhd_defect_sentence((enum vhd_defect)i));
        assert_true(met[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_a_fixed_disk),
        cmocka_unit_test(a_fixed_disk_is_judged_by_its_end),
        cmocka_unit_test(accepts_dynamic_disks),
        cmocka_unit_test(accepts_a_differencing_disk),
        cmocka_unit_test(accepts_a_footer_of_511_bytes),
        cmocka_unit_test(uses_the_copy_where_the_end_is_lost),
        cmocka_unit_test(needs_no_copy),
        cmocka_unit_test(accepts_surplus_entries),
        cmocka_unit_test(accepts_padding_of_zeros),
        cmocka_unit_test(accepts_a_table_elsewhere),
        cmocka_unit_test(accepts_gaps_and_slack),
        cmocka_unit_test(accepts_sizes_that_differ),
        cmocka_unit_test(accepts_the_default_block_size),
        cmocka_unit_test(keeps_reserved_bytes),
        cmocka_unit_test(some_images_are_for_reading_only),
        cmocka_unit_test(a_file_that_is_no_image),
        cmocka_unit_test(an_image_of_another_format),
        cmocka_unit_test(a_file_that_cannot_be_read),
        cmocka_unit_test(reads_without_the_table),
        cmocka_unit_test(keeps_the_table_if_asked),
        cmocka_unit_test(reports_the_place_of_the_footer),
        cmocka_unit_test(reads_footer_and_header_as_it_judges_them),
        cmocka_unit_test(only_a_differencing_disk_with_a_header_is_one),
        cmocka_unit_test(defects_of_the_footer),
        cmocka_unit_test(a_fixed_disk_that_is_too_short),
        cmocka_unit_test(a_header_outside),
        cmocka_unit_test(defects_of_the_header),
        cmocka_unit_test(a_table_that_is_too_small),
        cmocka_unit_test(a_disk_that_is_too_large),
        cmocka_unit_test(a_disk_of_too_many_blocks),
        cmocka_unit_test(sentences_say_where),
        cmocka_unit_test(a_table_outside),
        cmocka_unit_test(a_block_outside),
        cmocka_unit_test(blocks_that_overlap),
        cmocka_unit_test(a_vast_file_is_no_trouble),
        cmocka_unit_test(a_spoilt_image_is_judged_all_the_same),
        cmocka_unit_test(every_defect_was_provoked),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
