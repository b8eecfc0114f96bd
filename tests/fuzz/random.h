/* SPDX-License-Identifier: MIT */
/*
 * Random numbers that depend on a seed alone, so that a harmful input can be made again.
 */
#pragma once

#include <stdint.h>

/* The next number; the seed, not 0, goes on. Source: Vigna, xorshift64*. */
static inline uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545F4914F6CDD1D);
}
