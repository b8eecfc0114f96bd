/*
 * The two encodings that meet in a VHD: names on the host are UTF-8, names inside an image and the
 * limits of Windows paths are UTF-16.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Read one character of a NUL-terminated UTF-8 string and step past it.
 *
 * Returns the code point (0 at the end, where the string is not stepped), or -EILSEQ at a byte
 * sequence that is not UTF-8: overlong, truncated, a surrogate, or above U+10FFFF.
 */
int32_t vhd_utf8_next(const char **text);

/*
 * Count the UTF-16 units that a UTF-8 string takes: two for a character beyond U+FFFF. A byte
 * that is not UTF-8 counts as one unit, as it would be shown.
 */
size_t vhd_utf8_utf16_units(const char *text);

/*
 * Turn UTF-16 units, host order, into UTF-8. Unpaired surrogates become U+FFFD.
 *
 *   units  count of them; stops at a zero unit
 *   buf    receives the text, always NUL-terminated, cut at a whole character to fit size
 */
void vhd_utf16_to_utf8(const uint16_t *units, size_t count, char *buf, size_t size);
