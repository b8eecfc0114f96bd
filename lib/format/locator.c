/* SPDX-License-Identifier: MIT */
#include "format/locator.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/rounding.h"
#include "base/utf.h"
#include "format/footer.h"

uint64_t vhd_locator_space(const struct vhd_locator *locator)
{
    uint64_t space = locator->data_space;

    if (space < VHD_SECTOR_SIZE)
        space *= VHD_SECTOR_SIZE;
    return space > locator->data_length ? space : locator->data_length;
}

void vhd_path_to_file(char *path)
{
    char *file = path;

    for (char *p = path; *p; p++) {
        if (*p == '/' || *p == '\\')
            file = p + 1;
    }
    memmove(path, file, strlen(file) + 1);
}

static void read_utf16(const uint8_t *data, size_t len, char *buf, size_t size)
{
    size_t count = len / 2;
    AUTO_FREE uint16_t *units = calloc(count + 1, sizeof *units);
    if (!units)
        return;
    for (size_t i = 0; i < count; i++)
        units[i] = (uint16_t)(data[2 * i] | data[2 * i + 1] << 8);
    vhd_utf16_to_utf8(units, count, buf, size);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* Decode each %XX of a URL. A truncated one and %00 stay as they are. */
static void decode_url(const char *data, size_t len, char *buf, size_t size)
{
    size_t out = 0;

    for (size_t i = 0; i < len && data[i] && out + 1 < size; i++) {
        int high = -1, low = -1;
        if (data[i] == '%' && i + 2 < len) {
            high = hex_digit(data[i + 1]);
            low = hex_digit(data[i + 2]);
        }
        if (high >= 0 && low >= 0 && (high | low) != 0) {
            buf[out++] = (char)(high << 4 | low);
            i += 2;
        } else {
            buf[out++] = data[i];
        }
    }
    buf[out] = 0;
}

void vhd_locator_file(uint32_t platform, const void *data, size_t len, char *buf, size_t size)
{
    buf[0] = 0;
    if (len > VHD_LOCATOR_MAX)
        return;
    size_t capacity = 2 * len + 1 > size ? 2 * len + 1 : size;
    AUTO_FREE char *path = calloc(capacity, 1);
    if (!path)
        return;
    if (platform == VHD_PLATFORM_W2RU || platform == VHD_PLATFORM_W2KU)
        read_utf16(data, len, path, capacity);
    else if (platform == VHD_PLATFORM_MACX)
        decode_url(data, len, path, capacity);
    vhd_path_to_file(path);
    size_t fits = strnlen(path, size - 1);
    while (fits > 0 && path[fits] && (path[fits] & 0xC0) == 0x80)
        fits--;
    memcpy(buf, path, fits);
    buf[fits] = 0;
}

/* Write a relative Windows path, UTF-16 little-endian. Returns its length in bytes. */
static size_t put_windows_path(const uint16_t *name, size_t units, uint8_t *out)
{
    size_t len = 0;

    for (const char *prefix = ".\\"; *prefix; prefix++) {
        out[len++] = (uint8_t)*prefix;
        out[len++] = 0;
    }
    for (size_t i = 0; i < units; i++) {
        out[len++] = (uint8_t)name[i];
        out[len++] = (uint8_t)(name[i] >> 8);
    }
    return len;
}

/* Write a URL, with %XX for each byte that RFC 2396 does not leave as it is. */
static size_t put_url(const char *file, uint8_t *out)
{
    static const char prefix[] = "file://./", plain[] = "-_.!~*'()", digits[] = "0123456789ABCDEF";
    size_t len = sizeof prefix - 1;

    memcpy(out, prefix, len);
    for (; *file; file++) {
        const uint8_t byte = (uint8_t)*file;
        if ((byte < 0x80 && isalnum(byte)) || strchr(plain, byte)) {
            out[len++] = byte;
        } else {
            out[len++] = '%';
            out[len++] = (uint8_t)digits[byte >> 4];
            out[len++] = (uint8_t)digits[byte & 15];
        }
    }
    return len;
}

int vhd_locators_encode(const char *file, uint64_t at, struct vhd_locators *ret)
{
    static const uint32_t platforms[] = {VHD_PLATFORM_MACX, VHD_PLATFORM_W2KU, VHD_PLATFORM_W2RU};
    static_assert(3 * NAME_MAX + 16 <= 1024, "a path takes at most two sectors");

    *ret = (struct vhd_locators){.length = 0};
    assert(strlen(file) <= NAME_MAX);
    const int units = vhd_utf8_to_utf16(file, ret->parent_name, VHD_NAME_UNITS);
    if (units < 0 || strchr(file, '\\'))
        return -EILSEQ;
    for (int i = 0; i < 3; i++) {
        uint8_t *data = ret->data + ret->length;
        size_t len = platforms[i] == VHD_PLATFORM_MACX
                         ? put_url(file, data)
                         : put_windows_path(ret->parent_name, (size_t)units, data);
        const uint32_t space = (uint32_t)round_up(len, VHD_SECTOR_SIZE);
        ret->entries[i] = (struct vhd_locator){
            .platform = platforms[i],
            .data_space = space,
            .data_length = (uint32_t)len,
            .data_offset = at + ret->length,
        };
        ret->length += space;
    }
    return 0;
}
