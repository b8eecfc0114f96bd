/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/rounding.h"
#include "chance.h"

enum { SECTOR = 512, MOST_BLOCK = 2 << 20 };

/* Seconds from 1970 to 2000, when the format's time begins. */
#define FORMAT_EPOCH INT64_C(946684800)

/* The state of an image that is being made. */
struct image {
    int fd;
    uint32_t type;
    const struct image_plan *plan;
    uint64_t *seed;
    uint8_t *content;
    uint64_t table, end; /* end of the part that is written */
};

bool image_draw_plan(const char *kind, uint64_t *seed, struct image_plan *ret)
{
    bool is_small = chance_one_in(seed, 2);
    uint32_t block = is_small ? 512u << chance_below(seed, 8) : 65536u << chance_below(seed, 6);
    uint64_t most = is_small ? 256 * (uint64_t)block : UINT64_C(12) * MOST_BLOCK;
    struct image_plan plan = {.block = block, .is_tidy = chance_one_in(seed, 2)};

    if (strcmp(kind, "dynamic") == 0) {
        most = UINT64_C(16) * MOST_BLOCK;
        plan = (struct image_plan){.block = MOST_BLOCK, .is_tidy = true, .is_empty = true};
    } else if (strcmp(kind, "fixed") == 0) {
        plan.is_fixed = true;
    } else if (strcmp(kind, "chain") == 0) {
        plan.parents = 1 + (unsigned)chance_below(seed, IMAGE_CHAIN_MAX - 1);
        plan.is_fixed = chance_one_in(seed, 4);
    } else if (strcmp(kind, "partial") != 0) {
        return false;
    }
    /* The last block is usually shorter than the others. */
    plan.size = round_up(most / 2 + chance_below(seed, most / 2), SECTOR);
    *ret = plan;
    return true;
}

static void put(const struct image *image, const void *bytes, size_t len, uint64_t off)
{
    if (pwrite(image->fd, bytes, len, (off_t)off) != (ssize_t)len)
        err(EXIT_FAILURE, "writing an image");
}

/* Choose the set bits of a block, one byte each. */
static void draw_bits(const struct image *image, bool *bits, uint32_t count)
{
    const unsigned way = (unsigned)chance_below(image->seed, image->plan->is_tidy ? 3 : 4);
    bool bit = way == 0;

    for (uint32_t i = 0; i < count; i++) {
        if (way == 2 && i % 8 == 0)
            bit = chance_one_in(image->seed, 2);
        if (way == 3)
            bit = chance_one_in(image->seed, 3) ? !bit : bit;
        bits[i] = bit;
    }
}

/*
 * Fill a block and its part of the disk's content. In an untidy image, random bytes lie under clear
 * bits.
 */
static void fill_block(const struct image *image, uint8_t *block, const bool *bits, uint32_t number)
{
    const struct image_plan *plan = image->plan;
    const uint32_t sectors = plan->block / SECTOR,
                   bitmap = (uint32_t)round_up(div_round_up(sectors, 8), SECTOR);
    const uint64_t at = (uint64_t)number * plan->block;

    memset(block, 0, bitmap + plan->block);
    for (uint32_t i = 0; i < sectors; i++) {
        uint8_t *sector = block + bitmap + i * SECTOR;
        if (bits[i])
            block[i / 8] |= (uint8_t)(0x80 >> i % 8);
        if (bits[i] ? !chance_one_in(image->seed, 8) : !plan->is_tidy)
            chance_fill(image->seed, sector, SECTOR);
        if (at + i * SECTOR >= plan->size)
            continue;
        if (bits[i])
            memcpy(image->content + at + i * SECTOR, sector, SECTOR);
        else if (image->type == SAMPLE_DYNAMIC)
            memset(image->content + at + i * SECTOR, 0, SECTOR);
    }
}

/* Write one block behind the others, and its entry. */
static void add_block(struct image *image, uint32_t number)
{
    const uint32_t sectors = image->plan->block / SECTOR;
    const uint64_t len = round_up(div_round_up(sectors, 8), SECTOR) + image->plan->block;
    AUTO_FREE uint8_t *block = malloc(len);
    AUTO_FREE bool *bits = malloc(sectors * sizeof *bits);
    uint8_t entry[4];

    if (!block || !bits)
        errx(EXIT_FAILURE, "out of memory");
    draw_bits(image, bits, sectors);
    fill_block(image, block, bits, number);
    if (chance_one_in(image->seed, 3))
        image->end += SECTOR * chance_below(image->seed, 16);
    put(image, block, len, image->end);
    put32(entry, (uint32_t)(image->end / SECTOR));
    put(image, entry, sizeof entry, image->table + UINT64_C(4) * number);
    image->end += len;
}

/* Write about two of three blocks, in random order. */
static void add_blocks(struct image *image)
{
    const uint32_t count = (uint32_t)div_round_up(image->plan->size, image->plan->block);
    const uint32_t step = 1 + 2 * (uint32_t)chance_below(image->seed, count);
    const uint32_t power = UINT32_C(1) << (32 - __builtin_clz(count));

    for (uint32_t i = 0; i < power; i++) {
        uint32_t number = i * step % power;
        if (number < count && !chance_one_in(image->seed, 3))
            add_block(image, number);
    }
}

static void add_header(struct image *image, const char *parent, uint8_t parent_id,
                       uint32_t parent_time)
{
    const uint32_t count = (uint32_t)div_round_up(image->plan->size, image->plan->block);
    const uint32_t entries = count + (uint32_t)chance_below(image->seed, 4);
    const uint64_t len = round_up(UINT64_C(4) * entries, SECTOR);
    AUTO_FREE uint8_t *table = malloc(len);
    uint8_t header[1024];

    if (!table)
        errx(EXIT_FAILURE, "out of memory");
    image->table = 1536 + (image->plan->is_tidy ? 0 : SECTOR * chance_below(image->seed, 20));
    sample_header(header, image->table, entries, image->plan->block);
    if (parent) {
        sample_parent(header, parent_id, parent);
        put32(header + 56, parent_time);
        sample_seal_header(header);
    }
    put(image, header, sizeof header, SECTOR);
    memset(table, 0xFF, len);
    put(image, table, len, image->table);
    image->end = image->table + len;
}

static void add_flat(struct image *image)
{
    for (uint64_t off = 0; off < image->plan->size; off += SECTOR) {
        if (!chance_one_in(image->seed, 8))
            chance_fill(image->seed, image->content + off, SECTOR);
    }
    put(image, image->content, image->plan->size, 0);
    image->end = image->plan->size;
}

/* Make one image. On entry content is the parent's; on return it is this image's. */
static void make_one(struct image *image, const char *path, uint8_t id, const char *parent,
                     uint32_t parent_time)
{
    uint8_t footer[SECTOR];

    image->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (image->fd < 0)
        err(EXIT_FAILURE, "%s", path);
    sample_footer(footer, image->type, image->plan->size, id);
    if (image->type == SAMPLE_FIXED) {
        add_flat(image);
    } else {
        put(image, footer, sizeof footer, 0);
        add_header(image, parent, (uint8_t)(id + 1), parent_time);
        if (!image->plan->is_empty)
            add_blocks(image);
        if (chance_one_in(image->seed, 4))
            image->end += SECTOR * chance_below(image->seed, 64);
    }
    put(image, footer, sizeof footer, image->end);
    if (close(image->fd) < 0)
        err(EXIT_FAILURE, "%s", path);
}

/* The parent's time of change, as the child's header records it. */
static uint32_t format_time(const char *path)
{
    struct stat attributes;

    if (stat(path, &attributes) < 0)
        err(EXIT_FAILURE, "%s", path);
    return (uint32_t)(attributes.st_mtim.tv_sec - FORMAT_EPOCH);
}

void image_make(const char *folder, const char *name, const struct image_plan *plan, uint64_t *seed,
                uint8_t *content, struct image_chain *ret)
{
    struct image image = {.plan = plan, .seed = seed, .content = content};
    /* So that two disks of a store have different ids. */
    const uint8_t first_id = (uint8_t)((unsigned)*name % 8 * 32 + 1 + chance_below(seed, 28));
    char path[PATH_MAX];
    uint32_t parent_time = 0;

    memset(content, 0, plan->size);
    ret->count = plan->parents + 1;
    ret->is_tidy = plan->is_tidy;
    for (unsigned i = plan->parents + 1; i-- > 0;) {
        bool is_base = i == plan->parents;
        const char *parent = is_base ? NULL : ret->files[i + 1];
        image.type = !is_base         ? SAMPLE_DIFFERENCING
                     : plan->is_fixed ? SAMPLE_FIXED
                                      : SAMPLE_DYNAMIC;
        if (i == 0)
            snprintf(ret->files[i], sizeof ret->files[i], "%s.vhd", name);
        else
            snprintf(ret->files[i], sizeof ret->files[i], "%s-%u.vhd", name, i);
        snprintf(path, sizeof path, "%s/%s", folder, ret->files[i]);
        make_one(&image, path, (uint8_t)(first_id + i), parent, parent_time);
        parent_time = format_time(path);
    }
}
