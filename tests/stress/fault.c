/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stamp.h"

enum { DEEDS = 1 << 15, TOLD_MAX = 30 };

/* The latest deeds of all processes, as a ring. */
static struct deeds {
    uint64_t count;  /* atomic */
    uint64_t faults; /* atomic: only the first of several prints */
    uint64_t seed;
    struct deed ring[DEEDS];
} * deeds;

void fault_begin(uint64_t seed)
{
    deeds = ledger_memory(sizeof *deeds);
    deeds->seed = seed;
}

struct deed *deed_begin(const struct deed *deed)
{
    uint64_t number = __atomic_fetch_add(&deeds->count, 1, __ATOMIC_RELAXED);
    struct deed *place = &deeds->ring[number % DEEDS];

    *place = *deed;
    place->end = 0;
    return place;
}

void deed_end(struct deed *deed, int err)
{
    deed->err = err;
    deed->end = __atomic_load_n(&deed->ledger->clock->now, __ATOMIC_RELAXED);
}

static void tell_deed(const struct deed *deed)
{
    fprintf(stderr, "  %8" PRIu64 " to %8" PRIu64 ": worker %u: %s %" PRIu64 " at %" PRIu64,
            deed->begin, deed->end, deed->worker, deed->what, deed->len, deed->off);
    if (deed->value)
        fprintf(stderr, " with %016" PRIx64, deed->value);
    fprintf(stderr, "%s%s\n",
            deed->end == 0  ? ": goes on"
            : deed->err < 0 ? ": "
                            : "",
            deed->end != 0 && deed->err < 0 ? strerrorname_np(-deed->err) : "");
}

/*
 * Print the latest deeds that touched this byte's sector, the last one first. Flushes are left out.
 */
static void tell_deeds(const struct ledger *ledger, uint64_t off)
{
    const uint64_t begin = off - off % STAMP_SECTOR, end = begin + STAMP_SECTOR;
    unsigned told = 0;

    for (uint64_t i = deeds->count; i > 0 && deeds->count - i < DEEDS && told < TOLD_MAX; i--) {
        const struct deed *deed = &deeds->ring[(i - 1) % DEEDS];
        bool is_there = deed->off < end && begin < deed->off + deed->len;
        if (deed->ledger == ledger && is_there && deed->len < ledger->size) {
            tell_deed(deed);
            told++;
        }
    }
}

/* The first of several faults prints; the others end silently. */
static void begin_telling(const struct ledger *ledger, uint64_t off)
{
    if (__atomic_fetch_add(&deeds->faults, 1, __ATOMIC_SEQ_CST) > 0) {
        sleep(5);
        _exit(EXIT_FAILURE);
    }
    fflush(stdout);
    fprintf(stderr, "FAULT with seed %" PRIu64 ": disk %s, byte %" PRIu64 ": ", deeds->seed,
            ledger->name, off);
}

_Noreturn static void end_telling(const struct ledger *ledger, uint64_t off)
{
    fprintf(stderr,
            "\nWhat was done there, the latest first; now it is %" PRIu64 ", flushed was %" PRIu64
            ":\n",
            ledger->clock->now, ledger->flushed);
    tell_deeds(ledger, off);
    fflush(stderr);
    _exit(EXIT_FAILURE);
}

_Noreturn void fault(const struct ledger *ledger, uint64_t off, const char *format, ...)
{
    va_list values;

    begin_telling(ledger, off);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    end_telling(ledger, off);
}

/* Print up to sixteen bytes. */
static void tell_bytes(const char *name, const uint8_t *bytes, uint64_t len)
{
    fprintf(stderr, "\n  %-9s", name);
    for (uint64_t i = 0; i < len && i < 16; i++)
        fprintf(stderr, " %02x", bytes[i]);
}

/* Print a range as runs of bytes that equal the old content, the new, both or neither. */
static void tell_mixture(const uint8_t *got, const uint8_t *before, const uint8_t *after,
                         uint64_t len)
{
    for (uint64_t i = 0, run; i < len; i += run) {
        const bool is_old = got[i] == before[i], is_new = got[i] == after[i];
        for (run = 1; i + run < len && (got[i + run] == before[i + run]) == is_old &&
                      (got[i + run] == after[i + run]) == is_new;)
            run++;
        if (run > 4 || (!is_old && !is_new))
            fprintf(stderr, "\n  %" PRIu64 " bytes from %" PRIu64 " on: %s", run, i,
                    is_old && is_new ? "as before and after"
                    : is_old         ? "as before"
                    : is_new         ? "as after"
                                     : "neither");
    }
}

_Noreturn void fault_of_mixture(const struct ledger *ledger, const uint8_t *got,
                                const uint8_t *before, const uint8_t *after, uint64_t len,
                                uint64_t off)
{
    begin_telling(ledger, off);
    fprintf(stderr, "%" PRIu64 " bytes are neither as they were nor as they were to be", len);
    tell_mixture(got, before, after, len);
    end_telling(ledger, off);
}

_Noreturn void fault_of_content(const struct ledger *ledger, const uint8_t *got,
                                const uint8_t *expected, uint64_t len, uint64_t off)
{
    uint64_t first = 0, wrong = 0;

    while (first < len && got[first] == expected[first])
        first++;
    for (uint64_t i = first; i < len; i++)
        wrong += got[i] != expected[i];
    begin_telling(ledger, off + first);
    fprintf(stderr, "%" PRIu64 " bytes are not what they were, of %" PRIu64 " read at %" PRIu64,
            wrong, len, off);
    tell_bytes("got", got + first, len - first);
    tell_bytes("expected", expected + first, len - first);
    end_telling(ledger, off + first);
}

/* Print the values of a sector's words, runs of equal ones together. */
static void tell_words(const uint8_t *sector)
{
    for (unsigned i = 0; i < STAMP_WORDS;) {
        const uint64_t value = stamp_of(stamp_word(sector, i), i);
        unsigned run = 1;
        while (i + run < STAMP_WORDS && stamp_of(stamp_word(sector, i + run), i + run) == value)
            run++;
        fprintf(stderr, "\n  words %u to %u: %016" PRIx64, i, i + run - 1,
                value == HISTORY_SETTLED ? stamp_word(sector, i) : value);
        i += run;
    }
}

/* Print all records of a sector's history. */
static void tell_history(const struct history *history)
{
    for (unsigned i = 0; i < history->count; i++) {
        const struct history_record *record = &history->records[i];
        fprintf(stderr, "\n  %016" PRIx64 ": %" PRIu64 " to %" PRId64 ", dead since %" PRId64,
                record->value, record->begin, (int64_t)record->end, (int64_t)record->dead);
    }
}

_Noreturn void fault_of_sector(const struct ledger *ledger, const uint8_t *got, uint64_t off,
                               const char *wrong)
{
    begin_telling(ledger, off);
    fputs(wrong, stderr);
    tell_words(got);
    fputs("\nIts history:", stderr);
    tell_history(ledger_history(ledger, off / STAMP_SECTOR));
    end_telling(ledger, off);
}
