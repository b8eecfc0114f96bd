/* SPDX-License-Identifier: MIT */
/*
 * The sector bitmap before each block's data: one bit a sector, beginning with the most significant
 * bit of byte 0. In a dynamic disk a clear bit means that the sector is zeros. In a differencing
 * disk it means that the parent has the sector.
 *
 * One byte covers 4 KiB, a subblock. The library sets whole bytes, because libvhdi misreads a byte
 * that is set in part.
 *
 * Source: VHD specification 1.0, "Data Block".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of data that one byte of a bitmap covers. */
#define VHD_SUBBLOCK 4096u

/*
 * Count the bits from first on that are alike.
 *
 *   bits      the bitmap, or a part of it that begins with a whole byte
 *   first     number of a bit in it
 *   end       number behind the last bit that counts; above first
 *   ret_is_set  receives their value
 *
 * Returns the count, 1 to end - first.
 */
uint32_t vhd_bitmap_run(const uint8_t *bits, uint32_t first, uint32_t end, bool *ret_is_set);

/* Reverse the bits in each byte, for bitmaps that begin with the least significant bit. */
void vhd_bitmap_reverse(uint8_t *bits, size_t len);
