/* SPDX-License-Identifier: MIT */
#include "request/filesystem.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "request/size.h"

/* Length of the part of a text that a sentence shows. */
static int shown(size_t len)
{
    return (int)(len < 64 ? len : 64);
}

enum vhd_result vhd_format_parse(const char *text, size_t len, uint32_t *ret_bits,
                                 struct vhd_verdict *ret)
{
    if (len == 5 && memcmp(text, "fat16", 5) == 0)
        *ret_bits = 16;
    else if (len == 5 && memcmp(text, "fat32", 5) == 0)
        *ret_bits = 32;
    else
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the file system \"%.*s\" cannot be made; write fat16 or fat32, "
                               "such as \"4096 format=fat32\"",
                               shown(len), text);
    return VHD_OK;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The characters of a short name, and the blank. */
static bool is_allowed(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || (c && strchr(" !#$%&'()-@^_`{}~", c));
}

enum vhd_result vhd_label_parse(const char *text, size_t len, char ret_label[VHD_FAT_LABEL_MAX + 1],
                                struct vhd_verdict *ret)
{
    bool is_good = len > 0 && len <= VHD_FAT_LABEL_MAX && text[0] != ' ' && text[len - 1] != ' ';

    for (size_t i = 0; i < len && is_good; i++)
        is_good = is_allowed(text[i]);
    if (!is_good)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the label \"%.*s\" is not valid; write 1 to %d letters, digits or "
                               "characters of !#$%%&'()-@^_`{}~, such as label=DATA",
                               shown(len), text, VHD_FAT_LABEL_MAX);
    for (size_t i = 0; i < len; i++)
        ret_label[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]);
    ret_label[len] = 0;
    return VHD_OK;
}

enum vhd_result vhd_format_judge_size(uint32_t bits, uint64_t size, struct vhd_verdict *ret)
{
    char asked[VHD_SIZE_TEXT];

    vhd_size_describe(size, asked);
    if (bits == 16 && size < VHD_FAT16_SIZE_MIN)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_SMALL,
                               "the size is %s, but a disk with FAT16 has at least %" PRIu64 "B; "
                               "write a size such as 4 or 512",
                               asked, VHD_FAT16_SIZE_MIN);
    if (bits == 16 && size > VHD_FAT16_SIZE_MAX)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_LARGE,
                               "the size is %s, but a disk with FAT16 has at most 1999 MB; write a "
                               "smaller size, or format=fat32",
                               asked);
    if (bits == 32 && size < VHD_FAT32_SIZE_MIN)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_SMALL,
                               "the size is %s, but a disk with FAT32 has at least 514 MB; write a "
                               "larger size, or format=fat16",
                               asked);
    return VHD_OK;
}
