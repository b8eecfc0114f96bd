/* SPDX-License-Identifier: MIT */
/*
 * Big-endian numbers in bytes, and the checksum of a footer and a header. The maker and the reader
 * of images share these few functions. They use nothing of the library, because the library is on
 * trial.
 *
 * Source: VHD specification 1.0.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Write and read big-endian numbers. */
static inline void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline void put64(uint8_t *at, uint64_t value)
{
    put32(at, (uint32_t)(value >> 32));
    put32(at + 4, (uint32_t)value);
}

static inline uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint64_t get64(const uint8_t *at)
{
    return (uint64_t)get32(at) << 32 | get32(at + 4);
}

/* The checksum of len bytes. The four bytes at checksum_at count as zero. */
static inline uint32_t checksum_of(const uint8_t *bytes, size_t len, size_t checksum_at)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        if (i < checksum_at || i >= checksum_at + 4)
            sum += bytes[i];
    }
    return ~sum;
}

enum { FOOTER_CHECKSUM = 64, HEADER_CHECKSUM = 36, HEADER_SIZE = 1024 };
enum { TYPE_FIXED = 2, TYPE_DYNAMIC = 3, TYPE_DIFFERENCING = 4 };
#define NO_BLOCK UINT32_MAX
