/* SPDX-License-Identifier: MIT */
/*
 * The size of a disk as a user writes it, and its limits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "result/result.h"

#define VHD_MB (UINT64_C(1) << 20)

/*
 * Limits of an unformatted disk, both allowed. Microsoft's pages contradict each other about the
 * upper one; the VHD specification and all other programs allow it.
 *
 * Source: Virtual Server 2005 reference, "IVMVirtualServer::CreateDynamicVirtualHardDisk".
 */
#define VHD_SIZE_MIN_MB INT64_C(3)
#define VHD_SIZE_MAX_MB INT64_C(2088960)

/*
 * Read a size: a number of MB (2^20 bytes), or a number with a unit. Units are B, M, G, T, MB, GB,
 * TB, MiB, GiB and TiB in any case, all powers of 1024. Blanks may stand before the unit. A
 * fraction needs a unit: "1.5G".
 *
 *   text, len  the size alone; not terminated
 *   ret_bytes  receives the size, within the limits; a multiple of 512
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_INVALID_ARGUMENT  no such number, not above 0, or no multiple of 512 bytes
 *   VHD_SIZE_TOO_SMALL    below 3 MB
 *   VHD_SIZE_TOO_LARGE    above 2,088,960 MB, numbers past 64 bits too
 */
enum vhd_result vhd_size_parse(const char *text, size_t len, uint64_t *ret_bytes,
                               struct vhd_verdict *ret);

/* Is a word a unit that vhd_size_parse() accepts? */
bool vhd_size_is_unit(const char *word, size_t len);

/*
 * Judge a size in MB against the same limits. Returns VHD_OK, VHD_INVALID_ARGUMENT if it is not
 * above 0, VHD_SIZE_TOO_SMALL or VHD_SIZE_TOO_LARGE.
 */
enum vhd_result vhd_size_judge_mb(int64_t mb, struct vhd_verdict *ret);

/* Bytes of the longest text of vhd_size_format(). */
#define VHD_SIZE_TEXT 24

/* Print a size in the syntax of vhd_size_parse(): whole MB as a number, else bytes and "B". */
void vhd_size_format(uint64_t bytes, char buf[VHD_SIZE_TEXT]);

/* Write a size for a sentence: "4096 MB", or in bytes, "512B". */
void vhd_size_describe(uint64_t bytes, char buf[VHD_SIZE_TEXT]);
