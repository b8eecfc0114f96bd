/* SPDX-License-Identifier: MIT */
#include "base/utf.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { LEAD_SURROGATES = 0xD800, TRAIL_SURROGATES = 0xDC00, AFTER_SURROGATES = 0xE000 };

int32_t vhd_utf8_next(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    int32_t point, smallest;
    int more;

    if (p[0] == 0)
        return 0;
    if (p[0] < 0x80) {
        point = p[0], more = 0, smallest = 0;
    } else if (p[0] >= 0xC0 && p[0] < 0xE0) {
        point = p[0] & 0x1F, more = 1, smallest = 0x80;
    } else if (p[0] >= 0xE0 && p[0] < 0xF0) {
        point = p[0] & 0x0F, more = 2, smallest = 0x800;
    } else if (p[0] >= 0xF0 && p[0] < 0xF8) {
        point = p[0] & 0x07, more = 3, smallest = 0x10000;
    } else {
        return -EILSEQ;
    }
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return -EILSEQ;
        point = point << 6 | (p[i] & 0x3F);
    }
    if (point < smallest || point > 0x10FFFF)
        return -EILSEQ;
    if (point >= LEAD_SURROGATES && point < AFTER_SURROGATES)
        return -EILSEQ;
    *text += more + 1;
    return point;
}

size_t vhd_utf8_utf16_units(const char *text)
{
    size_t units = 0;

    while (*text) {
        int32_t point = vhd_utf8_next(&text);
        if (point < 0)
            text++;
        units += point > 0xFFFF ? 2 : 1;
    }
    return units;
}

int vhd_utf8_to_utf16(const char *text, uint16_t *units, size_t size)
{
    size_t count = 0;

    while (*text) {
        int32_t point = vhd_utf8_next(&text);
        if (point < 0)
            return -EILSEQ;
        assert(count + (point > 0xFFFF ? 2 : 1) <= size);
        if (point > 0xFFFF) {
            point -= 0x10000;
            units[count++] = (uint16_t)(LEAD_SURROGATES + (point >> 10));
            point = TRAIL_SURROGATES + (point & 0x3FF);
        }
        units[count++] = (uint16_t)point;
    }
    return (int)count;
}

static size_t utf8_put(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

void vhd_utf16_to_utf8(const uint16_t *units, size_t count, char *buf, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < count && units[i]; i++) {
        uint32_t point = units[i];
        if (point >= LEAD_SURROGATES && point < AFTER_SURROGATES) {
            uint32_t trail = i + 1 < count ? units[i + 1] : 0;
            if (point < TRAIL_SURROGATES && trail >= TRAIL_SURROGATES && trail < AFTER_SURROGATES) {
                point = 0x10000 + ((point - LEAD_SURROGATES) << 10) + (trail - TRAIL_SURROGATES);
                i++;
            } else {
                point = 0xFFFD;
            }
        }
        char bytes[4];
        size_t n = utf8_put(point, bytes);
        if (len + n >= size)
            break;
        memcpy(buf + len, bytes, n);
        len += n;
    }
    buf[len] = 0;
}
