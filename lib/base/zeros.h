/*
 * Is a stretch of memory nothing but zeros?
 */
#pragma once

#include <stdbool.h>
#include <string.h>

/*
 * The first bytes are looked at one by one, which settles it for most data; that the rest is as the
 * stretch before it, memcmp tells at the speed of memory.
 */
static inline bool is_zeros(const void *buf, size_t len)
{
    const unsigned char *bytes = buf;
    const size_t first = len < 16 ? len : 16;

    for (size_t i = 0; i < first; i++) {
        if (bytes[i])
            return false;
    }
    return len <= 16 || memcmp(bytes, bytes + 16, len - 16) == 0;
}
