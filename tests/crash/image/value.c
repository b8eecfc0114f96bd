/* SPDX-License-Identifier: MIT */
#include "value.h"

#include <err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Values lie in pages that never move, so pointers to them stay valid. */
enum { PAGE_VALUES = 1024, PAGES = 4096 };

static struct {
    pthread_mutex_t lock;
    uint8_t *pages[PAGES];
    uint32_t count;
    uint32_t *slots; /* of a hash table: a value, or UINT32_MAX if empty */
    uint32_t slot_count;
    uint64_t marks;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t hash_of(const uint8_t *sector)
{
    uint64_t hash = 0;

    for (int i = 0; i < SECTOR; i += 8) {
        uint64_t word;
        memcpy(&word, sector + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return hash;
}

const uint8_t *value_bytes(uint32_t value)
{
    return all.pages[value / PAGE_VALUES] + (size_t)(value % PAGE_VALUES) * SECTOR;
}

/* The slot of a sector's value, or the free slot for it. */
static uint32_t *find_slot(const uint8_t *sector)
{
    for (uint64_t i = hash_of(sector);; i++) {
        uint32_t *slot = &all.slots[i & (all.slot_count - 1)];
        if (*slot == UINT32_MAX || memcmp(value_bytes(*slot), sector, SECTOR) == 0)
            return slot;
    }
}

/* Double the slots before the table gets too full. */
static void widen(void)
{
    free(all.slots);
    all.slot_count = all.slot_count ? 2 * all.slot_count : 4096;
    all.slots = malloc(all.slot_count * sizeof *all.slots);
    if (!all.slots)
        err(EXIT_FAILURE, "values");
    memset(all.slots, 0xFF, all.slot_count * sizeof *all.slots);
    for (uint32_t value = 0; value < all.count; value++)
        *find_slot(value_bytes(value)) = value;
}

static uint32_t add(const uint8_t *sector)
{
    uint32_t page = all.count / PAGE_VALUES;

    if (page == PAGES)
        errx(EXIT_FAILURE, "more than %d different sectors", PAGES * PAGE_VALUES);
    if (!all.pages[page] && !(all.pages[page] = calloc(PAGE_VALUES, SECTOR)))
        err(EXIT_FAILURE, "values");
    memcpy(all.pages[page] + (size_t)(all.count % PAGE_VALUES) * SECTOR, sector, SECTOR);
    return all.count++;
}

static uint32_t find_or_add(const uint8_t *sector)
{
    static const uint8_t zeros[SECTOR];

    if (all.count == 0) {
        add(zeros);
        widen();
    }
    if (all.count >= all.slot_count / 2)
        widen();
    uint32_t *slot = find_slot(sector);
    if (*slot == UINT32_MAX)
        *slot = add(sector);
    return *slot;
}

uint32_t value_of(const void *sector)
{
    HOLD_LOCK(&all.lock);
    return find_or_add(sector);
}

uint32_t value_fresh(void)
{
    uint64_t words[SECTOR / 8];

    HOLD_LOCK(&all.lock);
    all.marks++;
    for (size_t i = 0; i < SECTOR / 8; i++)
        words[i] = all.marks << 8 | 0xA5;
    return find_or_add((const uint8_t *)words);
}

uint64_t value_count_fresh(void)
{
    HOLD_LOCK(&all.lock);
    return all.marks;
}

void value_rewind(uint64_t count)
{
    HOLD_LOCK(&all.lock);
    all.marks = count;
}

void content_resize(struct content *content, uint32_t count)
{
    uint32_t *values = realloc(content->values, (count + 1) * sizeof *values);

    if (!values)
        err(EXIT_FAILURE, "content");
    for (uint32_t i = content->count; i < count; i++)
        values[i] = VALUE_ZERO;
    *content = (struct content){values, count};
}

struct content content_copy(const struct content *content)
{
    struct content copy = {NULL, 0};

    content_resize(&copy, content->count);
    if (content->count > 0)
        memcpy(copy.values, content->values, content->count * sizeof *copy.values);
    return copy;
}

void content_free(struct content *content)
{
    free(content->values);
    *content = (struct content){NULL, 0};
}

struct content content_of_bytes(const void *bytes, uint32_t count)
{
    struct content content = {NULL, 0};

    content_resize(&content, count);
    for (uint32_t i = 0; i < count; i++)
        content.values[i] = value_of((const uint8_t *)bytes + (size_t)i * SECTOR);
    return content;
}

void content_to_bytes(const struct content *content, void *bytes)
{
    for (uint32_t i = 0; i < content->count; i++)
        memcpy((uint8_t *)bytes + (size_t)i * SECTOR, value_bytes(content->values[i]), SECTOR);
}
