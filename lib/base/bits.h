/* SPDX-License-Identifier: MIT */
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
static inline _Atomic uint64_t *bits_new(size_t count)
{
    return calloc(count / 64 + 1, sizeof(_Atomic uint64_t));
}

/* One bit. A set bit can publish other data. */
static inline bool bits_get(const _Atomic uint64_t *bits, size_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static inline void bits_set(_Atomic uint64_t *bits, size_t i)
{
    bits[i / 64] |= UINT64_C(1) << i % 64;
}

static inline void bits_clear(_Atomic uint64_t *bits, size_t i)
{
    bits[i / 64] &= ~(UINT64_C(1) << i % 64);
}
