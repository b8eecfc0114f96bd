/* SPDX-License-Identifier: MIT */
/*
 * If this fails, the blocks of a disk are read from the wrong place, or a child no longer finds its
 * parent; or a hostile header is accepted.
 */
#include "format/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <string.h>

#include "sentence.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static_assert(sizeof(struct vhd_header_disk) == 1024, "a header takes two sectors");
static_assert(sizeof(struct vhd_locator_disk) == 24, "a locator takes 24 bytes");

/* A dynamic disk of 4096 MB; the same as bytes below. */
static struct vhd_header sample(void)
{
    return (struct vhd_header){
        .table_offset = 1536,
        .max_entries = 2048,
        .block_size = 0x00200000,
    };
}

static const uint8_t sample_bytes[1024] = {
    'c',  'x',  's',  'p',  'a',  'r',  's',  'e',  /* 0 cookie */
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, /* 8 data offset, unused */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06, 0x00, /* 16 table offset */
    0x00, 0x01, 0x00, 0x00,                         /* 24 version */
    0x00, 0x00, 0x08, 0x00,                         /* 28 entries */
    0x00, 0x20, 0x00, 0x00,                         /* 32 block size */
    0xFF, 0xFF, 0xF4, 0x6F,                         /* 36 checksum */
};

/* A child, every field with a value of its own. */
static struct vhd_header child(void)
{
    struct vhd_header header = {
        .table_offset = UINT64_C(0x0102030405060708),
        .max_entries = 0x090A0B0C,
        .block_size = 0x00080000,
        .parent_timestamp = 0x11121314,
        .parent_name = {'P', 0x00FC, 0x65E5, 0xD83D, 0xDE00, '.', 'v', 'h', 'd'},
    };
    for (size_t i = 0; i < 16; i++) {
        header.parent_uuid[i] = (unsigned char)(0xA0 + i);
    }
    for (uint32_t i = 0; i < VHD_LOCATORS; i++) {
        header.locators[i] = (struct vhd_locator){
            .platform = 0x57327275 + i,
            .data_space = 0x21222300 + i,
            .data_length = 0x31323300 + i,
            .data_offset = UINT64_C(0x4142434445464700) + i,
        };
    }
    for (size_t i = 0; i < sizeof header.reserved_end; i++) {
        header.reserved_end[i] = (uint8_t)(i * 5 + 3);
    }
    return header;
}

static void assert_same(const struct vhd_header *a, const struct vhd_header *b)
{
    assert_int_equal(a->table_offset, b->table_offset);
    assert_int_equal(a->max_entries, b->max_entries);
    assert_int_equal(a->block_size, b->block_size);
    assert_memory_equal(a->parent_uuid, b->parent_uuid, 16);
    assert_int_equal(a->parent_timestamp, b->parent_timestamp);
    assert_memory_equal(a->parent_name, b->parent_name, sizeof a->parent_name);
    for (size_t i = 0; i < VHD_LOCATORS; i++) {
        assert_int_equal(a->locators[i].platform, b->locators[i].platform);
        assert_int_equal(a->locators[i].data_space, b->locators[i].data_space);
        assert_int_equal(a->locators[i].data_length, b->locators[i].data_length);
        assert_int_equal(a->locators[i].data_offset, b->locators[i].data_offset);
    }
    assert_memory_equal(a->reserved_end, b->reserved_end, sizeof a->reserved_end);
}

/* Put value into size bytes from off, and a right checksum behind it. */
static struct vhd_header_disk changed(size_t off, size_t size, uint64_t value)
{
    uint8_t bytes[1024];
    struct vhd_header_disk disk;
    uint32_t sum = 0;

    memcpy(bytes, sample_bytes, sizeof bytes);
    for (size_t i = 0; i < size; i++) {
        bytes[off + i] = (uint8_t)(value >> 8 * (size - 1 - i));
    }
    memset(bytes + 36, 0, 4);
    for (size_t i = 0; i < sizeof bytes; i++) {
        sum += bytes[i];
    }
    for (size_t i = 0; i < 4; i++) {
        bytes[36 + i] = (uint8_t)(~sum >> 8 * (3 - i));
    }
    memcpy(&disk, bytes, sizeof disk);
    return disk;
}

static void assert_refused(const struct vhd_header_disk *disk, enum vhd_defect expected)
{
    struct vhd_header header, before;
    struct vhd_fault fault = {.defect = VHD_SOUND};

    memset(&header, 0x5A, sizeof header);
    memcpy(&before, &header, sizeof before);
    assert_int_equal(vhd_header_decode(disk, &header, &fault), expected);
    assert_memory_equal(&header, &before, sizeof before);
    assert_int_equal(fault.defect, expected);
    assert_sentence(fault.sentence);
    assert_ptr_equal(strstr(fault.sentence, vhd_defect_sentence(expected)), fault.sentence);
}

static void every_field_is_written_at_its_place(void **state)
{
    (void)state;
    struct vhd_header header = sample();
    struct vhd_header_disk disk;

    memset(&disk, 0xEE, sizeof disk);
    vhd_header_encode(&header, &disk);
    assert_memory_equal(&disk, sample_bytes, sizeof sample_bytes);
}

static void every_field_is_read_from_its_place(void **state)
{
    (void)state;
    struct vhd_header expected = sample(), header;
    struct vhd_header_disk disk;
    struct vhd_fault fault;

    memcpy(&disk, sample_bytes, sizeof disk);
    assert_int_equal(vhd_header_decode(&disk, &header, &fault), VHD_SOUND);
    assert_same(&header, &expected);
}

static void the_parent_is_written_at_its_place(void **state)
{
    (void)state;
    struct vhd_header header = child();
    struct vhd_header_disk disk;
    const uint8_t *bytes = (const uint8_t *)&disk;
    const uint8_t name[] = {0, 'P', 0, 0xFC, 0x65, 0xE5, 0xD8, 0x3D, 0xDE, 0,
                            0, '.', 0, 'v',  0,    'h',  0,    'd',  0,    0};
    const uint8_t third[] = {0x57, 0x32, 0x72, 0x77, 0x21, 0x22, 0x23, 0x02, /* code, space */
                             0x31, 0x32, 0x33, 0x02, 0x00, 0x00, 0x00, 0x00, /* length, reserved */
                             0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x02};

    memset(&disk, 0xEE, sizeof disk);
    vhd_header_encode(&header, &disk);
    assert_int_equal(bytes[40], 0xA0);
    assert_int_equal(bytes[55], 0xAF);
    assert_memory_equal(bytes + 56, "\x11\x12\x13\x14", 4);
    assert_memory_equal(bytes + 60, "\0\0\0\0", 4);
    assert_memory_equal(bytes + 64, name, sizeof name);
    assert_memory_equal(bytes + 576 + 2 * 24, third, sizeof third);
    assert_int_equal(bytes[576 + 7 * 24 + 23], 0x07);
    assert_memory_equal(bytes + 768, header.reserved_end, 256);
}

static void a_written_header_is_read_back(void **state)
{
    (void)state;
    struct vhd_header headers[] = {sample(), child(), child()};
    for (size_t i = 0; i < VHD_NAME_UNITS; i++) {
        headers[2].parent_name[i] = (uint16_t)(0x100 + i);
    }

    for (size_t i = 0; i < LENGTH(headers); i++) {
        struct vhd_header_disk disk;
        struct vhd_header back;
        struct vhd_fault fault;
        vhd_header_encode(&headers[i], &disk);
        assert_int_equal(vhd_header_decode(&disk, &back, &fault), VHD_SOUND);
        assert_same(&back, &headers[i]);
    }
}

static void a_wrong_cookie_is_found(void **state)
{
    (void)state;
    struct vhd_header_disk zeros, disk;

    memset(&zeros, 0, sizeof zeros);
    assert_refused(&zeros, VHD_HEADER_COOKIE);
    for (size_t i = 0; i < 8; i++) {
        disk = changed(i, 1, 'X');
        assert_refused(&disk, VHD_HEADER_COOKIE);
    }
}

static void any_byte_that_changed_is_found(void **state)
{
    (void)state;
    for (size_t i = 8; i < 1024; i++) {
        struct vhd_header_disk disk;
        memcpy(&disk, sample_bytes, sizeof disk);
        ((uint8_t *)&disk)[i] ^= 0x10;
        assert_refused(&disk, VHD_HEADER_CHECKSUM);
    }
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    const uint32_t versions[] = {0, 1, 0x00020000, 0x01000000, UINT32_MAX};

    for (size_t i = 0; i < LENGTH(versions); i++) {
        struct vhd_header_disk disk = changed(24, 4, versions[i]);
        assert_refused(&disk, VHD_HEADER_VERSION);
    }
}

static void odd_block_sizes_are_refused(void **state)
{
    (void)state;
    const uint32_t sizes[] = {0, 1, 2, 256, 511, 513, 768, 0x00200001, 0x00300000, UINT32_MAX};

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct vhd_header_disk disk = changed(32, 4, sizes[i]);
        assert_refused(&disk, VHD_BLOCK_SIZE);
    }
}

static void every_power_of_two_from_512_is_a_block_size(void **state)
{
    (void)state;
    for (unsigned int bit = 9; bit < 32; bit++) {
        struct vhd_header_disk disk = changed(32, 4, UINT64_C(1) << bit);
        struct vhd_header header;
        struct vhd_fault fault;
        assert_int_equal(vhd_header_decode(&disk, &header, &fault), VHD_SOUND);
        assert_int_equal(header.block_size, UINT32_C(1) << bit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_written_at_its_place),
        cmocka_unit_test(every_field_is_read_from_its_place),
        cmocka_unit_test(the_parent_is_written_at_its_place),
        cmocka_unit_test(a_written_header_is_read_back),
        cmocka_unit_test(a_wrong_cookie_is_found),
        cmocka_unit_test(any_byte_that_changed_is_found),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(odd_block_sizes_are_refused),
        cmocka_unit_test(every_power_of_two_from_512_is_a_block_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
