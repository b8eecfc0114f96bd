/* SPDX-License-Identifier: MIT */
/*
 * A test for memory that holds one byte alone, over and over.
 */
#pragma once

#include <stdbool.h>
#include <string.h>

/*
 * Are all bytes this one? The loop over the first 16 bytes decides for most data. Then memcmp
 * compares each byte with the one 16 before it, at the speed of memory.
 */
static inline bool is_filled_with(unsigned char byte, const void *buf, size_t len)
{
    const unsigned char *bytes = buf;
    const size_t first = len < 16 ? len : 16;

    for (size_t i = 0; i < first; i++) {
        if (bytes[i] != byte)
            return false;
    }
    return len <= 16 || memcmp(bytes, bytes + 16, len - 16) == 0;
}

static inline bool is_zeros(const void *buf, size_t len)
{
    return is_filled_with(0, buf, len);
}
