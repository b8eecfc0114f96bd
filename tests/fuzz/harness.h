/* SPDX-License-Identifier: MIT */
/*
 * Use an image with unknown content. Whatever its bytes are, the library must not crash, read
 * outside the image, or use memory or time without limit. A disk that it opens must keep its data,
 * also in a repair. An image that it does not open must have findings.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct harness;

/*
 * Open a store: a folder, possibly with other images that the spoilt one can have as parents. Ends
 * the program on a failure.
 */
struct harness *harness_new(const char *folder);

/* Remove the image and close the store. NULL is allowed. */
void harness_free(struct harness *harness);

/*
 * Put bytes into the store as an image and use it: check, repair, read, write, discard, read again.
 *
 * Returns 1 if the library opened it as a disk, otherwise 0. Aborts if a byte is wrong.
 */
int harness_use(struct harness *harness, const uint8_t *bytes, size_t len);

/* Store 32 bits in big-endian order. */
static inline void harness_put32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* Correct the checksum of a footer, a header or a hop sector of len bytes; it lies at that offset.
 */
void harness_seal_part(uint8_t *bytes, size_t len, size_t at);

/* Correct the checksums of footers and header at their usual places. */
void harness_seal(uint8_t *bytes, size_t len);
