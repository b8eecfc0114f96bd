/* SPDX-License-Identifier: MIT */
#include "format/bitmap.h"

#include <string.h>

static bool bit_of(const uint8_t *bits, uint32_t i)
{
    return bits[i / 8] >> (7 - i % 8) & 1;
}

/*
 * Skip whole bytes of this value, from bit i on, a multiple of 8. Returns the number of the bit
 * behind them.
 */
static uint32_t skip_bytes(const uint8_t *bits, uint32_t i, uint32_t end, uint8_t value)
{
    const uint64_t word = value ? UINT64_MAX : 0;
    uint64_t here;

    for (; i + 64 <= end; i += 64) {
        memcpy(&here, bits + i / 8, sizeof here);
        if (here != word)
            break;
    }
    while (i + 8 <= end && bits[i / 8] == value)
        i += 8;
    return i;
}

uint32_t vhd_bitmap_run(const uint8_t *bits, uint32_t first, uint32_t end, bool *ret_is_set)
{
    const bool is_set = bit_of(bits, first);
    uint32_t i = first + 1;

    *ret_is_set = is_set;
    while (i < end && bit_of(bits, i) == is_set) {
        i++;
        if (i % 8 == 0)
            i = skip_bytes(bits, i, end, is_set ? 0xFF : 0);
    }
    return i - first;
}

void vhd_bitmap_reverse(uint8_t *bits, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned byte = bits[i];
        byte = (byte & 0x0F) << 4 | byte >> 4;
        byte = (byte & 0x33) << 2 | (byte >> 2 & 0x33);
        bits[i] = (uint8_t)((byte & 0x55) << 1 | (byte >> 1 & 0x55));
    }
}
