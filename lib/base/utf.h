/* SPDX-License-Identifier: MIT */
/*
 * The two encodings of a VHD. Names on the host are UTF-8; names inside an image, and the limits of
 * Windows paths, are UTF-16.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Read one character of a NUL-terminated UTF-8 string and step past it.
 *
 * Returns the code point; 0 at the end, without a step. Returns -EILSEQ, without a step, at bytes
 * that are not UTF-8: overlong, truncated, a surrogate, or above U+10FFFF.
 */
int32_t vhd_utf8_next(const char **text);

/*
 * Count the UTF-16 units of a UTF-8 string: two for a character above U+FFFF, else one. A byte that
 * is not UTF-8 counts as one unit, because programs show it as one character.
 */
size_t vhd_utf8_utf16_units(const char *text);

/*
 * Convert UTF-8 to UTF-16 units, host order, without a zero unit at the end.
 *
 *   size  of units: at least vhd_utf8_utf16_units(text)
 *
 * Returns the count of units, or -EILSEQ if text is not UTF-8.
 */
int vhd_utf8_to_utf16(const char *text, uint16_t *units, size_t size);

/*
 * Convert UTF-16 units, host order, to UTF-8. Unpaired surrogates become U+FFFD.
 *
 *   units  count of them; a zero unit ends them too
 *   buf    receives the text, always NUL-terminated, cut at a whole character to fit size
 */
void vhd_utf16_to_utf8(const uint16_t *units, size_t count, char *buf, size_t size);
