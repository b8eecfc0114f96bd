/* SPDX-License-Identifier: MIT */
/*
 * A target: the block allocation table, the locators and the blocks of an image whose footer and
 * header are sound. The store is the folder in VHD_FUZZ_STORE.
 *
 *     byte 0       log2 of the block size over 512 bytes, modulo 7; 6 stands for 2 MiB
 *     byte 1       the number of blocks less one, modulo 64
 *     byte 2       bit 0: differencing; bit 1: no footer at the end; bit 2: the table at the end
 *     byte 3       the number of table entries that follow, modulo the blocks and one
 *     entries      2 bytes each: a sector, 0xFFFF for none
 *     the rest     the file from the end of the table on; of a differencing disk, first its eight
 *                  locators, 12 bytes each
 */
#include "target.h"

#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "format/block.h"
#include "format/footer.h"
#include "format/header.h"
#include "harness.h"

#define FILE_MAX  ((size_t)1 << 18)
#define HEADER_AT VHD_FOOTER_SIZE
#define TABLE_AT  (HEADER_AT + VHD_HEADER_SIZE)

/* Not yet used bytes of the input; zeros after its end. */
struct input {
    const uint8_t *bytes;
    size_t len;
};

static uint32_t number(struct input *input, size_t width)
{
    uint32_t value = 0;

    for (size_t i = 0; i < width; i++) {
        value = value << 8 | (input->len > 0 ? *input->bytes : 0);
        input->bytes += input->len > 0;
        input->len -= input->len > 0;
    }
    return value;
}

static void put_locators(struct input *input, struct vhd_header *header)
{
    static const uint32_t platforms[] = {0x57327275, 0x57326B75, 0x4D616358, 0};

    for (int i = 0; i < VHD_LOCATORS; i++) {
        header->locators[i].platform = platforms[number(input, 1) % 4];
        header->locators[i].data_space = number(input, 3);
        header->locators[i].data_length = number(input, 4);
        header->locators[i].data_offset = number(input, 4);
    }
}

/* Returns the length of the image. */
static size_t make_image(struct input input, uint8_t file[FILE_MAX])
{
    const uint32_t shift = number(&input, 1) % 7, blocks = number(&input, 1) % 64 + 1;
    const uint32_t block_size = shift == 6 ? VHD_BLOCK_DEFAULT : 512u << shift;
    const uint32_t how = number(&input, 1), entries = number(&input, 1) % (blocks + 1);
    const bool is_child = how & 1;
    struct vhd_footer footer = vhd_footer_of(is_child ? VHD_TYPE_DIFFERENCING : VHD_TYPE_DYNAMIC,
                                             (uint64_t)block_size * blocks, 1);
    struct vhd_header header = {.max_entries = blocks, .block_size = block_size};
    struct vhd_footer_disk footer_bytes;
    struct vhd_header_disk header_bytes;
    uint8_t table[VHD_SECTOR_SIZE]; /* 128 entries */
    size_t end = TABLE_AT;

    footer.uuid[0] = 1;
    memset(table, 0xFF, sizeof table);
    for (uint32_t i = 0; i < entries; i++) {
        const uint32_t sector = number(&input, 2);
        harness_put32(table + i * 4, sector == 0xFFFF ? VHD_UNALLOCATED : sector);
    }
    if (is_child)
        put_locators(&input, &header);
    const size_t table_length = sizeof table;
    header.table_offset = TABLE_AT;
    if (!(how & 4)) {
        memcpy(file + end, table, table_length);
        end += table_length;
    }
    const size_t space = FILE_MAX - VHD_FOOTER_SIZE - table_length - end;
    const size_t rest = input.len < space ? input.len : space;
    memcpy(file + end, input.bytes, rest);
    end += rest;
    if (how & 4) {
        header.table_offset = end;
        memcpy(file + end, table, table_length);
        end += table_length;
    }
    vhd_footer_encode(&footer, &footer_bytes);
    vhd_header_encode(&header, &header_bytes);
    memcpy(file, &footer_bytes, sizeof footer_bytes);
    memcpy(file + HEADER_AT, &header_bytes, sizeof header_bytes);
    if (how & 2)
        return end;
    memcpy(file + end, &footer_bytes, sizeof footer_bytes);
    return end + sizeof footer_bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct harness *harness;
    static uint8_t file[FILE_MAX];

    if (!harness)
        harness = harness_new(getenv("VHD_FUZZ_STORE") ? getenv("VHD_FUZZ_STORE") : ".");
    harness_use(harness, file, make_image((struct input){bytes, len}, file));
    return 0;
}
