/* SPDX-License-Identifier: MIT */
/*
 * Values: the contents of sectors. Each content is stored once and has a number, so that states are
 * stored and compared as numbers. Values live as long as the process. Any thread may ask for them.
 */
#pragma once

#include <stdint.h>

enum { SECTOR = 512 };

/* The sector of zeros. */
#define VALUE_ZERO 0u

/* The number of a sector's content; equal contents have equal numbers. */
uint32_t value_of(const void *sector);

/* The 512 bytes of a value. */
const uint8_t *value_bytes(uint32_t value);

/* A content that no sector had before: a unique mark, never zeros. */
uint32_t value_fresh(void);

/*
 * Count the fresh values, or begin again after so many. Runs that do the same then leave the same
 * states. A rewound value is fresh for each log that has not seen it.
 */
uint64_t value_count_fresh(void);
void value_rewind(uint64_t count);

/* The values of so many sectors in a row, of an image or of a disk. */
struct content {
    uint32_t *values;
    uint32_t count;
};

/* Set the number of sectors; new ones are zeros. */
void content_resize(struct content *content, uint32_t count);

/* A copy, which the caller releases by content_free(). */
struct content content_copy(const struct content *content);

/* Release the memory of a content, not the struct. */
void content_free(struct content *content);

/* Convert from and to bytes; bytes has space for count sectors. */
struct content content_of_bytes(const void *bytes, uint32_t count);
void content_to_bytes(const struct content *content, void *bytes);
