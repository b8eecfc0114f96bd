/* SPDX-License-Identifier: MIT */
/*
 * A history: the values of a sector, or of a file's length, since the last one that is surely on
 * the medium.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A value since a position of the log; -1 for the value before the log. */
struct past {
    int64_t position;
    uint32_t value;
    bool is_cut; /* a sector: zero because of a cut of the file; counts only if that cut does */
};

struct history {
    struct past *past; /* past[0] is on the medium unless a later one is */
    uint32_t count, capacity;
};

/* Append a value; the first one makes the history. */
void history_add(struct history *history, struct past past);

/* Release the memory of a history, not the struct. */
void history_free(struct history *history);

/* The newest entry; there is always one. */
const struct past *history_last(const struct history *history);

/* The index of the value at a position, including that position's record; 0 if all are newer. */
uint32_t history_at(const struct history *history, int64_t position);

/*
 * A barrier that began at a position has succeeded: drop all values older than the one that it
 * covers.
 *
 *   lost  a failed barrier may have lost writes before this position; no other barrier covers them
 */
void history_drop_covered(struct history *history, int64_t begin, int64_t lost);
