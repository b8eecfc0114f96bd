/*
 * What a sector holds. Each content is kept once and known by a number, so that states of an image
 * are kept, compared and counted as numbers. Values live as long as the process; any thread may ask
 * for them.
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

/* A content that no sector had before, and that is nothing but a mark of its own: never zeros. */
uint32_t value_fresh(void);

/*
 * The fresh values so far; and to begin again after so many: then those that follow are as fresh
 * for whoever has not seen them, and runs that do the same leave the same states behind.
 */
uint64_t value_count_fresh(void);
void value_rewind(uint64_t count);

/* The contents of so many sectors in a row: of an image, or of a disk. */
struct content {
    uint32_t *values;
    uint32_t count;
};

/* Make it count sectors; new ones are zeros. */
void content_resize(struct content *content, uint32_t count);

/* A copy, to be released by content_free(). */
struct content content_copy(const struct content *content);

void content_free(struct content *content);

/* From bytes, and to bytes; the room is for count sectors. */
struct content content_of_bytes(const void *bytes, uint32_t count);
void content_to_bytes(const struct content *content, void *bytes);
