/* SPDX-License-Identifier: MIT */
/*
 * Rounding of sizes. Callers pass values far below 2^63 (a disk has at most 2^41 bytes), so nothing
 * here wraps.
 */
#pragma once

#include <stdint.h>

/* n / step, rounded up. */
static inline uint64_t div_round_up(uint64_t n, uint64_t step)
{
    return (n + step - 1) / step;
}

/* The smallest multiple of step that is n or more. */
static inline uint64_t round_up(uint64_t n, uint64_t step)
{
    return div_round_up(n, step) * step;
}
