/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a user would read a wrong parent of a disk or none, or a hostile image could have
 * the library read without end or outside the store.
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
#include "image/parent.h"
#include "disks.h"
#include "format/locator.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* Put bytes between the blocks and the footer, padded to whole sectors; returns their place. */
static uint32_t append(struct sample *sample, const void *data, size_t len)
{
    const size_t at = sample->len - 512, padded = (len + 511) / 512 * 512;

    sample->bytes = realloc(sample->bytes, sample->len + padded);
    assert_non_null(sample->bytes);
    memmove(sample->bytes + at + padded, sample->bytes + at, 512);
    memset(sample->bytes + at, 0, padded);
    memcpy(sample->bytes + at, data, len);
    sample->len += padded;
    return (uint32_t)at;
}

static void set_locator(const struct sample *sample, unsigned slot, uint32_t platform,
                        uint32_t space, uint32_t length, uint64_t offset)
{
    uint8_t *at = sample->bytes + SAMPLE_HEADER + 576 + 24 * slot;

    put32(at, platform);
    put32(at + 4, space);
    put32(at + 8, length);
    put32(at + 12, 0);
    put64(at + 16, offset);
    sample_seal_header(sample->bytes + SAMPLE_HEADER);
}

/* Give an image a locator with a text, which is ASCII here, in the platform's encoding. */
static void add_locator(struct sample *sample, unsigned slot, uint32_t platform, const char *text)
{
    const unsigned width = platform == VHD_PLATFORM_MACX ? 1 : 2;
    const size_t len = width * strlen(text);
    uint8_t data[1024] = {0};

    assert_true(len <= sizeof data);
    for (size_t i = 0; text[i]; i++)
        data[width * i] = (uint8_t)text[i];
    uint32_t at = append(sample, data, len);
    set_locator(sample, slot, platform, (uint32_t)(len + 511) / 512 * 512, (uint32_t)len, at);
}

/* A child with this in its name field. */
static struct sample child(const char *field)
{
    return sample_child(3, 2, field);
}

/* The child's parent has this name and this file, none where that is empty; releases it. */
static void leads_to(const struct vhd_store *store, struct sample sample, const char *expected,
                     const char *expected_file)
{
    struct vhd_image image;
    char name[NAME_MAX + 2], file[NAME_MAX + 2], again[NAME_MAX + 1];
    int fd = memfd_create("child", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, sample.bytes, sample.len), sample.len);
    free(sample.bytes);
    assert_true(vhd_image_judge(fd, &image));
    assert_true(vhd_image_is_differencing(&image));
    memset(name, 'X', sizeof name);
    memset(file, 'X', sizeof file);
    vhd_parent_find(store, fd, &image.header, name, file);
    vhd_parent_name(store, fd, &image.header, again);
    close(fd);
    assert_true(strnlen(name, sizeof name) <= NAME_MAX);
    assert_true(strnlen(file, sizeof file) <= NAME_MAX);
    assert_int_equal(name[NAME_MAX + 1], 'X');
    assert_int_equal(file[NAME_MAX + 1], 'X');
    assert_string_equal(name, expected);
    assert_string_equal(again, expected);
    if (expected_file)
        assert_string_equal(file, expected_file);
}

/* The child's parent has this name; releases it. */
static void names(const struct vhd_store *store, struct sample sample, const char *expected)
{
    leads_to(store, sample, expected, NULL);
}

static struct vhd_store *open_store(const char *path)
{
    struct vhd_store *store;
    assert_int_equal(vhd_store_open(path, 0, &store, NULL), VHD_OK);
    return store;
}

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

/* A child that each way calls its parent by another name: w2ru, field, w2ku and macx. */
static struct sample child_of_many(void)
{
    struct sample sample = child("C:\\field.vhd");

    add_locator(&sample, 7, VHD_PLATFORM_W2RU, ".\\w2ru.vhd");
    add_locator(&sample, 0, VHD_PLATFORM_MACX, "file:///macx.vhd");
    add_locator(&sample, 1, VHD_PLATFORM_W2KU, "C:\\w2ku.vhd");
    return sample;
}

/* A parent in the store comes before others, and among equals the order is fixed. */
static void prefers_a_parent_in_the_store(void **state)
{
    static const char *const order[] = {"w2ru", "field", "w2ku", "macx"};
    struct vhd_store *store = open_store(*state);
    char file[16];

    for (unsigned there = 0; there < 16; there++) {
        const char *expected = NULL;
        for (unsigned i = 0; i < 4; i++) {
            snprintf(file, sizeof file, "%s.%s", order[i], i % 2 ? "VHD" : "vhd");
            unlink(scratch_path(*state, file));
            if (there >> i & 1) {
                put(*state, file, sample_dynamic(2, 1));
                expected = expected ? expected : order[i];
            }
        }
        names(store, child_of_many(), expected ? expected : "w2ru");
    }
    vhd_store_unref(store);
}

/* If none is in the store, the first that names a file counts. */
static void falls_back_to_the_first_that_is_given(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample sample = child("");

    names(store, sample, "");
    sample = child("");
    add_locator(&sample, 0, VHD_PLATFORM_MACX, "file:///macx.vhd");
    names(store, sample, "macx");
    sample = child("");
    add_locator(&sample, 0, VHD_PLATFORM_MACX, "file:///macx.vhd");
    add_locator(&sample, 1, VHD_PLATFORM_W2KU, "C:\\w2ku.vhd");
    names(store, sample, "w2ku");
    sample = child("field");
    add_locator(&sample, 0, VHD_PLATFORM_MACX, "file:///macx.vhd");
    add_locator(&sample, 1, VHD_PLATFORM_W2KU, "C:\\w2ku.vhd");
    names(store, sample, "field");
    names(store, child_of_many(), "w2ru");
    /* A locator that names no file does not count. */
    sample = child("field");
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, ".\\folder\\");
    names(store, sample, "field");
    sample = child("field");
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, ".\\.vhd");
    names(store, sample, "field");
    vhd_store_unref(store);
}

/* A file outside, or one that is no disk, is not in the store. */
static void only_disks_of_the_store_are_preferred(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder);

    put(*state, "w2ru.vhd", sample_dynamic(2, 1));
    assert_int_equal(mkfifo(scratch_path(folder, "field.vhd"), 0666), 0);
    assert_int_equal(symlink("../w2ru.vhd", scratch_path(folder, "w2ru.vhd")), 0);
    assert_int_equal(mkdir(scratch_path(folder, "w2ku.vhd"), 0777), 0);
    names(store, child_of_many(), "w2ru");
    put(folder, "macx.vhd", sample_dynamic(2, 1));
    names(store, child_of_many(), "macx");
    vhd_store_unref(store);
}

/* A snapshot of Hyper-V, or a raw file of blktap. A disk of the store comes before those. */
static void files_that_are_no_disks_may_be_parents(void **state)
{
    struct vhd_store *store = open_store(*state);

    leads_to(store, child("base.avhd"), "base.avhd", "");
    put(*state, "base.avhd", sample_dynamic(2, 1));
    leads_to(store, child("C:\\Disks\\base.avhd"), "base.avhd", "base.avhd");
    put(*state, "base.avhd.VHD", sample_dynamic(2, 1));
    leads_to(store, child("base.avhd"), "base.avhd", "base.avhd.VHD");
    put(*state, "plain", sample_dynamic(2, 1));
    leads_to(store, child("plain"), "plain", "plain");
    leads_to(store, child("plain.vhd"), "plain", "");
    put(*state, "plain.vhd", sample_dynamic(2, 1));
    leads_to(store, child("plain"), "plain", "plain.vhd");
    leads_to(store, child("plain.VHD"), "plain", "plain.vhd");
    assert_int_equal(mkfifo(scratch_path(*state, "fifo.img"), 0666), 0);
    leads_to(store, child("fifo.img"), "fifo.img", "");
    put(*state, ".hidden", sample_dynamic(2, 1));
    leads_to(store, child(".hidden"), ".hidden", "");
    vhd_store_unref(store);
}

/* Windows does not distinguish cases, so programs there record the name as it was typed. */
static void a_name_is_found_in_any_case(void **state)
{
    struct vhd_store *store = open_store(*state);

    put(*state, "Base.VHD", sample_dynamic(9, 1));
    leads_to(store, child("bASE.vhd"), "Base", "Base.VHD");
    leads_to(store, child("base"), "Base", "Base.VHD");
    put(*state, "Snap.AVHD", sample_dynamic(2, 1));
    leads_to(store, child("snap.avhd"), "Snap.AVHD", "Snap.AVHD");
    put(*state, "\xC3\x84rger.vhd",
        sample_dynamic(2, 1)); /* A with dots; the name has a small one */
    struct sample umlaut = child("_rger.vhd");
    put16(umlaut.bytes + SAMPLE_HEADER + 64, 0xE4);
    sample_seal_header(umlaut.bytes + SAMPLE_HEADER);
    leads_to(store, umlaut, "\xC3\x84rger", "\xC3\x84rger.vhd");
    leads_to(store, child("bases.vhd"), "bases", "");
    leads_to(store, child("bas.vhd"), "bas", "");
    vhd_store_unref(store);
}

/* The exact name is the parent; else the one with the identity that the child has on record. */
static void of_several_cases_the_identity_decides(void **state)
{
    struct vhd_store *store = open_store(*state);

    put(*state, "BASE.vhd", sample_dynamic(9, 1));
    put(*state, "BaSe.vhd", sample_dynamic(8, 1));
    leads_to(store, child("base.vhd"), "BASE", "BASE.vhd"); /* the first by name */
    put(*state, "basE.vhd", sample_dynamic(2, 1));
    leads_to(store, child("base.vhd"), "basE", "basE.vhd");
    put(*state, "base.vhd", sample_dynamic(7, 1));
    leads_to(store, child("base.vhd"), "base", "base.vhd");
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

static void a_name_that_no_file_can_have_names_no_parent(void **state)
{
    struct vhd_store *store = open_store(*state);
    char text[512], name[256];

    /* The first bytes of it would be the name of a disk's file. */
    memset(text, 'n', sizeof text);
    memcpy(text + 251, ".vhd.vhd", 9);
    memset(name, 'n', 251);
    strcpy(name + 251, ".vhd");
    put(*state, name, sample_dynamic(2, 1));
    name[251] = 0;
    put(*state, "field.vhd", sample_dynamic(2, 1));
    struct sample sample = child("field.vhd");
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, text);
    names(store, sample, "field");
    sample = child("field.vhd");
    text[255] = 0;
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, text);
    names(store, sample, name);
    vhd_store_unref(store);
}

/* Names that lead up or away are plain names, and no file is found under them. */
static void names_never_lead_out_of_the_store(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder);

    put(*state, "outside.vhd", sample_dynamic(2, 1));
    put(folder, "inside.vhd", sample_dynamic(2, 1));
    struct sample sample = child("inside.vhd");
    add_locator(&sample, 0, VHD_PLATFORM_W2RU, "..\\outside.vhd");
    add_locator(&sample, 1, VHD_PLATFORM_MACX, "file:///..%2Foutside.vhd");
    names(store, sample, "inside");
    sample = child("..");
    names(store, sample, "..");
    sample = child(VHD_OWN_PREFIX "draft-1.vhd");
    put(folder, VHD_OWN_PREFIX "draft-1.vhd", sample_dynamic(2, 1));
    add_locator(&sample, 1, VHD_PLATFORM_MACX, "inside.vhd");
    names(store, sample, "inside");
    vhd_store_unref(store);
}

static void a_child_may_name_itself(void **state)
{
    struct vhd_store *store = open_store(*state);

    put(*state, "ring.vhd", sample_child(3, 3, "ring.vhd"));
    names(store, sample_child(3, 3, "ring.vhd"), "ring");
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
        SCRATCH_TEST(prefers_a_parent_in_the_store),
        SCRATCH_TEST(falls_back_to_the_first_that_is_given),
        SCRATCH_TEST(only_disks_of_the_store_are_preferred),
        SCRATCH_TEST(files_that_are_no_disks_may_be_parents),
        SCRATCH_TEST(a_name_is_found_in_any_case),
        SCRATCH_TEST(of_several_cases_the_identity_decides),
        SCRATCH_TEST(the_data_space_may_be_counted_either_way),
        SCRATCH_TEST(the_data_may_lie_anywhere),
        SCRATCH_TEST(hostile_places_name_nothing),
        SCRATCH_TEST(a_locator_ends_with_the_file),
        SCRATCH_TEST(a_name_that_no_file_can_have_names_no_parent),
        SCRATCH_TEST(names_never_lead_out_of_the_store),
        SCRATCH_TEST(a_child_may_name_itself),
        SCRATCH_TEST(a_lost_file_leaves_the_field),
        SCRATCH_TEST(any_locators_are_read_all_the_same),
    };
    return cmocka_run_group_tests_name("parent", tests, NULL, NULL);
}
