#include "request/size.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

/* How much of a word is shown in a sentence. */
static int shown(size_t len)
{
    return (int)(len < 64 ? len : 64);
}

static enum vhd_result refuse_word(const char *word, size_t len, struct vhd_verdict *ret)
{
    return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                           "the size is \"%.*s\", expected a number of MB above 0, such as 4096, "
                           "or with suffix M, G or T",
                           shown(len), word);
}

static enum vhd_result judge(const char *word, size_t len, uint64_t bytes, struct vhd_verdict *ret)
{
    if (bytes == 0)
        return refuse_word(word, len, ret);
    if (bytes < VHD_SIZE_MIN_MB * VHD_MB)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_SMALL,
                               "the size is %.*s, expected at least %" PRId64 " MB", shown(len),
                               word, VHD_SIZE_MIN_MB);
    if (bytes > VHD_SIZE_MAX_MB * VHD_MB)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_LARGE,
                               "the size is %.*s, expected at most %" PRId64 " MB", shown(len),
                               word, VHD_SIZE_MAX_MB);
    return VHD_OK;
}

/* Bytes in one of what the suffix counts; 0 where it is none. */
static uint64_t unit_of(const char *suffix, size_t len)
{
    if (len == 0)
        return VHD_MB;
    if (len > 1)
        return 0;
    switch (*suffix) {
    case 'B':
        return 1;
    case 'M':
        return VHD_MB;
    case 'G':
        return VHD_MB << 10;
    case 'T':
        return VHD_MB << 20;
    default:
        return 0;
    }
}

enum vhd_result vhd_size_parse(const char *word, size_t len, uint64_t *ret_bytes,
                               struct vhd_verdict *ret)
{
    uint64_t number = 0, bytes;
    bool is_huge = false;
    size_t digits = 0;

    while (digits < len && word[digits] >= '0' && word[digits] <= '9') {
        unsigned digit = (unsigned)(word[digits++] - '0');
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, digit, &number))
            is_huge = true;
    }
    uint64_t unit = unit_of(word + digits, len - digits);
    if (digits == 0 || unit == 0)
        return refuse_word(word, len, ret);
    if (is_huge || __builtin_mul_overflow(number, unit, &bytes))
        bytes = UINT64_MAX;
    enum vhd_result result = judge(word, len, bytes, ret);
    if (result != VHD_OK)
        return result;
    if (bytes % 512 != 0)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the size is %.*s, expected a multiple of 512 bytes", (int)len,
                               word);
    *ret_bytes = bytes;
    return VHD_OK;
}

enum vhd_result vhd_size_judge_mb(int64_t mb, struct vhd_verdict *ret)
{
    char word[VHD_SIZE_TEXT];
    int len = snprintf(word, sizeof word, "%" PRId64, mb);

    if (mb <= 0)
        return refuse_word(word, (size_t)len, ret);
    uint64_t bytes = mb > VHD_SIZE_MAX_MB ? UINT64_MAX : (uint64_t)mb * VHD_MB;
    return judge(word, (size_t)len, bytes, ret);
}

void vhd_size_format(uint64_t bytes, char buf[VHD_SIZE_TEXT])
{
    if (bytes % VHD_MB == 0)
        snprintf(buf, VHD_SIZE_TEXT, "%" PRIu64, bytes / VHD_MB);
    else
        snprintf(buf, VHD_SIZE_TEXT, "%" PRIu64 "B", bytes);
}
