/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

enum { HEADER_AT = 1, TABLE_AT = 3, LOCATOR_SECTORS = 3 };

const char *const plan_parents[PLAN_PARENTS] = {PLAN_PARENT ".vhd", PLAN_OTHER ".vhd"};

/* An unfinished image: the file, and its end so far. */
struct draft {
    const struct plan *plan;
    struct content file, disk;
    const struct content *parent; /* the parent's values; NULL without a parent */
    uint8_t table[PLAN_BLOCKS * 4];
    uint32_t end;
};

static uint32_t bitmap_sectors(const struct plan *plan)
{
    return (plan->block_sectors + 8 * SECTOR - 1) / (8 * SECTOR);
}

static uint32_t entries_of(const struct plan *plan)
{
    return plan->entries ? plan->entries : plan->blocks;
}

static uint32_t table_sectors(const struct plan *plan)
{
    return (entries_of(plan) * 4 + SECTOR - 1) / SECTOR;
}

/* Write the footer. A parent has another UUID than its child. */
static uint32_t footer_of(const struct plan *plan, uint8_t id)
{
    uint8_t footer[SECTOR] = {0};
    uint64_t size = (uint64_t)plan_sectors(plan) * SECTOR;

    memcpy(footer, "conectix", 8);
    put32(footer + 8, 2);
    put32(footer + 12, 0x00010000);
    put64(footer + 16, plan->type == TYPE_FIXED ? UINT64_MAX : HEADER_AT * SECTOR);
    put32(footer + 24, 0x12345678);
    memcpy(footer + 28, "win ", 4);
    put32(footer + 32, 0x000A0000);
    memcpy(footer + 36, "Wi2k", 4);
    put64(footer + 40, size);
    put64(footer + 48, size);
    put32(footer + 56, 0x00010401); /* the smallest geometry that readers accept */
    put32(footer + 60, plan->type);
    memset(footer + 68, id, 16);
    put32(footer + FOOTER_CHECKSUM, checksum_of(footer, sizeof footer, FOOTER_CHECKSUM));
    return value_of(footer);
}

/* Write a relative Windows path behind the table, and its entry in the header. */
static void write_locator(struct draft *draft, uint8_t *entry, const char *parent)
{
    const uint32_t at = TABLE_AT + table_sectors(draft->plan);
    uint8_t path[SECTOR] = {'.', 0, '\\', 0};

    for (size_t i = 0; parent[i]; i++)
        path[4 + 2 * i] = (uint8_t)parent[i];
    draft->file.values[at] = value_of(path);
    memcpy(entry, "W2ru", 4);
    put32(entry + 4, LOCATOR_SECTORS * SECTOR);
    put32(entry + 8, 4 + 2 * (uint32_t)strlen(parent));
    put64(entry + 16, (uint64_t)at * SECTOR);
}

static void write_header(struct draft *draft, uint8_t parent_id)
{
    uint8_t header[HEADER_SIZE] = {0};
    const char *parent = plan_parents[0];

    memcpy(header, "cxsparse", 8);
    put64(header + 8, UINT64_MAX);
    put64(header + 16, TABLE_AT * SECTOR);
    put32(header + 24, 0x00010000);
    put32(header + 28, entries_of(draft->plan));
    put32(header + 32, draft->plan->block_sectors * SECTOR);
    if (plan_has_parent(draft->plan)) {
        memset(header + 40, parent_id, 16);
        put32(header + 56, 0x11111111);
        for (size_t i = 0; parent[i]; i++)
            header[64 + 2 * i + 1] = (uint8_t)parent[i];
    }
    if (draft->plan->has_locator)
        write_locator(draft, header + 576, parent);
    put32(header + HEADER_CHECKSUM, checksum_of(header, sizeof header, HEADER_CHECKSUM));
    draft->file.values[HEADER_AT] = value_of(header);
    draft->file.values[HEADER_AT + 1] = value_of(header + SECTOR);
}

/* The place of the next block's bitmap. */
static uint32_t next_slot(const struct draft *draft)
{
    uint32_t slot = draft->end;

    if (draft->plan->is_packed)
        return slot;
    for (slot++; (slot + bitmap_sectors(draft->plan)) % 8 != 0;)
        slot++;
    return slot;
}

/* Add one block, with fresh values where its bitmap has a bit. */
static void add_block(struct draft *draft, uint32_t block)
{
    const struct plan *plan = draft->plan;
    uint32_t slot = next_slot(draft), data = slot + bitmap_sectors(plan);
    uint8_t pattern = plan->bitmap ? plan->bitmap : 0xFF, bitmap[SECTOR];

    memset(bitmap, pattern, sizeof bitmap);
    draft->end = data + plan->block_sectors;
    content_resize(&draft->file, draft->end);
    for (uint32_t i = slot; i < data; i++)
        draft->file.values[i] = value_of(bitmap);
    for (uint32_t i = 0; i < plan->block_sectors; i++) {
        bool is_set = pattern >> (7 - i % 8) & 1;
        if (is_set || plan->has_rubbish)
            draft->file.values[data + i] = value_fresh();
        if (is_set)
            draft->disk.values[block * plan->block_sectors + i] = draft->file.values[data + i];
    }
    put32(draft->table + (size_t)block * 4, slot);
}

/* Add the blocks of a mask, from the last to the first, because their order in a file is free. */
static void add_blocks(struct draft *draft, uint64_t mask)
{
    memset(draft->table, 0xFF, sizeof draft->table);
    draft->end = TABLE_AT + table_sectors(draft->plan);
    if (draft->plan->has_locator)
        draft->end += LOCATOR_SECTORS;
    content_resize(&draft->file, draft->end);
    for (uint32_t block = draft->plan->blocks; block-- > 0;) {
        if (mask >> block & 1)
            add_block(draft, block);
    }
    uint8_t sector[SECTOR];
    memset(sector, 0xFF, sizeof sector);
    for (uint32_t i = 1; i < table_sectors(draft->plan); i++)
        draft->file.values[TABLE_AT + i] = value_of(sector);
    memcpy(sector, draft->table, sizeof draft->table);
    draft->file.values[TABLE_AT] = value_of(sector);
}

static void make_sparse(struct draft *draft, uint64_t mask, uint8_t id, uint8_t parent_id)
{
    uint32_t footer = footer_of(draft->plan, id);

    add_blocks(draft, mask);
    write_header(draft, parent_id);
    content_resize(&draft->file, draft->end + 1);
    draft->file.values[0] = draft->file.values[draft->end] = footer;
}

static void make_fixed(struct draft *draft, uint8_t id)
{
    for (uint32_t i = 0; i < draft->disk.count; i++)
        draft->disk.values[i] = value_fresh();
    draft->file = content_copy(&draft->disk);
    content_resize(&draft->file, draft->disk.count + 1);
    draft->file.values[draft->disk.count] = footer_of(draft->plan, id);
}

static struct draft draft_of(const struct plan *plan, const struct content *parent)
{
    struct draft draft = {.plan = plan, .parent = parent};

    if (plan->blocks > PLAN_BLOCKS)
        errx(EXIT_FAILURE, "a plan of more than %d blocks", PLAN_BLOCKS);
    if (parent)
        draft.disk = content_copy(parent);
    else
        content_resize(&draft.disk, plan_sectors(plan));
    return draft;
}

struct made plan_make(const struct plan *plan)
{
    const uint8_t id = 0x11, parent_id = 0x22;
    struct made made = {.file = {NULL, 0}};
    const struct plan parent_plan = {
        .type = TYPE_DYNAMIC,
        .block_sectors = plan->block_sectors,
        .blocks = plan->blocks,
    };

    if (plan_has_parent(plan)) {
        struct draft parent = draft_of(&parent_plan, NULL);
        make_sparse(&parent, plan->parent_blocks, parent_id, 0);
        made.parent_file = parent.file;
        made.parent_disk = parent.disk;
    }
    struct draft draft = draft_of(plan, plan_has_parent(plan) ? &made.parent_disk : NULL);
    if (plan->type == TYPE_FIXED)
        make_fixed(&draft, id);
    else
        make_sparse(&draft, (UINT64_C(1) << plan->allocated) - 1, id, parent_id);
    made.file = draft.file;
    made.disk = draft.disk;
    return made;
}

void made_free(struct made *made)
{
    content_free(&made->file);
    content_free(&made->disk);
    content_free(&made->parent_file);
    content_free(&made->parent_disk);
}
