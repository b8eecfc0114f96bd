/* SPDX-License-Identifier: MIT */
#include "history.h"

#include <string.h>

#include "base/cleanup.h"
#include "stamp.h"

void history_init(struct history *history)
{
    pthread_mutexattr_t shared;

    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&history->lock, &shared);
    pthread_mutexattr_destroy(&shared);
    history_restart(history);
}

void history_restart(struct history *history)
{
    history->records[0] = (struct history_record){.value = HISTORY_SETTLED, .dead = UINT64_MAX};
    history->count = 1;
    history->forgotten = 0;
}

/* The record to replace first: the one that has been dead for longest. */
static struct history_record *find_oldest(struct history *history)
{
    struct history_record *oldest = &history->records[0];

    for (unsigned i = 1; i < history->count; i++) {
        if (history->records[i].dead < oldest->dead)
            oldest = &history->records[i];
    }
    return oldest;
}

bool history_begin(struct history *history, uint64_t value, uint64_t begin)
{
    HOLD_LOCK(&history->lock);
    struct history_record *record = &history->records[history->count];

    if (history->count == HISTORY_RECORDS) {
        record = find_oldest(history);
        if (record->dead == UINT64_MAX)
            return false;
        if (history->forgotten < record->dead)
            history->forgotten = record->dead;
        history->count--;
    }
    *record = (struct history_record){value, begin, UINT64_MAX, UINT64_MAX, false};
    history->count++;
    return true;
}

/*
 * Writes that ended before begin are overwritten. Calls that start at since or later cannot read
 * them.
 */
static void bury(struct history *history, uint64_t begin, uint64_t since)
{
    for (unsigned i = 0; i < history->count; i++) {
        struct history_record *record = &history->records[i];
        if (record->end < begin && since < record->dead)
            record->dead = since;
    }
}

void history_end(struct history *history, uint64_t value, uint64_t begin, uint64_t end,
                 bool is_done)
{
    HOLD_LOCK(&history->lock);

    for (unsigned i = 0; i < history->count; i++) {
        struct history_record *record = &history->records[i];
        if (record->value == value && record->begin == begin) {
            record->end = end;
            record->is_done = is_done;
        }
    }
    if (is_done)
        bury(history, begin, end);
}

enum history_verdict history_read(struct history *history, uint64_t value, uint64_t begin,
                                  uint64_t end)
{
    const struct history_record *found = NULL;
    unsigned matches = 0;
    HOLD_LOCK(&history->lock);

    for (unsigned i = 0; i < history->count; i++) {
        const struct history_record *record = &history->records[i];
        if (record->value == value && record->dead > begin && record->begin < end) {
            found = record;
            matches++;
        }
    }
    if (!found)
        return begin < history->forgotten ? HISTORY_UNKNOWN : HISTORY_ILLEGAL;
    /* If several writes have the same value, the reader may have seen any of them. */
    if (matches == 1 && found->is_done && begin >= history->forgotten)
        bury(history, found->begin, end);
    return HISTORY_LEGAL;
}

bool history_may_hold_byte(struct history *history, unsigned place, unsigned shift, uint8_t byte,
                           uint8_t known, uint64_t begin, uint64_t end)
{
    HOLD_LOCK(&history->lock);

    for (unsigned i = 0; i < history->count; i++) {
        const struct history_record *record = &history->records[i];
        uint8_t held = (uint8_t)(stamp_word_of(record->value, place) >> shift);

        if (record->value == HISTORY_SETTLED)
            held = known;
        if (held == byte && record->dead > begin && record->begin < end)
            return true;
    }
    return begin < history->forgotten;
}

bool history_was_written(struct history *history, uint64_t since)
{
    HOLD_LOCK(&history->lock);

    for (unsigned i = 0; i < history->count; i++) {
        if (history->records[i].value != HISTORY_SETTLED && history->records[i].end > since)
            return true;
    }
    return since < history->forgotten;
}
