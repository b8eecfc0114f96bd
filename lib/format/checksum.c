/* SPDX-License-Identifier: MIT */
#include "format/checksum.h"

uint32_t vhd_checksum(const void *bytes, size_t len, size_t checksum_at)
{
    const uint8_t *p = bytes;
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += p[i];
    for (size_t i = checksum_at; i < checksum_at + 4; i++)
        sum -= p[i];
    return ~sum;
}
