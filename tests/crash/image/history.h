/*
 * A history: the values that something has had, a sector or a file's length, since the last one
 * that is on the medium for certain.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* It had this value since that position of the log; -1 for what was there before. */
struct past {
    int64_t position;
    uint32_t value;
    bool is_cut; /* a sector: zero, for the file was cut before it; so only where that cut counts */
};

struct history {
    struct past *past; /* past[0] is on the medium if none of the later ones is */
    uint32_t count, room;
};

void history_add(struct history *history, struct past past);

void history_free(struct history *history);

/* The newest entry; there is always one. */
const struct past *history_last(const struct history *history);

/* The index of the value at a position, after its record; 0 where all are newer. */
uint32_t history_at(const struct history *history, int64_t position);

/*
 * A barrier that began at a position has ended: forget what is older than the value that it covers.
 *
 *   lost  what came before that position a failed barrier may have lost: no other makes it durable
 */
void history_settle(struct history *history, int64_t begin, int64_t lost);
