/* SPDX-License-Identifier: MIT */
/*
 * The checksum of a footer and of a dynamic header.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * One's complement of the sum of all bytes. The four bytes at checksum_at count as zero.
 *
 *   bytes  the structure, len bytes
 *
 * Source: VHD specification 1.0, "Hard Disk Footer Format", Checksum; bytes are unsigned.
 */
uint32_t vhd_checksum(const void *bytes, size_t len, size_t checksum_at);
