/*
 * What a shared sector is filled with: 64 words that each name the writer, what number this is of
 * its writes, the sector, and the word's place in it. So each word tells where it comes from, and a
 * sector whether it is the work of one write.
 */
#pragma once

#include <stdint.h>
#include <string.h>

enum { STAMP_SECTOR = 512, STAMP_WORDS = STAMP_SECTOR / 8 };

/* The value that names a write; never that of a history's other values. */
static inline uint64_t stamp_value(unsigned writer, uint64_t sequence, uint64_t sector)
{
    return (uint64_t)(writer + 1) << 56 | (sequence & 0xFFFFFFFF) << 24 | (sector & 0xFFFF) << 8;
}

/* The word at a place of a sector that a write filled; zeros stay zeros. */
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

/* The value that a word at a place tells; 0 where it is zero, 1 where it makes no sense there. */
static inline uint64_t stamp_of(uint64_t word, unsigned place)
{
    if (word == 0)
        return 0;
    return (word & 0xFF) == place ? word & ~UINT64_C(0xFF) : 1;
}
