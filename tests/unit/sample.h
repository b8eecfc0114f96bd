/* SPDX-License-Identifier: MIT */
/*
 * Images made byte by byte from the specification, without the library's own format code, so that a
 * test alone decides their content.
 *
 * Small ones have blocks of 4 KiB: copy of the footer, header at 512, table at 1536, blocks,
 * footer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_FIXED = 2, SAMPLE_DYNAMIC = 3, SAMPLE_DIFFERENCING = 4 };

enum {
    SAMPLE_BLOCK = 4096,                /* data of a small image's block */
    SAMPLE_STRIDE = 512 + SAMPLE_BLOCK, /* with its bitmap */
    SAMPLE_BLOCKS = 4,
    SAMPLE_SIZE = SAMPLE_BLOCKS * SAMPLE_BLOCK,
    SAMPLE_HEADER = 512,
    SAMPLE_TABLE = 1536,
    SAMPLE_DATA = 2048, /* where the first block begins */
};

static inline void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

static inline void put64(uint8_t *at, uint64_t value)
{
    put32(at, (uint32_t)(value >> 32));
    put32(at + 4, (uint32_t)value);
}

static inline void sample_seal(uint8_t *at, size_t len, size_t checksum_at)
{
    uint32_t sum = 0;

    put32(at + checksum_at, 0);
    for (size_t i = 0; i < len; i++)
        sum += at[i];
    put32(at + checksum_at, ~sum);
}

/* Set the checksum of a footer, of a header. */
static inline void sample_seal_footer(uint8_t *footer)
{
    sample_seal(footer, 512, 64);
}

static inline void sample_seal_header(uint8_t *header)
{
    sample_seal(header, 1024, 36);
}

/* Write a footer, sealed; the identity is 16 times the given byte. */
static inline void sample_footer(uint8_t *at, uint32_t type, uint64_t size, uint8_t id)
{
    memset(at, 0, 512);
    memcpy(at, "conectix", 8);
    put32(at + 8, 2);
    put32(at + 12, 0x00010000);
    put64(at + 16, type == SAMPLE_FIXED ? UINT64_MAX : SAMPLE_HEADER);
    put32(at + 24, 0x12345678);
    memcpy(at + 28, "test", 4);
    put32(at + 32, 0x00020003);
    memcpy(at + 36, "Wi2k", 4);
    put64(at + 40, size);
    put64(at + 48, size);
    put16(at + 56, 90); /* some geometry, which is not the size */
    at[58] = 4;
    at[59] = 17;
    put32(at + 60, type);
    memset(at + 68, id, 16);
    sample_seal_footer(at);
}

/* Write a header, sealed. */
static inline void sample_header(uint8_t *at, uint64_t table, uint32_t entries, uint32_t block)
{
    memset(at, 0, 1024);
    memcpy(at, "cxsparse", 8);
    put64(at + 8, UINT64_MAX);
    put64(at + 16, table);
    put32(at + 24, 0x00010000);
    put32(at + 28, entries);
    put32(at + 32, block);
    sample_seal_header(at);
}

/* A parent for a header: identity and name, which is ASCII here; seals. */
static inline void sample_parent(uint8_t *header, uint8_t id, const char *name)
{
    memset(header + 40, id, 16);
    put32(header + 56, 0x11111111);
    memset(header + 64, 0, 512);
    for (size_t i = 0; name[i] && i < 256; i++)
        put16(header + 64 + 2 * i, (uint8_t)name[i]);
    sample_seal_header(header);
}

/* An image in memory. */
struct sample {
    uint8_t *bytes;
    size_t len; /* to move the end, change it and put a footer there */
};

/* The place of the footer. */
static inline uint8_t *sample_end(const struct sample *sample)
{
    return sample->bytes + sample->len - 512;
}

/* The place of a block's entry. */
static inline uint8_t *sample_entry(const struct sample *sample, unsigned block)
{
    return sample->bytes + SAMPLE_TABLE + 4 * block;
}

/* Write both footers again. */
static inline void sample_footers(const struct sample *sample, uint32_t type, uint64_t size,
                                  uint8_t id)
{
    sample_footer(sample->bytes, type, size, id);
    sample_footer(sample_end(sample), type, size, id);
}

/* Space for twice a small image, filled with bytes that belong to none. */
static inline struct sample sample_of(size_t len)
{
    struct sample sample = {malloc(len + SAMPLE_SIZE), len};
    if (!sample.bytes)
        abort();
    memset(sample.bytes, 0xEE, len + SAMPLE_SIZE);
    return sample;
}

/* A small fixed disk. */
static inline struct sample sample_fixed(uint8_t id)
{
    struct sample sample = sample_of(SAMPLE_SIZE + 512);
    sample_footer(sample_end(&sample), SAMPLE_FIXED, SAMPLE_SIZE, id);
    return sample;
}

/* A small dynamic disk with its first blocks allocated, in reverse order. */
static inline struct sample sample_dynamic(uint8_t id, unsigned allocated)
{
    struct sample sample = sample_of(SAMPLE_DATA + allocated * SAMPLE_STRIDE + 512);

    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, id);
    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, SAMPLE_BLOCKS, SAMPLE_BLOCK);
    memset(sample.bytes + SAMPLE_TABLE, 0xFF, 512);
    for (unsigned i = 0; i < allocated; i++) {
        unsigned at = SAMPLE_DATA + (allocated - 1 - i) * SAMPLE_STRIDE;
        put32(sample_entry(&sample, i), at / 512);
        memset(sample.bytes + at, 0xFF, 512);
    }
    return sample;
}

/* The same as a differencing disk. */
static inline struct sample sample_child(uint8_t id, uint8_t parent, const char *parent_name)
{
    struct sample sample = sample_dynamic(id, 1);
    sample_footers(&sample, SAMPLE_DIFFERENCING, SAMPLE_SIZE, id);
    sample_parent(sample.bytes + SAMPLE_HEADER, parent, parent_name);
    return sample;
}

/* Random numbers that are the same in every run: xorshift64*. */
static inline uint64_t sample_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545F4914F6CDD1D);
}

/*
 * Spoil an image within its first 2 KiB: some bytes change, mostly to values that make programs
 * stumble. In half of the cases the checksums are right again, so that the judges get past them. In
 * half of them the footer at the end is spoilt like its copy.
 */
static inline void sample_spoil(const struct sample *sample, uint64_t *seed)
{
    static const uint8_t odd[] = {0x00, 0xFF, 0x7F, 0x80, 0x01, 0xFE};
    unsigned changes = 1 + (unsigned)(sample_random(seed) % 6);

    for (unsigned i = 0; i < changes; i++) {
        uint64_t random = sample_random(seed);
        size_t at = random % 2048, run = random >> 20 & 1 ? 1 : 1 + (random >> 24) % 8;
        /* Most of it is padding, so the numbers are hit more often. */
        if (random >> 40 & 1)
            at = random >> 41 & 1 ? at % 96 : random >> 42 & 1 ? 512 + at % 64 : 1536 + at % 16;
        for (; run > 0 && at < 2048; run--, at++)
            sample->bytes[at] =
                random >> 50 & 1 ? odd[(random >> 51) % 6] : (uint8_t)(random >> 55);
    }
    uint64_t random = sample_random(seed);
    if (random & 1) {
        sample_seal_footer(sample->bytes);
        sample_seal_header(sample->bytes + SAMPLE_HEADER);
    }
    if (random & 2)
        memcpy(sample_end(sample), sample->bytes, 512);
}
