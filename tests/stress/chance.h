/* SPDX-License-Identifier: MIT */
/*
 * Random numbers that depend on a seed alone, and lengths that often find faults: shorter than a
 * sector, not a multiple of one, across blocks, up to 4 MiB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample.h"

/* A number from 0 to n - 1. */
static inline uint64_t chance_below(uint64_t *seed, uint64_t n)
{
    return (sample_random(seed) >> 11) % n;
}

/* Returns true once in n times on average. */
static inline bool chance_one_in(uint64_t *seed, unsigned n)
{
    return chance_below(seed, n) == 0;
}

/*
 * Another seed that looks unrelated to the first. It is never 0, because the generator returns only
 * 0 from then on.
 */
static inline uint64_t chance_seed(uint64_t seed, uint64_t number)
{
    seed = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ (number + 1) * UINT64_C(0xD1B54A32D192ED03);
    seed = seed ? seed : 1;
    for (int i = 0; i < 4; i++)
        sample_random(&seed);
    return seed;
}

/* A length of 1 to most bytes. Short and long ones are equally frequent. */
static inline uint64_t chance_length(uint64_t *seed, uint64_t most)
{
    static const uint64_t ranges[] = {512, 4096, 4096, 65536, 65536, 262144, UINT64_C(4) << 20};
    uint64_t range = ranges[chance_below(seed, sizeof ranges / sizeof *ranges)];
    uint64_t len = 1 + chance_below(seed, range);

    if (chance_one_in(seed, 3)) {
        uint64_t unit = chance_one_in(seed, 2) ? 512 : 4096;
        len = (len + unit - 1) / unit * unit;
    }
    return len < most ? len : most;
}

/* Fill a buffer with random bytes. */
static inline void chance_fill(uint64_t *seed, uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = sample_random(seed);
        memcpy(buf + i, &word, len - i < 8 ? len - i : 8);
    }
}
