/*
 * The sector bitmap that stands before each block's data: one bit a sector, the most significant
 * bit of byte 0 for the first. Set in a dynamic disk: written; clear: never, and so zeros. Set in a
 * differencing disk: here; clear: in the parent.
 *
 * A byte stands for 4 KiB, a subblock: that is what we set in one go, since libvhdi misreads a byte
 * that is set in part.
 *
 * Source: VHD specification 1.0, "Data Block".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that one byte of a bitmap stands for. */
#define VHD_SUBBLOCK 4096u

/*
 * The sectors from first on whose bits are alike.
 *
 *   bits      the bitmap, or a part of it that begins with a whole byte
 *   first     number of a bit in it
 *   end       number behind the last bit that counts; above first
 *   ret_is_set  receives what they are
 *
 * Returns how many there are, 1 to end - first.
 */
uint32_t vhd_bitmap_run(const uint8_t *bits, uint32_t first, uint32_t end, bool *ret_is_set);

/* Turn the bits of each byte round, for bitmaps whose least significant bits come first. */
void vhd_bitmap_reverse(uint8_t *bits, size_t len);
