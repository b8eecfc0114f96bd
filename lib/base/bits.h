/*
 * Arrays of bits that threads share: one atomic bit for each of very many things.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * An array of count bits, all clear; NULL when memory is short. Pages without set bits take no
 * memory.
 */
static inline uint64_t *bits_new(size_t count)
{
    return calloc(count / 64 + 1, sizeof(uint64_t));
}

/* One bit: reads acquire, changes release, so bits can publish other data. */
static inline bool bits_get(const uint64_t *bits, size_t i)
{
    return __atomic_load_n(&bits[i / 64], __ATOMIC_ACQUIRE) >> i % 64 & 1;
}

static inline void bits_set(uint64_t *bits, size_t i)
{
    __atomic_fetch_or(&bits[i / 64], UINT64_C(1) << i % 64, __ATOMIC_RELEASE);
}

static inline void bits_clear(uint64_t *bits, size_t i)
{
    __atomic_fetch_and(&bits[i / 64], ~(UINT64_C(1) << i % 64), __ATOMIC_RELEASE);
}
