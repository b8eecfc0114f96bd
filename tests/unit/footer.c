/* SPDX-License-Identifier: MIT */
/*
 * If this fails, other programs do not recognise our disks or see them at another size, and the
 * library takes a damaged footer for a sound one.
 */
#include "format/footer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <string.h>

#include "sentence.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static_assert(sizeof(struct vhd_footer_disk) == 512, "a footer takes one sector");

/* A dynamic disk of 4096 MB; the same as bytes below. */
static struct vhd_footer sample(void)
{
    struct vhd_footer footer = {
        .features = 2,
        .data_offset = 512,
        .timestamp = 0x2E000001,
        .creator_app = {'w', 'i', 'n', ' '},
        .creator_version = 0x00060001,
        .creator_host = 0x5769326B,
        .original_size = UINT64_C(4294967296),
        .current_size = UINT64_C(4294967296),
        .geometry = {.cylinders = 8322, .heads = 16, .sectors_per_track = 63},
        .type = VHD_TYPE_DYNAMIC,
    };
    for (size_t i = 0; i < 16; i++) {
        footer.uuid[i] = (unsigned char)(0x10 + i);
    }
    return footer;
}

static const uint8_t sample_bytes[512] = {
    'c',  'o',  'n',  'e',  'c',  't',  'i',  'x',              /* 0 cookie */
    0x00, 0x00, 0x00, 0x02,                                     /* 8 features */
    0x00, 0x01, 0x00, 0x00,                                     /* 12 version */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00,             /* 16 data offset */
    0x2E, 0x00, 0x00, 0x01,                                     /* 24 time stamp */
    'w',  'i',  'n',  ' ',                                      /* 28 creator */
    0x00, 0x06, 0x00, 0x01,                                     /* 32 its version */
    'W',  'i',  '2',  'k',                                      /* 36 its host */
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,             /* 40 original size */
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,             /* 48 current size */
    0x20, 0x82, 0x10, 0x3F,                                     /* 56 geometry */
    0x00, 0x00, 0x00, 0x03,                                     /* 60 type */
    0xFF, 0xFF, 0xF7, 0x2E,                                     /* 64 checksum */
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, /* 68 id */
    0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F,
};

/* Every field has a value of its own, so that no two can be mixed up. */
static struct vhd_footer strange(void)
{
    struct vhd_footer footer = {
        .features = 0x80000003,
        .data_offset = UINT64_C(0x1122334455667788),
        .timestamp = UINT32_MAX,
        .creator_app = {'t', 'a', 'p', '\0'},
        .creator_version = 0x01020304,
        .creator_host = 0x4D616320,
        .original_size = UINT64_C(0x8070605040302010),
        .current_size = UINT64_C(0xFFFFFFFFFFFFFE00),
        .geometry = {.cylinders = 65535, .heads = 255, .sectors_per_track = 254},
        .type = VHD_TYPE_DIFFERENCING,
        .saved_state = 1,
    };
    for (size_t i = 0; i < 16; i++) {
        footer.uuid[i] = (unsigned char)(0xF0 - i);
    }
    for (size_t i = 0; i < sizeof footer.reserved; i++) {
        footer.reserved[i] = (uint8_t)(i * 7 + 1);
    }
    return footer;
}

static void assert_same(const struct vhd_footer *a, const struct vhd_footer *b)
{
    assert_int_equal(a->features, b->features);
    assert_int_equal(a->data_offset, b->data_offset);
    assert_int_equal(a->timestamp, b->timestamp);
    assert_memory_equal(a->creator_app, b->creator_app, 4);
    assert_int_equal(a->creator_version, b->creator_version);
    assert_int_equal(a->creator_host, b->creator_host);
    assert_int_equal(a->original_size, b->original_size);
    assert_int_equal(a->current_size, b->current_size);
    assert_int_equal(a->geometry.cylinders, b->geometry.cylinders);
    assert_int_equal(a->geometry.heads, b->geometry.heads);
    assert_int_equal(a->geometry.sectors_per_track, b->geometry.sectors_per_track);
    assert_int_equal(a->type, b->type);
    assert_memory_equal(a->uuid, b->uuid, 16);
    assert_int_equal(a->saved_state, b->saved_state);
    assert_int_equal(a->is_disabled, b->is_disabled);
    assert_memory_equal(a->reserved, b->reserved, sizeof a->reserved);
}

static void put(uint8_t *bytes, size_t off, size_t size, uint64_t value)
{
    for (size_t i = 0; i < size; i++) {
        bytes[off + i] = (uint8_t)(value >> 8 * (size - 1 - i));
    }
}

static void seal(uint8_t bytes[512])
{
    uint32_t sum = 0;

    memset(bytes + 64, 0, 4);
    for (size_t i = 0; i < 512; i++) {
        sum += bytes[i];
    }
    put(bytes, 64, 4, ~sum);
}

/* Put value into size bytes from off, and a right checksum behind it. */
static struct vhd_footer_disk changed(size_t off, size_t size, uint64_t value)
{
    uint8_t bytes[512];
    struct vhd_footer_disk disk;

    memcpy(bytes, sample_bytes, sizeof bytes);
    put(bytes, off, size, value);
    seal(bytes);
    memcpy(&disk, bytes, sizeof disk);
    return disk;
}

/* The footer is refused with a known defect and its own sentence, and *ret stays as it was. */
static enum vhd_defect refusal_of(const struct vhd_footer_disk *disk)
{
    struct vhd_footer footer, before;
    struct vhd_fault fault = {.defect = VHD_SOUND};

    memset(&footer, 0x5A, sizeof footer);
    memcpy(&before, &footer, sizeof before);
    enum vhd_defect defect = vhd_footer_decode(disk, &footer, &fault);
    assert_in_range(defect, VHD_SOUND + 1, VHD_DEFECT_COUNT - 1);
    assert_memory_equal(&footer, &before, sizeof before);
    assert_int_equal(fault.defect, defect);
    assert_sentence(fault.sentence);
    assert_ptr_equal(strstr(fault.sentence, vhd_defect_sentence(defect)), fault.sentence);
    return defect;
}

static void assert_refused(const struct vhd_footer_disk *disk, enum vhd_defect expected)
{
    assert_int_equal(refusal_of(disk), expected);
}

static void every_field_is_written_at_its_place(void **state)
{
    (void)state;
    struct vhd_footer footer = sample();
    struct vhd_footer_disk disk;

    memset(&disk, 0xEE, sizeof disk);
    vhd_footer_encode(&footer, &disk);
    assert_memory_equal(&disk, sample_bytes, sizeof sample_bytes);
}

static void every_field_is_read_from_its_place(void **state)
{
    (void)state;
    struct vhd_footer expected = sample(), footer;
    struct vhd_footer_disk disk;
    struct vhd_fault fault;

    memcpy(&disk, sample_bytes, sizeof disk);
    assert_int_equal(vhd_footer_decode(&disk, &footer, &fault), VHD_SOUND);
    assert_same(&footer, &expected);
}

/* Values that readers of our images check; placement.c and geometry.c have the numbers. */
static void our_footer_has_the_values_that_others_check(void **state)
{
    (void)state;
    static const enum vhd_disk_type types[] = {VHD_TYPE_FIXED, VHD_TYPE_DYNAMIC,
                                               VHD_TYPE_DIFFERENCING};

    for (size_t i = 0; i < LENGTH(types); i++) {
        struct vhd_footer footer = vhd_footer_of(types[i], UINT64_C(4294967296), 0x2E000001);
        assert_int_equal(footer.type, types[i]);
        assert_int_equal(footer.data_offset, types[i] == VHD_TYPE_FIXED ? UINT64_MAX : 512);
        assert_int_equal(footer.features, 2);
        assert_int_equal(footer.timestamp, 0x2E000001);
        assert_memory_equal(footer.creator_app, "win ", 4);
        assert_int_equal(footer.creator_host, 0x5769326B);
        assert_int_equal(footer.original_size, UINT64_C(4294967296));
        assert_int_equal(footer.current_size, UINT64_C(4294967296));
        assert_int_equal(footer.geometry.cylinders, 8322);
        assert_int_equal(footer.geometry.heads, 16);
        assert_int_equal(footer.geometry.sectors_per_track, 63);
        for (size_t b = 0; b < sizeof footer.reserved; b++) {
            assert_int_equal(footer.reserved[b], 0);
        }
    }
}

static void a_fixed_disk_points_nowhere(void **state)
{
    (void)state;
    struct vhd_footer footer = sample();
    struct vhd_footer_disk disk;
    const uint8_t nowhere[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

    footer.type = VHD_TYPE_FIXED;
    footer.data_offset = VHD_NO_OFFSET;
    vhd_footer_encode(&footer, &disk);
    assert_memory_equal((uint8_t *)&disk + 16, nowhere, 8);
    assert_int_equal(((uint8_t *)&disk)[63], 2);
}

static void a_written_footer_is_read_back(void **state)
{
    (void)state;
    struct vhd_footer footers[] = {sample(), strange()};
    footers[0].type = VHD_TYPE_FIXED;

    for (size_t i = 0; i < LENGTH(footers); i++) {
        struct vhd_footer_disk disk;
        struct vhd_footer back;
        struct vhd_fault fault;
        vhd_footer_encode(&footers[i], &disk);
        assert_int_equal(vhd_footer_decode(&disk, &back, &fault), VHD_SOUND);
        assert_same(&back, &footers[i]);
    }
}

/* Other programs keep marks in the reserved bytes; to rewrite their footer must not erase these. */
static void reserved_bytes_are_kept_in_place(void **state)
{
    (void)state;
    struct vhd_footer footer = sample();
    struct vhd_footer_disk disk;

    footer.saved_state = 1;
    footer.reserved[0] = 0x81;
    footer.reserved[426] = 0x82;
    vhd_footer_encode(&footer, &disk);
    assert_int_equal(((uint8_t *)&disk)[84], 1);
    assert_int_equal(((uint8_t *)&disk)[85], 0x81);
    assert_int_equal(((uint8_t *)&disk)[511], 0x82);
}

static void the_time_stamp_begins_in_2000(void **state)
{
    (void)state;
    assert_int_equal(VHD_EPOCH, 946684800);
}

static void a_missing_cookie_is_found(void **state)
{
    (void)state;
    struct vhd_footer_disk zeros, disk;

    memset(&zeros, 0, sizeof zeros);
    assert_refused(&zeros, VHD_FOOTER_MISSING);
    for (size_t i = 0; i < 8; i++) {
        disk = changed(i, 1, 'X');
        assert_refused(&disk, VHD_FOOTER_MISSING);
    }
    disk = changed(0, 8, UINT64_C(0x7673706172736578)); /* "vsparsex" */
    assert_refused(&disk, VHD_FOOTER_MISSING);
}

static void any_byte_that_changed_is_found(void **state)
{
    (void)state;
    for (size_t i = 8; i < 512; i++) {
        struct vhd_footer_disk disk;
        memcpy(&disk, sample_bytes, sizeof disk);
        ((uint8_t *)&disk)[i] ^= 0x10;
        assert_refused(&disk, VHD_FOOTER_CHECKSUM);
    }
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    const uint32_t versions[] = {0, 1, 0x00020000, 0x01000000, UINT32_MAX};

    for (size_t i = 0; i < LENGTH(versions); i++) {
        struct vhd_footer_disk disk = changed(12, 4, versions[i]);
        assert_refused(&disk, VHD_FOOTER_VERSION);
    }
}

static void other_types_are_refused(void **state)
{
    (void)state;
    const uint32_t types[] = {0, 1, 5, 6, 7, 0x00000102, 0x03000000, UINT32_MAX};

    for (size_t i = 0; i < LENGTH(types); i++) {
        struct vhd_footer_disk disk = changed(60, 4, types[i]);
        assert_refused(&disk, VHD_FOOTER_TYPE);
    }
}

static void sizes_that_are_no_sectors_are_refused(void **state)
{
    (void)state;
    const uint64_t sizes[] = {0, 1, 511, 513, UINT64_C(4294967297), UINT64_MAX};

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct vhd_footer_disk disk = changed(48, 8, sizes[i]);
        assert_non_null(strstr(vhd_defect_sentence(refusal_of(&disk)), "current size"));
    }
}

static void a_disk_that_blktap_has_disabled_is_read(void **state)
{
    (void)state;
    struct vhd_footer_disk disk = changed(0, 8, UINT64_C(0x765F706F69736F6E)), again;
    struct vhd_footer expected = sample(), footer;
    struct vhd_fault fault;

    expected.is_disabled = true;
    assert_memory_equal(&disk, "v_poison", 8);
    assert_int_equal(vhd_footer_decode(&disk, &footer, &fault), VHD_SOUND);
    assert_same(&footer, &expected);
    vhd_footer_encode(&footer, &again);
    assert_memory_equal(&disk, &again, sizeof disk);
}

/* A footer of that creator and version, with this first reserved byte since it was sealed. */
static struct vhd_footer_disk hidden(uint32_t version, uint8_t mark)
{
    uint8_t bytes[512];
    struct vhd_footer_disk disk;

    memcpy(bytes, sample_bytes, sizeof bytes);
    put(bytes, 28, 4, 0x74617000);
    put(bytes, 32, 4, version);
    seal(bytes);
    bytes[85] = mark;
    memcpy(&disk, bytes, sizeof disk);
    return disk;
}

static void a_disk_that_an_early_tapdisk_has_hidden_is_read(void **state)
{
    (void)state;
    const uint32_t early[] = {0x00000001, 0x00010001}, others[] = {0, 0x00010002, 0x00010003};
    struct vhd_footer_disk disk, again;
    struct vhd_footer footer;
    struct vhd_fault fault;

    for (size_t i = 0; i < LENGTH(early); i++) {
        disk = hidden(early[i], 1);
        assert_int_equal(vhd_footer_decode(&disk, &footer, &fault), VHD_SOUND);
        assert_int_equal(footer.reserved[0], 1);
        /* Rewritten it has the right checksum. */
        vhd_footer_encode(&footer, &again);
        assert_memory_not_equal(&disk, &again, sizeof disk);
        assert_int_equal(vhd_footer_decode(&again, &footer, &fault), VHD_SOUND);
        /* Other changes count as damage. */
        ((uint8_t *)&disk)[86] = 1;
        assert_refused(&disk, VHD_FOOTER_CHECKSUM);
    }
    for (size_t i = 0; i < LENGTH(others); i++) {
        disk = hidden(others[i], 1);
        assert_refused(&disk, VHD_FOOTER_CHECKSUM);
    }
    disk = hidden(early[0], 1);
    ((uint8_t *)&disk)[28] = 'w';
    assert_refused(&disk, VHD_FOOTER_CHECKSUM);
}

/* Other programs write anything there, and the disk must open all the same. */
static void fields_without_effect_are_not_judged(void **state)
{
    (void)state;
    const struct {
        size_t off, size;
        uint64_t value;
    } cases[] = {
        {8, 4, 0},           {8, 4, 3},  {16, 8, 0}, {24, 4, UINT32_MAX}, {28, 4, 0},
        {32, 4, UINT32_MAX}, {36, 4, 0}, {40, 8, 0}, {40, 8, 513},        {56, 4, 0},
        {56, 4, UINT32_MAX}, {68, 8, 0}, {84, 1, 1}, {85, 1, 1},          {511, 1, 1},
        {48, 8, 512},        {60, 4, 2}, {60, 4, 4},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct vhd_footer_disk disk = changed(cases[i].off, cases[i].size, cases[i].value);
        struct vhd_footer footer;
        struct vhd_fault fault;
        assert_int_equal(vhd_footer_decode(&disk, &footer, &fault), VHD_SOUND);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_written_at_its_place),
        cmocka_unit_test(every_field_is_read_from_its_place),
        cmocka_unit_test(our_footer_has_the_values_that_others_check),
        cmocka_unit_test(a_fixed_disk_points_nowhere),
        cmocka_unit_test(a_written_footer_is_read_back),
        cmocka_unit_test(reserved_bytes_are_kept_in_place),
        cmocka_unit_test(the_time_stamp_begins_in_2000),
        cmocka_unit_test(a_missing_cookie_is_found),
        cmocka_unit_test(any_byte_that_changed_is_found),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(other_types_are_refused),
        cmocka_unit_test(sizes_that_are_no_sectors_are_refused),
        cmocka_unit_test(a_disk_that_blktap_has_disabled_is_read),
        cmocka_unit_test(a_disk_that_an_early_tapdisk_has_hidden_is_read),
        cmocka_unit_test(fields_without_effect_are_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
