/*
 * Random numbers that are the same in every run from the same seed: xorshift64*.
 */
#pragma once

#include <stdint.h>

static inline uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545F4914F6CDD1D) >> 8;
}

/* One of 0 to below - 1. */
static inline uint32_t random_below(uint64_t *seed, uint32_t below)
{
    return (uint32_t)(random_next(seed) % below);
}
