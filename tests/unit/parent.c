/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a child of another program would not find its parent by the names in its image,
 * or a hostile image would lead the daemon to read beyond its file.
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

#include "disks.h"
#include "format/locator.h"
#include "image/image.h"
#include "image/parent.h"
#include "parent.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void reads_the_name_field(void **state)
{
    static const struct {
        const char *field, *name;
    } fields[] = {
        {"base.vhd", "base"},
        {"base.VHD", "base"},
        {"base", "base"},
        {"C:\\Disks\\base.vhd", "base"}, /* as Windows writes it */
        {"\\\\server\\share\\base.vhd", "base"},
        {"/srv/disks/base.vhd", "base"},
        {"base.avhd", "base.avhd"},
        {"base.v1.vhd", "base.v1"},
        {"base.vhd.vhd", "base.vhd"},
        {".vhd", ""},
        {"C:\\Disks\\", ""},
        {"", ""},
    };
    struct vhd_store *store = open_store(*state);

    for (int is_there = 0; is_there < 2; is_there++) {
        for (size_t i = 0; i < LENGTH(fields); i++)
            names(store, child(fields[i].field), fields[i].name);
        put(*state, "base.vhd", sample_dynamic(2, 1));
    }
    vhd_store_unref(store);
}

static void reads_each_locator_in_any_slot(void **state)
{
    static const struct {
        uint32_t platform;
        const char *text, *name;
    } locators[] = {
        {VHD_PLATFORM_W2RU, ".\\base.vhd", "base"},
        {VHD_PLATFORM_W2RU, "..\\images\\with blank.VHD", "with blank"},
        {VHD_PLATFORM_W2RU, ".\\base.avhd", "base.avhd"},
        {VHD_PLATFORM_W2KU, "C:\\Disks\\base.vhd", "base"},
        {VHD_PLATFORM_MACX, "file:///Disks/base.vhd", "base"},
        {VHD_PLATFORM_MACX, "file://localhost/with%20blank%2Evhd", "with blank"},
        {VHD_PLATFORM_MACX, "file:///%C3%A4.vhd", "\u00E4"},
    };
    struct vhd_store *store = open_store(*state);

    for (size_t i = 0; i < LENGTH(locators); i++) {
        for (unsigned slot = 0; slot < VHD_LOCATORS; slot++) {
            struct sample sample = child("");
            add_locator(&sample, slot, locators[i].platform, locators[i].text);
            names(store, sample, locators[i].name);
        }
    }
    vhd_store_unref(store);
}

/* A Windows path with letters beyond ASCII. */
static void reads_any_letters(void **state)
{
    static const uint8_t path[] = {'.', 0, '\\', 0, 0xE4, 0, 0x3D, 0xD8, 0x00, 0xDE};
    struct vhd_store *store = open_store(*state);
    struct sample sample = child("");

    set_locator(&sample, 0, VHD_PLATFORM_W2RU, 512, sizeof path,
                append(&sample, path, sizeof path));
    names(store, sample, "\u00E4\U0001F600");

    /* The field is big-endian. */
    sample = child("");
    put16(sample.bytes + SAMPLE_HEADER + 64, 0xE4);
    put16(sample.bytes + SAMPLE_HEADER + 66, 0xD83D);
    put16(sample.bytes + SAMPLE_HEADER + 68, 0xDE00);
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    names(store, sample, "\u00E4\U0001F600");
    vhd_store_unref(store);
}

static void unpaired_surrogates_are_no_trouble(void **state)
{
    static const uint8_t path[] = {'a', 0, 0x3D, 0xD8, 'b', 0, 0x00, 0xDE};
    struct vhd_store *store = open_store(*state);
    struct sample sample = child("");

    set_locator(&sample, 5, VHD_PLATFORM_W2KU, 512, sizeof path,
                append(&sample, path, sizeof path));
    names(store, sample, "a\uFFFDb\uFFFD");
    sample = child("x");
    put16(sample.bytes + SAMPLE_HEADER + 66, 0xDE00);
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    names(store, sample, "x\uFFFD");
    /* The last unit of the field is the first half of a pair. */
    sample = child("");
    for (unsigned i = 0; i < 256; i++)
        put16(sample.bytes + SAMPLE_HEADER + 64 + 2 * i, i == 255 ? 0xD83D : i < 200 ? '/' : 'n');
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    names(store, sample, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\uFFFD");
    vhd_store_unref(store);
}

/* Data space is sectors in the specification, bytes in practice, and nonsense in some images. */
static void the_data_space_may_be_counted_either_way(void **state)
{
    const uint32_t spaces[] = {0, 1, 2, 511, 512, 513, 1024, UINT32_MAX};
    struct vhd_store *store = open_store(*state);

    for (size_t i = 0; i < LENGTH(spaces); i++) {
        struct sample sample = child("field");
        uint32_t at = append(&sample, "b\0a\0s\0e\0", 8);
        set_locator(&sample, 3, VHD_PLATFORM_W2RU, spaces[i], 8, at);
        names(store, sample, "base");
    }
    vhd_store_unref(store);
}

/* The data may lie anywhere, between header and table too. */
static void the_data_may_lie_anywhere(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample sample = child("field");

    memcpy(sample.bytes + SAMPLE_TABLE + 100, "b\0a\0s\0e\0", 8);
    set_locator(&sample, 0, VHD_PLATFORM_W2RU, 512, 8, SAMPLE_TABLE + 100);
    names(store, sample, "base");
    sample = child("");
    memcpy(sample_end(&sample) - 8, "base.vhd", 8);
    set_locator(&sample, 7, VHD_PLATFORM_MACX, 512, 8, sample.len - 512 - 8);
    names(store, sample, "base");
    vhd_store_unref(store);
}

static void hostile_places_name_nothing(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample sample = child("field");
    const uint64_t end = sample.len + 4096; /* data that later cases put in */
    free(sample.bytes);
    const struct {
        uint32_t length;
        uint64_t offset;
    } places[] = {
        {0, SAMPLE_DATA},
        {1, SAMPLE_DATA},
        {8, end},
        {8, end + 1},
        {8, INT64_MAX},
        {8, INT64_MAX - 7},
        {8, UINT64_C(1) << 63},
        {8, UINT64_MAX - 7},
        {8, UINT64_MAX},
        {VHD_LOCATOR_MAX, end},
        {VHD_LOCATOR_MAX, UINT64_MAX},
        {VHD_LOCATOR_MAX + 1, 0},
        {INT32_MAX, 0},
        {UINT32_MAX, 0},
        {UINT32_MAX - 1, UINT64_MAX},
    };

    for (size_t i = 0; i < LENGTH(places); i++) {
        for (unsigned slot = 0; slot < VHD_LOCATORS; slot++) {
            sample = child("field");
            set_locator(&sample, slot, VHD_PLATFORM_W2RU, 512, places[i].length, places[i].offset);
            names(store, sample, "field");
            sample = child("");
            set_locator(&sample, slot, VHD_PLATFORM_W2KU, 512, places[i].length, places[i].offset);
            names(store, sample, "");
        }
    }
    /* A bad slot does not hide a good one of the same platform behind it. */
    for (size_t i = 0; i < LENGTH(places); i++) {
        sample = child("field");
        set_locator(&sample, 0, VHD_PLATFORM_W2RU, 512, places[i].length, places[i].offset);
        add_locator(&sample, 1, VHD_PLATFORM_W2RU, ".\\base.vhd");
        names(store, sample, "base");
    }
    vhd_store_unref(store);
}

/* A locator that reaches over the end of the file is read up to there. */
static void a_locator_ends_with_the_file(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample sample = child("");

    memcpy(sample_end(&sample) + 512 - 8, "base.vhd", 8);
    sample_seal_footer(sample_end(&sample));
    set_locator(&sample, 0, VHD_PLATFORM_MACX, 512, VHD_LOCATOR_MAX, sample.len - 8);
    names(store, sample, "base");
    vhd_store_unref(store);
}

/* The image is no longer readable, but its name field has been read before. */
static void a_lost_file_leaves_the_field(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample sample = child("field.vhd");
    struct vhd_header_disk disk;
    struct vhd_header header;
    struct vhd_fault fault;
    char name[NAME_MAX + 1];

    add_locator(&sample, 0, VHD_PLATFORM_W2RU, ".\\base.vhd");
    memcpy(&disk, sample.bytes + SAMPLE_HEADER, sizeof disk);
    free(sample.bytes);
    assert_int_equal(vhd_header_decode(&disk, &header, &fault), VHD_SOUND);
    vhd_parent_name(store, -1, &header, name);
    assert_string_equal(name, "field");
    vhd_store_unref(store);
}

static void any_locators_are_read_all_the_same(void **state)
{
    enum { TIMES = 2000 };
    const uint32_t platforms[] = {0, VHD_PLATFORM_W2RU, VHD_PLATFORM_W2KU, VHD_PLATFORM_MACX};
    struct vhd_store *store = open_store(*state);
    uint64_t seed = UINT64_C(0xAB5E17);
    int fd = memfd_create("child", MFD_CLOEXEC);

    assert_true(fd >= 0);
    print_message("seed 0x%" PRIX64 ", %d headers\n", seed, TIMES);
    for (int i = 0; i < TIMES; i++) {
        struct sample sample = child("field.vhd");
        struct vhd_image image;
        char name[NAME_MAX + 1];
        for (size_t at = SAMPLE_DATA; at < SAMPLE_DATA + 512; at++)
            sample.bytes[at] = (uint8_t)(sample_random(&seed) >> 20);
        for (unsigned slot = 0; slot < VHD_LOCATORS; slot++) {
            uint64_t random = sample_random(&seed);
            uint64_t offset = random & 1 ? random >> 8 & 0x3FFF : random << (random >> 58);
            uint32_t length = (uint32_t)(random >> 32) >> (random >> 10 & 31);
            set_locator(&sample, slot, platforms[random >> 60 & 3], 512, length, offset);
        }
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, sample.bytes, sample.len, 0), sample.len);
        free(sample.bytes);
        assert_true(vhd_image_read(fd, &image));
        vhd_parent_name(store, fd, &image.header, name);
        assert_true(strnlen(name, sizeof name) < sizeof name);
        assert_null(strpbrk(name, "/\\"));
        assert_true(*name);
    }
    close(fd);
    vhd_store_unref(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(reads_the_name_field),
        SCRATCH_TEST(reads_each_locator_in_any_slot),
        SCRATCH_TEST(reads_any_letters),
        SCRATCH_TEST(unpaired_surrogates_are_no_trouble),
        SCRATCH_TEST(the_data_space_may_be_counted_either_way),
        SCRATCH_TEST(the_data_may_lie_anywhere),
        SCRATCH_TEST(hostile_places_name_nothing),
        SCRATCH_TEST(a_locator_ends_with_the_file),
        SCRATCH_TEST(a_lost_file_leaves_the_field),
        SCRATCH_TEST(any_locators_are_read_all_the_same),
    };
    return cmocka_run_group_tests_name("parent", tests, NULL, NULL);
}
