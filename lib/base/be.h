/* SPDX-License-Identifier: MIT */
/*
 * Big-endian integers as they lie on disk, with one pair of functions each: beN_get() and beN_of().
 * Each wraps a byte array, so it has no alignment or padding. Use without conversion does not
 * compile.
 */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

struct be16 {
    uint8_t bytes[2];
};

struct be32 {
    uint8_t bytes[4];
};

struct be64 {
    uint8_t bytes[8];
};

static inline uint16_t be16_get(struct be16 be)
{
    uint16_t raw;
    memcpy(&raw, be.bytes, sizeof raw);
    return be16toh(raw);
}

static inline struct be16 be16_of(uint16_t value)
{
    struct be16 be;
    uint16_t raw = htobe16(value);
    memcpy(be.bytes, &raw, sizeof raw);
    return be;
}

static inline uint32_t be32_get(struct be32 be)
{
    uint32_t raw;
    memcpy(&raw, be.bytes, sizeof raw);
    return be32toh(raw);
}

static inline struct be32 be32_of(uint32_t value)
{
    struct be32 be;
    uint32_t raw = htobe32(value);
    memcpy(be.bytes, &raw, sizeof raw);
    return be;
}

static inline uint64_t be64_get(struct be64 be)
{
    uint64_t raw;
    memcpy(&raw, be.bytes, sizeof raw);
    return be64toh(raw);
}

static inline struct be64 be64_of(uint64_t value)
{
    struct be64 be;
    uint64_t raw = htobe64(value);
    memcpy(be.bytes, &raw, sizeof raw);
    return be;
}
