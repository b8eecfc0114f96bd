/* SPDX-License-Identifier: MIT */
#include "history.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

void history_add(struct history *history, struct past past)
{
    if (history->count == history->capacity) {
        history->capacity = history->capacity ? 2 * history->capacity : 2;
        history->past = reallocarray(history->past, history->capacity, sizeof *history->past);
        if (!history->past)
            err(EXIT_FAILURE, "history");
    }
    history->past[history->count++] = past;
}

void history_free(struct history *history)
{
    free(history->past);
    *history = (struct history){.count = 0};
}

const struct past *history_last(const struct history *history)
{
    return &history->past[history->count - 1];
}

uint32_t history_at(const struct history *history, int64_t position)
{
    uint32_t index = history->count - 1;

    while (index > 0 && history->past[index].position > position)
        index--;
    return index;
}

void history_drop_covered(struct history *history, int64_t begin, int64_t lost)
{
    uint32_t covered = history_at(history, begin);

    if (covered == 0 || history->past[covered].position < lost)
        return;
    memmove(history->past, history->past + covered,
            (history->count - covered) * sizeof *history->past);
    history->count -= covered;
}
