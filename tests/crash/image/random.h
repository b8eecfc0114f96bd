/* SPDX-License-Identifier: MIT */
/*
 * Random numbers by xorshift64*: the same in every run from the same seed.
 */
#pragma once

#include <stdint.h>

/* A number of 56 bits; changes *seed. */
static inline uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545F4914F6CDD1D) >> 8;
}

/* A number from 0 to below - 1. */
static inline uint32_t random_below(uint64_t *seed, uint32_t below)
{
    return (uint32_t)(random_next(seed) % below);
}
