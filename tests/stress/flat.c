/* SPDX-License-Identifier: MIT */
#include "flat.h"

#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/rounding.h"
#include "sample.h"

enum { SECTOR = 512 };

/* An open image and the numbers in its header and footer. */
struct flat {
    const char *name;
    int fd;
    uint64_t length, size;
    uint32_t type;
    uint32_t block, blocks; /* bytes of a block's data; number of blocks */
    uint64_t bitmap;        /* bytes of a bitmap with its padding */
    uint64_t metadata_end;
    uint8_t *table;
    unsigned faults;
    uint64_t first_fault; /* byte of the disk */
};

/* Print a fault. The first one's position is the result. */
__attribute__((format(printf, 3, 4))) static void tell(struct flat *flat, uint64_t off,
                                                       const char *format, ...)
{
    va_list values;

    if (flat->faults == 0)
        flat->first_fault = off;
    if (flat->faults++ >= 10)
        return;
    fprintf(stderr, "%s: ", flat->name);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
}

static void get(const struct flat *flat, void *bytes, size_t len, uint64_t off)
{
    ssize_t n = pread(flat->fd, bytes, len, (off_t)off);
    if (n != (ssize_t)len)
        errx(EXIT_FAILURE, "%s: %zu bytes at %" PRIu64 " cannot be read", flat->name, len, off);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t raw;
    memcpy(&raw, at, sizeof raw);
    return be32toh(raw);
}

static uint64_t get64(const uint8_t *at)
{
    return (uint64_t)get32(at) << 32 | get32(at + 4);
}

static void read_header(struct flat *flat, uint64_t at)
{
    uint8_t header[1024];

    get(flat, header, sizeof header, at);
    if (memcmp(header, "cxsparse", 8) != 0)
        errx(EXIT_FAILURE, "%s: no header", flat->name);
    const uint64_t table = get64(header + 16), len = UINT64_C(4) * get32(header + 28);
    flat->block = get32(header + 32);
    flat->blocks = (uint32_t)div_round_up(flat->size, flat->block);
    flat->bitmap = round_up(div_round_up(flat->block / SECTOR, 8), SECTOR);
    flat->metadata_end = round_up(table + len, SECTOR);
    flat->table = malloc(len);
    if (!flat->table || len < UINT64_C(4) * flat->blocks)
        errx(EXIT_FAILURE, "%s: a table of %" PRIu64 " bytes", flat->name, len);
    get(flat, flat->table, len, table);
}

static void read_footer(struct flat *flat)
{
    uint8_t footer[SECTOR], sealed[SECTOR];

    get(flat, footer, sizeof footer, flat->length - SECTOR);
    memcpy(sealed, footer, sizeof footer);
    sample_seal_footer(sealed);
    if (memcmp(footer, "conectix", 8) != 0 || memcmp(footer, sealed, sizeof footer) != 0)
        errx(EXIT_FAILURE, "%s: no footer at its end", flat->name);
    flat->size = get64(footer + 48);
    flat->type = get32(footer + 60);
    if (flat->type == SAMPLE_FIXED)
        return;
    get(flat, sealed, sizeof sealed, 0);
    if (memcmp(footer, sealed, sizeof footer) != 0)
        tell(flat, 0, "the copy of the footer is another");
    read_header(flat, get64(footer + 16));
}

static struct flat flat_open(const char *path, const char *name)
{
    struct flat flat = {.name = name, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    struct stat attributes;

    if (flat.fd < 0 || fstat(flat.fd, &attributes) < 0)
        err(EXIT_FAILURE, "%s", path);
    flat.length = (uint64_t)attributes.st_size;
    read_footer(&flat);
    return flat;
}

static void flat_close(struct flat *flat)
{
    free(flat->table);
    close(flat->fd);
}

/* The offset of a block in the image; 0 if it is unallocated. */
static uint64_t block_at(const struct flat *flat, uint32_t number)
{
    uint32_t entry = get32(flat->table + (size_t)4 * number);
    return entry == UINT32_MAX ? 0 : (uint64_t)entry * SECTOR;
}

static bool is_set(const uint8_t *bitmap, uint32_t sector)
{
    return bitmap[sector / 8] >> (7 - sector % 8) & 1;
}

/* Copy the sectors of a block that have set bits over the parent's content. */
static void apply_block(const struct flat *flat, uint32_t number, const uint8_t *block,
                        uint8_t *content)
{
    const uint64_t at = (uint64_t)number * flat->block;

    for (uint32_t i = 0; i < flat->block / SECTOR && at + i * SECTOR < flat->size; i++) {
        if (is_set(block, i))
            memcpy(content + at + i * SECTOR, block + flat->bitmap + i * SECTOR, SECTOR);
    }
}

/*
 * A tidy block has no data under clear bits. In a differencing disk all bits of a byte are equal.
 */
static void judge_block(struct flat *flat, uint32_t number, const uint8_t *block)
{
    const uint32_t sectors = flat->block / SECTOR;
    const uint64_t at = (uint64_t)number * flat->block;

    for (uint32_t i = 0; i < sectors; i++) {
        static const uint8_t zeros[SECTOR];
        if (flat->type == SAMPLE_DIFFERENCING) {
            if (is_set(block, i) != is_set(block, i - i % 8))
                tell(flat, at + i * SECTOR, "block %" PRIu32 ": bit %" PRIu32 " is not as its byte",
                     number, i);
        } else if (!is_set(block, i) &&
                   memcmp(block + flat->bitmap + i * SECTOR, zeros, SECTOR) != 0) {
            tell(flat, at + i * SECTOR, "block %" PRIu32 ": data under clear bit %" PRIu32, number,
                 i);
        }
    }
}

static void apply(struct flat *flat, bool is_tidy, uint8_t *content)
{
    const uint64_t len = flat->bitmap + flat->block;
    AUTO_FREE uint8_t *block = malloc(len);

    if (!block)
        errx(EXIT_FAILURE, "out of memory");
    for (uint32_t i = 0; i < flat->blocks; i++) {
        const uint64_t at = block_at(flat, i);
        if (at == 0)
            continue;
        get(flat, block, len, at);
        apply_block(flat, i, block, content);
        if (is_tidy)
            judge_block(flat, i, block);
    }
}

static int compare_places(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

/* Blocks lie behind the metadata and do not overlap. The footer follows the last one. */
static void judge_places(struct flat *flat)
{
    const uint64_t len = flat->bitmap + flat->block;
    AUTO_FREE uint64_t *places = calloc(flat->blocks, sizeof *places);
    uint64_t end = flat->metadata_end;
    uint32_t count = 0;

    if (!places)
        errx(EXIT_FAILURE, "out of memory");
    for (uint32_t i = 0; i < flat->blocks; i++) {
        if (block_at(flat, i) > 0)
            places[count++] = block_at(flat, i);
    }
    qsort(places, count, sizeof *places, compare_places);
    for (uint32_t i = 0; i < count; i++) {
        if (places[i] < end)
            tell(flat, 0, "a block at %" PRIu64 ", where something else ends at %" PRIu64,
                 places[i], end);
        end = places[i] + len;
    }
    if (flat->length != end + SECTOR)
        tell(flat, 0, "it has %" PRIu64 " bytes, expected %" PRIu64, flat->length, end + SECTOR);
}

static void compare(struct flat *flat, const uint8_t *content, const uint8_t *expected)
{
    for (uint64_t off = 0; off < flat->size; off += SECTOR) {
        if (memcmp(content + off, expected + off, SECTOR) != 0)
            tell(flat, off,
                 "sector %" PRIu64 " is not what it was: %016" PRIx64 ", expected %016" PRIx64,
                 off / SECTOR, get64(content + off), get64(expected + off));
    }
}

uint64_t flat_check(const char *folder, const struct image_chain *chain, const uint8_t *expected,
                    uint64_t size, const char *name)
{
    AUTO_FREE uint8_t *content = calloc(1, size);
    uint64_t fault = FLAT_SOUND;

    if (!content)
        errx(EXIT_FAILURE, "out of memory");
    for (unsigned i = chain->count; i-- > 0;) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, chain->files[i]);
        struct flat flat = flat_open(path, name);
        if (flat.size != size)
            errx(EXIT_FAILURE, "%s: a disk of %" PRIu64 " bytes", path, flat.size);
        if (flat.type == SAMPLE_FIXED)
            get(&flat, content, size, 0);
        else
            apply(&flat, chain->is_tidy && i == 0, content);
        if (i == 0) {
            if (flat.type != SAMPLE_FIXED)
                judge_places(&flat);
            compare(&flat, content, expected);
            fault = flat.faults > 0 ? flat.first_fault : FLAT_SOUND;
        }
        flat_close(&flat);
    }
    return fault;
}
