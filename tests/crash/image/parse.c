/* SPDX-License-Identifier: MIT */
#include "parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

/* An image being read. */
struct reading {
    const struct content *file;
    const struct plan *plan;
    const struct made *made;
    uint32_t header;           /* sector of the header that counts */
    uint32_t table, table_end; /* first sector, and the one behind the last */
    uint32_t bitmap_sectors;
    struct parsed *ret;
};

static bool fault(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Record a fault. Returns false, so that a check is one line. */
static bool fault(struct reading *reading, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(reading->ret->fault, sizeof reading->ret->fault, format, list);
    va_end(list);
    return false;
}

static const uint8_t *sector_of(const struct reading *reading, uint32_t sector)
{
    return value_bytes(reading->file->values[sector]);
}

/* Is a sector a footer of this disk? */
static bool is_footer(const struct reading *reading, uint32_t sector)
{
    const uint8_t *bytes = sector_of(reading, sector);
    uint64_t size = (uint64_t)plan_sectors(reading->plan) * SECTOR;

    return memcmp(bytes, "conectix", 8) == 0 &&
           get32(bytes + FOOTER_CHECKSUM) == checksum_of(bytes, SECTOR, FOOTER_CHECKSUM) &&
           get32(bytes + 12) == 0x00010000 && get64(bytes + 48) == size &&
           get32(bytes + 60) == reading->plan->type;
}

/* Are two footers equal, but in a differencing disk for the place of the header? */
static bool is_same_footer(const struct reading *reading, uint32_t a, uint32_t b)
{
    uint8_t one[SECTOR], other[SECTOR];

    if (!plan_has_parent(reading->plan))
        return reading->file->values[a] == reading->file->values[b];
    memcpy(one, sector_of(reading, a), SECTOR);
    memcpy(other, sector_of(reading, b), SECTOR);
    memset(one + 16, 0, 8);
    memset(other + 16, 0, 8);
    put32(one + FOOTER_CHECKSUM, 0);
    put32(other + FOOTER_CHECKSUM, 0);
    return memcmp(one, other, SECTOR) == 0;
}

static bool check_footers(struct reading *reading)
{
    uint32_t end = reading->file->count - 1;

    if (reading->file->count < 4)
        return fault(reading, "I1: the file has %u sectors", reading->file->count);
    if (!is_footer(reading, 0))
        return fault(reading, "I1: no footer at the start");
    reading->ret->has_tail = is_footer(reading, end);
    if (reading->ret->has_tail && !is_same_footer(reading, 0, end))
        return fault(reading, "I7: the footer at the end is another than its copy");
    return true;
}

/* Is this UTF-16 the name of a parent, or ".\\" and the name? Returns its number, or -1. */
static int parent_of(const uint8_t *units, uint32_t low, uint32_t prefix)
{
    for (int number = 0; number < PLAN_PARENTS; number++) {
        const char *file = plan_parents[number];
        size_t i = 0;
        for (; file[i] && units[2 * (prefix + i) + low] == (uint8_t)file[i]; i++)
            continue;
        if (!file[i])
            return number;
    }
    return -1;
}

/* The name in the header, and the one in the locator, if there is one, mean the same parent. */
static bool check_parent(struct reading *reading, const uint8_t *header, uint32_t *ret)
{
    int number = parent_of(header + 64, 1, 0);

    if (number < 0)
        return fault(reading, "I1: the header names no parent");
    for (size_t i = 0; i < 8; i++) {
        const uint8_t *entry = header + 576 + 24 * i;
        const uint64_t at = get64(entry + 16) / SECTOR;
        if (memcmp(entry, "W2ru", 4) != 0)
            continue;
        if (at >= reading->file->count)
            return fault(reading, "I1: a locator lies outside the file");
        if (parent_of(sector_of(reading, (uint32_t)at), 0, 2) != number)
            return fault(reading, "I1: a locator names another parent than the header");
    }
    *ret = (uint32_t)number;
    return true;
}

/* Check the header that a footer leads to. The one of the tail counts, so it is checked last. */
static bool check_header(struct reading *reading, uint32_t footer)
{
    uint8_t header[HEADER_SIZE];
    uint64_t at = get64(sector_of(reading, footer) + 16) / SECTOR;

    if (at + 2 > reading->file->count)
        return fault(reading, "I1: the header lies outside the file");
    reading->header = (uint32_t)at;
    memcpy(header, sector_of(reading, (uint32_t)at), SECTOR);
    memcpy(header + SECTOR, sector_of(reading, (uint32_t)at + 1), SECTOR);
    if (memcmp(header, "cxsparse", 8) != 0 ||
        get32(header + HEADER_CHECKSUM) != checksum_of(header, HEADER_SIZE, HEADER_CHECKSUM))
        return fault(reading, "I1: no header");
    if (get32(header + 28) < reading->plan->blocks)
        return fault(reading, "I1: the table is smaller than the disk");
    if (get32(header + 32) != reading->plan->block_sectors * SECTOR)
        return fault(reading, "I1: the block size is %u", get32(header + 32));
    reading->table = (uint32_t)(get64(header + 16) / SECTOR);
    reading->table_end = reading->table + (get32(header + 28) * 4 + SECTOR - 1) / SECTOR;
    if (reading->table_end > reading->file->count)
        return fault(reading, "I1: the table ends outside the file");
    return !plan_has_parent(reading->plan) || check_parent(reading, header, &reading->ret->parent);
}

static bool check_headers(struct reading *reading)
{
    return check_header(reading, 0) &&
           (!reading->ret->has_tail || check_header(reading, reading->file->count - 1));
}

static void read_table(struct reading *reading)
{
    for (uint32_t i = 0; i < reading->plan->blocks; i++) {
        uint32_t byte = i * 4;
        reading->ret->entries[i] =
            get32(sector_of(reading, reading->table + byte / SECTOR) + byte % SECTOR);
    }
}

/* The sectors of a slot, its bitmap included. */
static uint32_t slot_sectors(const struct reading *reading)
{
    return reading->bitmap_sectors + reading->plan->block_sectors;
}

static bool check_places(struct reading *reading)
{
    const uint32_t *entries = reading->ret->entries;

    for (uint32_t i = 0; i < reading->plan->blocks; i++) {
        if (entries[i] == NO_BLOCK)
            continue;
        if (entries[i] < reading->table_end)
            return fault(reading, "I3: block %u lies over the metadata", i);
        if (entries[i] < reading->header + 2 &&
            reading->header < entries[i] + slot_sectors(reading))
            return fault(reading, "I3: block %u lies over the header", i);
        if ((uint64_t)entries[i] + slot_sectors(reading) > reading->file->count - 1)
            return fault(reading, "I3: block %u at %u ends outside the file of %u", i, entries[i],
                         reading->file->count);
        for (uint32_t other = 0; other < i; other++) {
            uint32_t low = entries[i] < entries[other] ? entries[i] : entries[other];
            uint32_t high = entries[i] < entries[other] ? entries[other] : entries[i];
            if (high != NO_BLOCK && high - low < slot_sectors(reading))
                return fault(reading, "I4: blocks %u and %u lie over each other", other, i);
        }
    }
    return true;
}

static bool is_set(const struct reading *reading, uint32_t slot, uint32_t sector)
{
    uint32_t byte = sector / 8;
    return sector_of(reading, slot + byte / SECTOR)[byte % SECTOR] >> (7 - sector % 8) & 1;
}

/* Is a block still in the slot where the maker put it? */
static bool is_as_made(const struct reading *reading, uint32_t block)
{
    uint32_t byte = block * 4;
    const uint32_t *values = reading->made->file.values;
    return get32(value_bytes(values[reading->table + byte / SECTOR]) + byte % SECTOR) ==
           reading->ret->entries[block];
}

/* I6: zeros alone lie under clear bits. I3: blocks of the library have no clear bits. */
static bool check_dynamic_bits(struct reading *reading, uint32_t block)
{
    uint32_t slot = reading->ret->entries[block];
    bool is_foreign = reading->plan->bitmap && is_as_made(reading, block);

    for (uint32_t i = 0; i < reading->plan->block_sectors; i++) {
        if (is_set(reading, slot, i))
            continue;
        if (!(is_foreign && reading->plan->has_rubbish) &&
            reading->file->values[slot + reading->bitmap_sectors + i] != VALUE_ZERO)
            return fault(reading, "I6: block %u: data under the clear bit %u", block, i);
        if (!is_foreign)
            return fault(reading, "I3: block %u is in the table, its bitmap is not set", block);
    }
    return true;
}

/* I8: bits are set in whole bytes. */
static bool check_differencing_bits(struct reading *reading, uint32_t block)
{
    uint32_t slot = reading->ret->entries[block];

    for (uint32_t i = 0; i < reading->plan->block_sectors; i++) {
        if (is_set(reading, slot, i) != is_set(reading, slot, i / 8 * 8))
            return fault(reading, "I8: block %u: the byte of sector %u is partly set", block, i);
    }
    return true;
}

static bool check_bits(struct reading *reading)
{
    for (uint32_t i = 0; i < reading->plan->blocks; i++) {
        if (reading->ret->entries[i] == NO_BLOCK)
            continue;
        bool is_good = plan_has_parent(reading->plan) ? check_differencing_bits(reading, i)
                                                      : check_dynamic_bits(reading, i);
        if (!is_good)
            return false;
    }
    return true;
}

/* The value of a sector of the disk. */
static uint32_t value_at(const struct reading *reading, uint32_t sector)
{
    uint32_t slot = reading->ret->entries[sector / reading->plan->block_sectors];
    uint32_t inside = sector % reading->plan->block_sectors;

    if (slot != NO_BLOCK && is_set(reading, slot, inside))
        return reading->file->values[slot + reading->bitmap_sectors + inside];
    return plan_has_parent(reading->plan) ? reading->made->parent_disk.values[sector] : VALUE_ZERO;
}

static bool parse_fixed(struct reading *reading)
{
    uint32_t sectors = plan_sectors(reading->plan);

    if (reading->file->count != sectors + 1)
        return fault(reading, "I1: a fixed disk's file of %u sectors", reading->file->count);
    reading->ret->has_tail = is_footer(reading, sectors);
    content_resize(&reading->ret->disk, sectors);
    memcpy(reading->ret->disk.values, reading->file->values,
           sectors * sizeof *reading->file->values);
    return true;
}

bool parse(const struct content *file, const struct plan *plan, const struct made *made,
           struct parsed *ret)
{
    struct reading reading = {
        .file = file,
        .plan = plan,
        .made = made,
        .bitmap_sectors = (plan->block_sectors + 8 * SECTOR - 1) / (8 * SECTOR),
        .ret = ret,
    };

    *ret = (struct parsed){.has_tail = false};
    if (plan->type == TYPE_FIXED)
        return parse_fixed(&reading);
    if (!check_footers(&reading) || !check_headers(&reading))
        return false;
    read_table(&reading);
    if (!check_places(&reading) || !check_bits(&reading))
        return false;
    content_resize(&ret->disk, plan_sectors(plan));
    for (uint32_t i = 0; i < plan_sectors(plan); i++)
        ret->disk.values[i] = value_at(&reading, i);
    return true;
}
