/* SPDX-License-Identifier: MIT */
/*
 * The content of a shared sector: 64 words. Each names its writer, the writer's sequence number,
 * the sector, and its own place there. So a word shows its origin, and a sector whether one write
 * filled it.
 */
#pragma once

#include <stdint.h>
#include <string.h>

enum { STAMP_SECTOR = 512, STAMP_WORDS = STAMP_SECTOR / 8 };

/* The value that names a write. It differs from HISTORY_ZERO and HISTORY_SETTLED. */
static inline uint64_t stamp_value(unsigned writer, uint64_t sequence, uint64_t sector)
{
    return (uint64_t)(writer + 1) << 56 | (sequence & 0xFFFFFFFF) << 24 | (sector & 0xFFFF) << 8;
}

/* The word at a place of a sector with this value; 0 for zeros. */
static inline uint64_t stamp_word_of(uint64_t value, unsigned place)
{
    return value == 0 ? 0 : value | place;
}

/* Fill a sector. */
static inline void stamp_sector(uint8_t *buf, uint64_t value)
{
    for (unsigned i = 0; i < STAMP_WORDS; i++) {
        uint64_t word = stamp_word_of(value, i);
        memcpy(buf + (size_t)8 * i, &word, sizeof word);
    }
}

static inline uint64_t stamp_word(const uint8_t *buf, unsigned place)
{
    uint64_t word;
    memcpy(&word, buf + (size_t)8 * place, sizeof word);
    return word;
}

/* The value of a word at a place; 0 if it is zero, 1 if it is no stamp for this place. */
static inline uint64_t stamp_of(uint64_t word, unsigned place)
{
    if (word == 0)
        return 0;
    return (word & 0xFF) == place ? word & ~UINT64_C(0xFF) : 1;
}
