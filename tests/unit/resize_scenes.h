/* SPDX-License-Identifier: MIT */
/*
 * Disks that get another size. A file that includes this has included cmocka.h before.
 */
#pragma once

#include "engine.h"

/* What is resized, and how. */
struct scene {
    const char *name;
    struct sample (*make)(void);
    uint64_t before, after;
    bool is_fixed, has_surplus;
};

static inline struct sample full(void)
{
    return sample_dynamic(1, 4);
}

/* The last block is half used, with garbage behind the end. */
static inline struct sample partial(void)
{
    struct sample sample = sample_dynamic(1, 4);
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE - 2048, 1);
    return sample;
}

/* Surplus entries: some that point at a block, some of noise. */
static inline struct sample surplus(void)
{
    struct sample sample = sample_dynamic(1, 4);
    sample_footers(&sample, SAMPLE_DYNAMIC, 3 * BLOCK, 1);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 100, BLOCK);
    put32(sample_entry(&sample, 7), 0x12345678);
    put32(sample_entry(&sample, 99), 8);
    return sample;
}

/* The last block and a half are zeros. */
static inline struct sample zeros_at_end(void)
{
    struct sample sample = sample_dynamic(1, 4);
    for (unsigned block = 2; block < 4; block++) {
        uint8_t *data = sample.bytes + get32(sample_entry(&sample, block)) * (size_t)512 + 512;
        const size_t keep = block == 2 ? 1536 : 0;
        memset(data + keep, 0, BLOCK - keep);
    }
    return sample;
}

static inline struct sample empty(void)
{
    return sample_dynamic(1, 0);
}

static inline struct sample fixed(void)
{
    return sample_fixed(1);
}

static inline struct sample fixed_zeros_at_end(void)
{
    struct sample sample = sample_fixed(1);
    memset(sample.bytes + 5000, 0, SAMPLE_SIZE - 5000);
    return sample;
}

/* Bytes that belong to nobody lie between disk and footer. */
static inline struct sample fixed_slack(void)
{
    struct sample sample = sample_of(SAMPLE_SIZE + 2048 + 512);
    sample_footer(sample_end(&sample), SAMPLE_FIXED, SAMPLE_SIZE, 1);
    return sample;
}

static const struct scene scenes[] = {
    {"the table has space", full, DISK, 100 * BLOCK, false, false},
    {"the table grows over blocks", full, DISK, 2000 * BLOCK + 512, false, false},
    {"the table grows over the footer", empty, DISK, 2000 * BLOCK, false, false},
    {"within the last block", partial, DISK - 2048, DISK - 512, false, false},
    {"beyond a partial block", partial, DISK - 2048, 200 * BLOCK, false, false},
    {"over surplus entries", surplus, 3 * BLOCK, 9 * BLOCK, false, true},
    {"the table grows over surplus blocks", surplus, 3 * BLOCK, 999 * BLOCK, false, true},
    {"smaller", zeros_at_end, DISK, 2 * BLOCK + 1536, false, false},
    {"smaller, within the last block", zeros_at_end, DISK, DISK - 512, false, false},
    {"fixed, larger", fixed, DISK, DISK + 9 * 512, true, false},
    {"fixed, smaller", fixed_zeros_at_end, DISK, 5120, true, false},
    {"fixed, over slack", fixed_slack, DISK, DISK + 9 * 512, true, false},
    {"fixed, to its footer", fixed_slack, DISK, DISK + 2048, true, false},
    {"fixed, into slack", fixed_slack, DISK, DISK + 512, true, false},
};
