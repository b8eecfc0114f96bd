/* SPDX-License-Identifier: MIT */
#include "request/size.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A size taken apart, still as text. */
struct reading {
    const char *text;
    size_t len;
    size_t whole;    /* digits before the point */
    size_t fraction; /* digits after it */
    bool has_point;
    const char *unit;
    size_t unit_len;
};

/* Length of the part of a text that a sentence shows. */
static int shown(size_t len)
{
    return (int)(len < 64 ? len : 64);
}

static enum vhd_result refuse_text(const char *text, size_t len, struct vhd_verdict *ret)
{
    return vhd_verdict_set(
        ret, VHD_INVALID_ARGUMENT,
        "the size \"%.*s\" is not valid; write a number of MB above 0, such as 4096, "
        "or a number with a unit, B, M, G or T, such as 1.5G",
        shown(len), text);
}

static enum vhd_result judge(const char *text, size_t len, bool has_unit, uint64_t bytes,
                             struct vhd_verdict *ret)
{
    const char *counted = has_unit ? "" : " MB";

    if (bytes < VHD_SIZE_MIN_MB * VHD_MB)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_SMALL,
                               "the size is %.*s%s, but a disk has at least %" PRId64
                               " MB; write a size such as 4096 or 4G",
                               shown(len), text, counted, VHD_SIZE_MIN_MB);
    if (bytes > VHD_SIZE_MAX_MB * VHD_MB)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_LARGE,
                               "the size is %.*s%s, but a disk has at most %" PRId64
                               " MB (2040 GB); write a smaller size%s",
                               shown(len), text, counted, VHD_SIZE_MAX_MB,
                               has_unit ? "" : ", or a number of bytes, such as 4294967296B");
    return VHD_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The number of digits at the start of a text. */
static size_t digits_of(const char *text, size_t len)
{
    size_t count = 0;

    while (count < len && text[count] >= '0' && text[count] <= '9')
        count++;
    return count;
}

/*
 * Take a text apart: digits, an optional point with digits, optional blanks, and the rest as unit.
 */
static struct reading split_size(const char *text, size_t len)
{
    struct reading reading = {.text = text, .len = len, .whole = digits_of(text, len)};
    size_t at = reading.whole;

    if (at > 0 && at < len && text[at] == '.') {
        reading.has_point = true;
        reading.fraction = digits_of(text + at + 1, len - at - 1);
        at += 1 + reading.fraction;
    }
    while (at + 1 < len && is_blank(text[at]))
        at++;
    reading.unit = text + at;
    reading.unit_len = len - at;
    return reading;
}

/* Bytes of one unit; 0 if the text is no unit. */
static uint64_t unit_of(const char *unit, size_t len)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {
        {"B", 1},
        {"M", VHD_MB},
        {"MB", VHD_MB},
        {"MiB", VHD_MB},
        {"G", VHD_MB << 10},
        {"GB", VHD_MB << 10},
        {"GiB", VHD_MB << 10},
        {"T", VHD_MB << 20},
        {"TB", VHD_MB << 20},
        {"TiB", VHD_MB << 20},
    };

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, unit, len) == 0)
            return units[i].bytes;
    }
    return 0;
}

bool vhd_size_is_unit(const char *word, size_t len)
{
    return unit_of(word, len) != 0;
}

/* Judge the parts of a size. A fraction needs a unit. */
static enum vhd_result judge_syntax(const struct reading *reading, struct vhd_verdict *ret)
{
    const int len = shown(reading->len);

    if (reading->whole == 0 || (reading->has_point && reading->fraction == 0))
        return refuse_text(reading->text, reading->len, ret);
    if (reading->unit_len == 0 && reading->has_point)
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "the size \"%.*s\" is a fraction without a unit; write M, G or T behind it, "
            "such as 1.5G",
            len, reading->text);
    if (reading->unit_len > 0 && reading->unit[0] == ',')
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "the size \"%.*s\" has a comma; write digits alone, such as 4096, and a "
            "point before a fraction, such as 1.5G",
            len, reading->text);
    if (reading->unit_len > 0 && unit_of(reading->unit, reading->unit_len) == 0)
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "the size \"%.*s\" ends in \"%.*s\", which is not a unit; write B, M, G, "
            "T, MB, GB, TB, MiB, GiB or TiB, such as 4096M",
            len, reading->text, shown(reading->unit_len), reading->unit);
    return VHD_OK;
}

/* Are all digits 0? */
static bool is_zero(const struct reading *reading)
{
    for (size_t i = 0; i < reading->whole + reading->has_point + reading->fraction; i++) {
        if (reading->text[i] != '0' && reading->text[i] != '.')
            return false;
    }
    return true;
}

/* The whole part in bytes; UINT64_MAX if 64 bits are too few. */
static uint64_t whole_bytes(const struct reading *reading, uint64_t unit)
{
    uint64_t number = 0;

    for (size_t i = 0; i < reading->whole; i++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (unsigned)(reading->text[i] - '0'), &number))
            return UINT64_MAX;
    }
    return __builtin_mul_overflow(number, unit, &number) ? UINT64_MAX : number;
}

/* Double a decimal fraction in place. Returns the carry into the whole part, 1 or 0. */
static unsigned double_fraction(uint8_t *digits, size_t count)
{
    unsigned carry = 0;

    for (size_t i = count; i > 0; i--) {
        unsigned doubled = 2u * digits[i - 1] + carry;
        digits[i - 1] = (uint8_t)(doubled % 10);
        carry = doubled / 10;
    }
    return carry;
}

/*
 * The fraction in bytes, rounded down. A unit is a power of two, so each doubling gives one bit.
 *
 *   ret_is_exact  receives whether the rounding lost nothing
 */
static uint64_t fraction_bytes(const struct reading *reading, uint64_t unit, bool *ret_is_exact)
{
    /* No unit has 64 bits, and each bit removes one digit at most: more digits are never exact. */
    enum { DIGITS_MAX = 64 };
    const char *text = reading->text + reading->whole + 1;
    uint8_t digits[DIGITS_MAX];
    uint64_t bytes = 0;
    size_t count = reading->fraction;

    while (count > 0 && text[count - 1] == '0')
        count--;
    *ret_is_exact = count <= DIGITS_MAX;
    if (count > DIGITS_MAX)
        count = DIGITS_MAX;
    for (size_t i = 0; i < count; i++)
        digits[i] = (uint8_t)(text[i] - '0');
    for (; unit > 1; unit /= 2)
        bytes = 2 * bytes + double_fraction(digits, count);
    for (size_t i = 0; i < count; i++)
        *ret_is_exact = *ret_is_exact && digits[i] == 0;
    return bytes;
}

enum vhd_result vhd_size_parse(const char *text, size_t len, uint64_t *ret_bytes,
                               struct vhd_verdict *ret)
{
    const struct reading reading = split_size(text, len);
    const bool has_unit = reading.unit_len > 0;
    bool is_exact = true;

    enum vhd_result result = judge_syntax(&reading, ret);
    if (result != VHD_OK)
        return result;
    if (is_zero(&reading))
        return refuse_text(text, len, ret);
    const uint64_t unit = has_unit ? unit_of(reading.unit, reading.unit_len) : VHD_MB;
    uint64_t bytes = whole_bytes(&reading, unit);
    if (reading.has_point &&
        __builtin_add_overflow(bytes, fraction_bytes(&reading, unit, &is_exact), &bytes))
        bytes = UINT64_MAX;
    result = judge(text, len, has_unit, bytes, ret);
    if (result != VHD_OK)
        return result;
    if (!is_exact || bytes % 512 != 0)
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "the size \"%.*s\" is not a multiple of 512 bytes; write one, such as %" PRIu64 "B",
            shown(len), text, bytes - bytes % 512);
    *ret_bytes = bytes;
    return VHD_OK;
}

enum vhd_result vhd_size_judge_mb(int64_t mb, struct vhd_verdict *ret)
{
    char word[VHD_SIZE_TEXT];
    int len = snprintf(word, sizeof word, "%" PRId64, mb);

    if (mb <= 0)
        return refuse_text(word, (size_t)len, ret);
    uint64_t bytes = mb > VHD_SIZE_MAX_MB ? UINT64_MAX : (uint64_t)mb * VHD_MB;
    return judge(word, (size_t)len, false, bytes, ret);
}

void vhd_size_format(uint64_t bytes, char buf[VHD_SIZE_TEXT])
{
    if (bytes % VHD_MB == 0)
        snprintf(buf, VHD_SIZE_TEXT, "%" PRIu64, bytes / VHD_MB);
    else
        snprintf(buf, VHD_SIZE_TEXT, "%" PRIu64 "B", bytes);
}

void vhd_size_describe(uint64_t bytes, char buf[VHD_SIZE_TEXT])
{
    if (bytes % VHD_MB != 0)
        vhd_size_format(bytes, buf);
    else
        snprintf(buf, VHD_SIZE_TEXT, "%" PRIu64 " MB", bytes / VHD_MB);
}
