/*
 * What is done with an image of which nothing is known: whatever its bytes are, the library must
 * neither crash, nor read what is not there, nor use memory or time without end; and a disk that it
 * takes for sound must keep what is written to it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct harness;

/*
 * Begin with a store: a folder that may be full of other images, for the spoilt one to have as
 * parents. Ends the program when that cannot be.
 */
struct harness *harness_new(const char *folder);

/* Remove what was put into the folder. NULL is allowed. */
void harness_free(struct harness *harness);

/*
 * Put bytes into the store as an image, and use it: read, written to, discarded, read again.
 *
 * Returns 1 when the library took it for a disk, 0 when not. Aborts when a byte is not what it must
 * be.
 */
int harness_use(struct harness *harness, const uint8_t *bytes, size_t len);

/* The place of 32 bits in big-endian order. */
static inline void harness_put32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* Make the checksums of footers and header right, wherever an image has them. */
void harness_seal(uint8_t *bytes, size_t len);
