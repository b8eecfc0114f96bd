/* SPDX-License-Identifier: MIT */
#include "medium.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "random.h"

enum { PAGE_SECTORS = 8 };

/* A sector with several possible values in the present states. */
struct choice {
    uint32_t sector, count, at;
    uint32_t *values; /* oldest first */
};

struct medium {
    const struct log *log;
    enum host_class host;
    uint32_t position;
    struct history *sectors; /* as many as the longest length so far */
    uint32_t sector_count;
    struct history lengths;
    int64_t lost; /* a failed barrier may have lost writes before this position */

    /* during visits */
    uint32_t *low; /* of each sector: the oldest possible entry of its history */
    struct state state;
    struct choice *choices;
    uint32_t choice_count;
};

/* Make a history for each sector below count. New ones read as zeros. */
static void reach(struct medium *medium, uint32_t count)
{
    if (count <= medium->sector_count)
        return;
    medium->sectors = reallocarray(medium->sectors, count, sizeof *medium->sectors);
    medium->low = reallocarray(medium->low, count, sizeof *medium->low);
    medium->choices = reallocarray(medium->choices, count, sizeof *medium->choices);
    if (!medium->sectors || !medium->low || !medium->choices)
        err(EXIT_FAILURE, "medium");
    for (uint32_t i = medium->sector_count; i < count; i++) {
        medium->sectors[i] = (struct history){.count = 0};
        history_add(&medium->sectors[i], (struct past){.position = -1, .value = VALUE_ZERO});
    }
    medium->sector_count = count;
}

struct medium *medium_new(const struct log *log, enum host_class host)
{
    struct medium *medium = calloc(1, sizeof *medium);

    if (!medium)
        err(EXIT_FAILURE, "medium");
    *medium = (struct medium){.log = log, .host = host, .lost = -1};
    reach(medium, log->base.count);
    for (uint32_t i = 0; i < log->base.count; i++)
        medium->sectors[i].past[0].value = log->base.values[i];
    history_add(&medium->lengths, (struct past){.position = -1, .value = log->base.count});
    return medium;
}

void medium_free(struct medium *medium)
{
    for (uint32_t i = 0; i < medium->sector_count; i++)
        history_free(&medium->sectors[i]);
    history_free(&medium->lengths);
    free(medium->sectors);
    free(medium->low);
    free(medium->choices);
    content_free(&medium->state.file);
    free(medium);
}

static void step_write(struct medium *medium, const struct record *record)
{
    for (uint32_t i = 0; i < record->after.count; i++)
        history_add(&medium->sectors[record->first + i],
                    (struct past){medium->position, record->after.values[i], false});
}

static void step_length(struct medium *medium, uint32_t length)
{
    uint32_t before = history_last(&medium->lengths)->value;

    if (length == before)
        return;
    history_add(&medium->lengths, (struct past){medium->position, length, false});
    for (uint32_t i = length; i < before; i++)
        history_add(&medium->sectors[i], (struct past){medium->position, VALUE_ZERO, true});
}

/* A barrier has ended. After a success all writes before its begin are on the medium. */
static void step_sync(struct medium *medium, const struct record *end)
{
    if (end->result < 0) {
        medium->lost = medium->position;
        return;
    }
    for (uint32_t i = 0; i < medium->sector_count; i++)
        history_drop_covered(&medium->sectors[i], end->pair, medium->lost);
    history_drop_covered(&medium->lengths, end->pair, medium->lost);
}

/* The host shows the medium, so every other value is past. */
static void step_reveal(struct medium *medium, const struct record *record)
{
    for (uint32_t i = 0; i < medium->sector_count; i++) {
        uint32_t value = i < record->after.count ? record->after.values[i] : VALUE_ZERO;
        medium->sectors[i].count = 0;
        history_add(&medium->sectors[i], (struct past){medium->position, value, false});
    }
    medium->lengths.count = 0;
    history_add(&medium->lengths, (struct past){medium->position, record->length, false});
    medium->lost = -1;
}

void medium_step(struct medium *medium)
{
    const struct record *record = &medium->log->records[medium->position];

    reach(medium, record->length);
    if (record->kind == RECORD_SYNC_END)
        step_sync(medium, record);
    if (record->kind == RECORD_REVEAL)
        step_reveal(medium, record);
    step_length(medium, record->length);
    if (record->kind == RECORD_WRITE)
        step_write(medium, record);
    medium->position++;
}

bool medium_is_growing(const struct medium *medium)
{
    for (uint32_t i = 1; i < medium->lengths.count; i++) {
        if (medium->lengths.past[i].value > medium->lengths.past[i - 1].value)
            return true;
    }
    return false;
}

struct content medium_live(const struct medium *medium)
{
    struct content live = {NULL, 0};

    content_resize(&live, history_last(&medium->lengths)->value);
    for (uint32_t i = 0; i < live.count; i++)
        live.values[i] = history_last(&medium->sectors[i])->value;
    return live;
}

/*
 * The oldest possible entry of a sector. A cut of the file up to the length's position rules out
 * older ones.
 */
static uint32_t lowest(const struct medium *medium, uint32_t sector, int64_t length_at)
{
    const struct history *history = &medium->sectors[sector];
    uint32_t low = medium->low[sector];

    for (uint32_t i = low; i < history->count; i++) {
        if (history->past[i].is_cut && history->past[i].position <= length_at)
            low = i;
    }
    return low;
}

/*
 * Collect the possible values of a sector, for the file's length at a position. The present state
 * gets the oldest.
 */
static void collect(struct medium *medium, uint32_t sector, int64_t length_at)
{
    const struct history *history = &medium->sectors[sector];
    struct choice choice = {.sector = sector, .values = malloc(history->count * sizeof(uint32_t))};

    if (!choice.values)
        err(EXIT_FAILURE, "medium");
    for (uint32_t i = lowest(medium, sector, length_at); i < history->count; i++) {
        const struct past *past = &history->past[i];
        uint32_t seen = 0;
        while (seen < choice.count && choice.values[seen] != past->value)
            seen++;
        if (seen == choice.count && !(past->is_cut && past->position > length_at))
            choice.values[choice.count++] = past->value;
    }
    medium->state.file.values[sector] = choice.values[0];
    if (choice.count > 1)
        medium->choices[medium->choice_count++] = choice;
    else
        free(choice.values);
}

static void release_choices(struct medium *medium)
{
    for (uint32_t i = 0; i < medium->choice_count; i++)
        free(medium->choices[i].values);
    medium->choice_count = 0;
}

/* The number of combinations; at least limit + 1 if there are more than limit. */
static uint64_t count_combinations(const struct medium *medium, uint32_t limit)
{
    uint64_t count = 1;

    for (uint32_t i = 0; i < medium->choice_count && count <= limit; i++)
        count *= medium->choices[i].count;
    return count;
}

static void choose(struct medium *medium, struct choice *choice, uint32_t at)
{
    choice->at = at;
    state_set(&medium->state, choice->sector, choice->values[at]);
}

static void choose_all(struct medium *medium, bool is_new)
{
    for (uint32_t i = 0; i < medium->choice_count; i++)
        choose(medium, &medium->choices[i], is_new ? medium->choices[i].count - 1 : 0);
}

/* Visit every combination, like counting through the digits of a number. */
static bool visit_all(struct medium *medium, state_visit *visit, void *visit_arg)
{
    uint32_t i = 0;

    choose_all(medium, false);
    while (visit(visit_arg, &medium->state)) {
        for (i = 0; i < medium->choice_count; i++) {
            struct choice *choice = &medium->choices[i];
            if (choice->at + 1 < choice->count) {
                choose(medium, choice, choice->at + 1);
                break;
            }
            choose(medium, choice, 0);
        }
        if (i == medium->choice_count)
            return true;
    }
    return false;
}

/* Visit all old and all new, and each sector alone different from all others. */
static bool visit_extremes(struct medium *medium, state_visit *visit, void *visit_arg)
{
    for (int is_new = 0; is_new < 2; is_new++) {
        choose_all(medium, is_new);
        bool goes_on = visit(visit_arg, &medium->state);
        for (uint32_t i = 0; goes_on && i < medium->choice_count; i++) {
            struct choice *choice = &medium->choices[i];
            uint32_t usual = choice->at;
            for (uint32_t at = 0; goes_on && at < choice->count; at++) {
                choose(medium, choice, at);
                goes_on = at == usual || visit(visit_arg, &medium->state);
            }
            choose(medium, choice, usual);
        }
        if (!goes_on)
            return false;
    }
    return true;
}

/*
 * Draw a random state. The share of new values is random too, because a half of each is only one
 * kind of loss.
 */
static void draw(struct medium *medium, uint64_t *seed)
{
    uint32_t eighths = 1 + random_below(seed, 7);

    for (uint32_t i = 0; i < medium->choice_count; i++) {
        struct choice *choice = &medium->choices[i];
        bool is_new = random_below(seed, 8) < eighths;
        choose(medium, choice, is_new ? choice->count - 1 : random_below(seed, choice->count - 1));
    }
}

/* The arguments of a visit to all states of all lengths. */
struct tour {
    struct limits limits;
    uint64_t *seed;
    state_visit *visit;
    void *visit_arg;
};

/* Visit the states of one length, which the file has had since a position. */
static bool visit_length(struct medium *medium, const struct tour *tour, uint32_t length,
                         int64_t length_at)
{
    bool goes_on = true;

    content_resize(&medium->state.file, length);
    for (uint32_t i = 0; i < length; i++)
        collect(medium, i, length_at);
    state_set_key(&medium->state);
    if (count_combinations(medium, tour->limits.all) <= tour->limits.all) {
        goes_on = visit_all(medium, tour->visit, tour->visit_arg);
    } else {
        goes_on = visit_extremes(medium, tour->visit, tour->visit_arg);
        for (uint32_t i = 0; goes_on && i < tour->limits.drawn; i++) {
            draw(medium, tour->seed);
            goes_on = tour->visit(tour->visit_arg, &medium->state);
        }
    }
    release_choices(medium);
    memset(medium->low, 0, medium->sector_count * sizeof *medium->low);
    return goes_on;
}

/* All sectors of a write are on the medium, as far as their histories still have it. */
static void raise_record(struct medium *medium, uint32_t position)
{
    const struct record *record = &medium->log->records[position];

    for (uint32_t i = 0; i < record->after.count; i++) {
        uint32_t sector = record->first + i;
        uint32_t index = history_at(&medium->sectors[sector], position);
        if (index > medium->low[sector])
            medium->low[sector] = index;
    }
}

/* Class D: the new length is durable only together with the direct writes up to it. */
static void raise_direct(struct medium *medium, uint32_t length)
{
    for (uint32_t i = 1; i <= length; i++) {
        uint32_t position = (uint32_t)medium->lengths.past[i].position;
        if (medium->log->records[position].is_direct)
            raise_record(medium, position);
    }
}

/* The page's sectors are as at a position, or newer. */
static void raise_page(struct medium *medium, uint32_t page, int64_t position)
{
    for (uint32_t i = page; i < page + PAGE_SECTORS && i < medium->sector_count; i++)
        medium->low[i] = history_at(&medium->sectors[i], position);
}

/* Class X: the page was written back at a position, and no page above it. The file ends there. */
static bool tour_page(struct medium *medium, const struct tour *tour, uint32_t page,
                      int64_t position)
{
    uint32_t live = medium->lengths.past[history_at(&medium->lengths, position)].value;
    uint32_t end = page + PAGE_SECTORS < live ? page + PAGE_SECTORS : live;

    if (end <= medium->lengths.past[0].value)
        return true;
    raise_page(medium, page, position);
    return visit_length(medium, tour, end, position);
}

/*
 * Does a record change a page, or the end of the file? A page that was dirty before a growth may be
 * written back after it, and the file then ends with that page.
 */
static bool concerns_page(const struct log *log, uint32_t position, uint32_t page)
{
    const struct record *record = &log->records[position];
    const uint32_t before = position > 0 ? log->records[position - 1].length : log->base.count;

    if (record->length != before)
        return true;
    return record->kind == RECORD_WRITE && record->first < page + PAGE_SECTORS &&
           record->first + record->after.count > page;
}

/* Class X: visit each dirty page behind the durable end, at each position since its first write. */
static bool tour_pages(struct medium *medium, const struct tour *tour)
{
    uint32_t floor = medium->lengths.past[0].value / PAGE_SECTORS * PAGE_SECTORS;

    for (uint32_t page = floor; page < medium->sector_count; page += PAGE_SECTORS) {
        int64_t dirty = INT64_MAX;
        for (uint32_t i = page; i < page + PAGE_SECTORS && i < medium->sector_count; i++) {
            const struct history *history = &medium->sectors[i];
            if (history->count > 1 && history->past[1].position < dirty)
                dirty = history->past[1].position;
        }
        for (int64_t position = dirty; position < medium->position; position++) {
            if (concerns_page(medium->log, (uint32_t)position, page) &&
                !tour_page(medium, tour, page, position))
                return false;
        }
    }
    return true;
}

bool medium_each(struct medium *medium, struct limits limits, uint64_t *seed, state_visit *visit,
                 void *visit_arg)
{
    const struct tour tour = {limits, seed, visit, visit_arg};

    memset(medium->low, 0, medium->sector_count * sizeof *medium->low);
    for (uint32_t i = 0; i < medium->lengths.count; i++) {
        const struct past *length = &medium->lengths.past[i];
        bool is_write =
            length->position >= 0 && medium->log->records[length->position].kind == RECORD_WRITE;
        if (medium->host == HOST_X && i > 0 && is_write)
            continue; /* on class X tour_pages() handles these */
        if (medium->host == HOST_D)
            raise_direct(medium, i);
        if (!visit_length(medium, &tour, length->value, length->position))
            return false;
    }
    return medium->host != HOST_X || tour_pages(medium, &tour);
}
