/* SPDX-License-Identifier: MIT */
#include "promise.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

/* A deed: one operation on one sector, seen from a position of the log. */
struct deed {
    int64_t begin, end; /* end is INT64_MAX without a reply */
    bool is_done;       /* answered with success; otherwise each sector is old or new */
    uint32_t value;
};

/* The part of the log that a promise depends on. */
struct view {
    const struct log *log;
    uint32_t position;
    int64_t flushed; /* begin of the last successful flush; -1 for none */
    bool has_failed; /* a barrier has failed */
};

/*
 * The end of a request that began at a position, or the kill that ended it, as seen from the view.
 */
static int64_t end_of(const struct view *view, uint32_t begin)
{
    const struct record *record = &view->log->records[begin];

    if (record->pair != NOWHERE && record->pair < view->position)
        return record->pair;
    for (uint32_t i = begin; i < view->position; i++) {
        if (view->log->records[i].kind == RECORD_DEATH)
            return i;
    }
    return INT64_MAX;
}

static bool is_answered(const struct view *view, uint32_t begin)
{
    const struct record *record = &view->log->records[begin];
    return record->pair != NOWHERE && record->pair < view->position &&
           view->log->records[record->pair].result == 0;
}

static bool is_op(const struct record *record, enum op op)
{
    return record->kind == RECORD_OP_BEGIN && record->op == op;
}

static int64_t find_flush(const struct view *view)
{
    for (uint32_t i = view->position; i-- > 0;) {
        if (is_op(&view->log->records[i], OP_FLUSH) && is_answered(view, i))
            return i;
    }
    return -1;
}

/*
 * May an answered operation be lost for good, because a barrier failed before any flush? The host
 * shows its data until it drops its cache. Neither a later flush nor a read before that proves it
 * durable.
 */
static bool is_doubtful(const struct view *view, uint32_t begin)
{
    bool is_seen = view->log->records[begin].op == OP_OBSERVE;
    int64_t flushed = -1;

    for (uint32_t i = 0; i < begin; i++)
        is_seen = is_seen && view->log->records[i].kind != RECORD_REVEAL;

    for (uint32_t i = is_seen ? 0 : begin; i < view->position; i++) {
        const struct record *record = &view->log->records[i];
        bool is_flush = record->kind == RECORD_OP_END && record->op == OP_FLUSH;
        if (is_flush && record->result == 0)
            flushed = record->pair;
        if (record->kind == RECORD_SYNC_END && record->result < 0)
            return is_seen || flushed < end_of(view, begin);
    }
    return false;
}

static bool is_done(const struct view *view, uint32_t begin)
{
    return is_answered(view, begin) && !(view->has_failed && is_doubtful(view, begin));
}

uint32_t promise_parents(const struct log *log, uint32_t position, uint32_t before)
{
    const struct view view = {.log = log, .position = position};
    uint32_t parents = 1u << before;

    for (uint32_t i = 0; i < position; i++) {
        if (is_op(&log->records[i], OP_RELINK))
            parents = (is_answered(&view, i) ? 0 : parents) | 1u << log->records[i].first;
    }
    return parents;
}

static bool has_failed_sync(const struct view *view)
{
    for (uint32_t i = 0; i < view->position; i++) {
        const struct record *record = &view->log->records[i];
        if (record->kind == RECORD_SYNC_END && record->result < 0)
            return true;
    }
    return false;
}

static bool covers(const struct record *record, uint32_t sector)
{
    return record->kind == RECORD_OP_BEGIN && sector >= record->first &&
           sector - record->first < record->after.count;
}

/* Collect all deeds on a sector. The first is its content before the log. */
static uint32_t collect(const struct view *view, uint32_t sector, struct deed *deeds)
{
    uint32_t count = 1;

    deeds[0] = (struct deed){-1, -1, true, view->log->disk.values[sector]};
    for (uint32_t i = 0; i < view->position; i++) {
        const struct record *record = &view->log->records[i];
        if (covers(record, sector))
            deeds[count++] = (struct deed){
                .begin = i,
                .end = end_of(view, i),
                .is_done = is_done(view, i),
                .value = record->after.values[sector - record->first],
            };
    }
    return count;
}

/* Has a later deed surely replaced it, answered before the flush began? */
static bool is_overtaken(const struct deed *deed, const struct deed *deeds, uint32_t count,
                         int64_t flushed)
{
    for (uint32_t i = 0; i < count; i++) {
        if (deeds[i].is_done && deeds[i].begin > deed->end && deeds[i].end < flushed)
            return true;
    }
    return false;
}

/* Does an operation that begins here touch some of these sectors? */
static bool touches(const struct record *record, uint32_t first, uint32_t count)
{
    return record->kind == RECORD_OP_BEGIN && record->first < first + count &&
           record->first + record->after.count > first;
}

/* Does it write other values than zeros there? Zeros need no slot. */
static bool fills(const struct record *record, uint32_t first, uint32_t count)
{
    if (!touches(record, first, count) || record->op != OP_WRITE)
        return false;
    for (uint32_t i = 0; i < record->after.count; i++) {
        uint32_t sector = record->first + i;
        if (sector >= first && sector < first + count && record->after.values[i] != VALUE_ZERO)
            return true;
    }
    return false;
}

/*
 * Was a unit surely present, not the parent's, before a kill? One process wrote it and then
 * flushed. A later write there sets no bit, so it is not lost.
 */
static bool is_present(const struct view *view, uint32_t first, uint32_t count)
{
    int64_t written = INT64_MAX; /* end of this process's write */
    bool is_present = false;

    for (uint32_t i = 0; i < view->position; i++) {
        const struct record *record = &view->log->records[i];
        bool is_discarded = touches(record, first, count) && record->op == OP_DISCARD;
        if (record->kind == RECORD_DEATH || is_discarded)
            written = INT64_MAX;
        if (is_discarded)
            is_present = false;
        if (fills(record, first, count))
            written = is_done(view, i) ? end_of(view, i) : INT64_MAX;
        if (record->kind == RECORD_OP_END && record->op == OP_FLUSH && record->result == 0)
            is_present = is_present || written < record->pair;
    }
    return is_present;
}

/* The position before which writes to a sector count as flushed. */
static int64_t flushed_of(const struct view *view, uint32_t sector, enum crash crash,
                          uint32_t first_lost)
{
    if (crash == CRASH_POWER)
        return view->flushed;
    if (first_lost == 0 || is_present(view, sector / first_lost * first_lost, first_lost))
        return view->position;
    return view->flushed;
}

static void add(struct promise *promise, uint32_t *count, uint32_t value)
{
    if (*count == promise->capacity) {
        promise->capacity = promise->capacity ? 2 * promise->capacity : 256;
        promise->values = reallocarray(promise->values, promise->capacity, sizeof *promise->values);
        if (!promise->values)
            err(EXIT_FAILURE, "promise");
    }
    promise->values[(*count)++] = value;
}

void promise_at(struct promise *promise, const struct log *log, uint32_t position, enum crash crash,
                uint32_t first_lost)
{
    struct view view = {.log = log, .position = position};
    struct deed *deeds = malloc((position + 1) * sizeof *deeds);
    uint32_t count = 0;

    view.flushed = find_flush(&view);
    view.has_failed = has_failed_sync(&view);
    promise->sectors = log->disk.count;
    promise->starts = reallocarray(promise->starts, promise->sectors + 1, sizeof *promise->starts);
    if (!deeds || !promise->starts)
        err(EXIT_FAILURE, "promise");
    for (uint32_t sector = 0; sector < promise->sectors; sector++) {
        int64_t flushed = flushed_of(&view, sector, crash, first_lost);
        uint32_t deed_count = collect(&view, sector, deeds);
        promise->starts[sector] = count;
        for (uint32_t i = 0; i < deed_count; i++) {
            if (!is_overtaken(&deeds[i], deeds, deed_count, flushed))
                add(promise, &count, deeds[i].value);
        }
    }
    promise->starts[promise->sectors] = count;
    free(deeds);
}

void promise_free(struct promise *promise)
{
    free(promise->starts);
    free(promise->values);
    *promise = (struct promise){.sectors = 0};
}

static bool allows(const struct promise *promise, uint32_t sector, uint32_t value)
{
    for (uint32_t i = promise->starts[sector]; i < promise->starts[sector + 1]; i++) {
        if (promise->values[i] == value)
            return true;
    }
    return false;
}

bool promise_holds(const struct promise *promise, const struct content *disk, uint32_t *ret_sector)
{
    for (uint32_t sector = 0; sector < promise->sectors; sector++) {
        if (!allows(promise, sector, disk->values[sector])) {
            *ret_sector = sector;
            return false;
        }
    }
    return true;
}

void promise_print(const struct promise *promise, uint32_t sector)
{
    for (uint32_t i = promise->starts[sector]; i < promise->starts[sector + 1]; i++)
        printf(" v%u", promise->values[i]);
}
