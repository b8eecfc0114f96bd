/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/rounding.h"
#include "chance.h"
#include "fault.h"
#include "stamp.h"

enum { PIECE = 1 << 20, LOTS_MAX = 1 << 16 };

uint64_t ledger_tick(struct ledger_clock *clock)
{
    return __atomic_add_fetch(&clock->now, 1, __ATOMIC_SEQ_CST);
}

void ledger_note_flush(struct ledger *ledger, uint64_t begin)
{
    uint64_t was = __atomic_load_n(&ledger->flushed, __ATOMIC_SEQ_CST);

    while (was < begin && !__atomic_compare_exchange_n(&ledger->flushed, &was, begin, false,
                                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        continue;
}

void *ledger_memory(uint64_t len)
{
    void *memory =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        err(EXIT_FAILURE, "%" PRIu64 " bytes of memory", len);
    return memory;
}

struct ledger *ledger_new(const char *name, uint64_t size, struct ledger_clock *clock)
{
    struct ledger *ledger = ledger_memory(sizeof *ledger);
    const uint64_t sectors = size / STAMP_SECTOR;

    *ledger = (struct ledger){
        .name = name,
        .size = size,
        .bytes = ledger_memory(size),
        .lots = ledger_memory(LOTS_MAX * sizeof *ledger->lots),
        .histories = ledger_memory(sectors * sizeof *ledger->histories),
        .history_of = ledger_memory(sectors * sizeof *ledger->history_of),
        .clock = clock,
    };
    return ledger;
}

/* The length of the next lot. Short and long ones are equally frequent. */
static uint64_t draw_length(const struct ledger_plan *plan, uint64_t left, uint64_t *seed)
{
    uint64_t len = plan->align, max = plan->lot_max < left ? plan->lot_max : left;

    while (len < max && !chance_one_in(seed, 8))
        len *= 2;
    len += chance_below(seed, len);
    if (len >= max)
        return max;
    len -= len % plan->align;
    return len;
}

/*
 * Give each sector of a lot a history.
 *
 *   next  the first free history; moves on
 */
static void make_shared(struct ledger *ledger, struct lot *lot, uint32_t *next)
{
    lot->owner = LEDGER_SHARED;
    for (uint64_t i = 0; i < lot->len / STAMP_SECTOR; i++) {
        ledger->history_of[lot->off / STAMP_SECTOR + i] = *next;
        history_init(&ledger->histories[(*next)++]);
    }
}

/* Extend a lot to whole sectors, and the lot before it up to there. */
static void widen_to_sectors(struct ledger *ledger, struct lot *lot)
{
    const uint64_t gap = (STAMP_SECTOR - lot->off % STAMP_SECTOR) % STAMP_SECTOR;

    if (gap > 0)
        lot[-1].len += gap;
    lot->off += gap;
    lot->len = round_up(lot->len, STAMP_SECTOR);
    if (lot->len > ledger->size - lot->off)
        lot->len = ledger->size - lot->off;
}

void ledger_cut(struct ledger *ledger, const struct ledger_plan *plan, uint64_t *seed)
{
    uint64_t shared = 0;
    uint32_t next = 0;

    ledger->lot_count = 0;
    for (uint64_t off = 0; off < ledger->size;) {
        struct lot *lot = &ledger->lots[ledger->lot_count++];
        const uint64_t left = ledger->size - off;
        *lot = (struct lot){off, draw_length(plan, left, seed),
                            (uint32_t)chance_below(seed, plan->workers)};
        if (ledger->lot_count == LOTS_MAX)
            lot->len = left;
        bool is_shared = round_up(off, STAMP_SECTOR) < ledger->size &&
                         chance_below(seed, 100) < plan->shared_percent;
        if (is_shared && shared + lot->len <= plan->shared_max) {
            widen_to_sectors(ledger, lot);
            shared += lot->len;
            make_shared(ledger, lot, &next);
        }
        off = lot->off + lot->len;
    }
}

const struct lot *ledger_pick(const struct ledger *ledger, uint32_t owner, uint64_t *seed)
{
    const unsigned first = (unsigned)chance_below(seed, ledger->lot_count);

    for (unsigned i = 0; i < ledger->lot_count; i++) {
        const struct lot *lot = &ledger->lots[(first + i) % ledger->lot_count];
        if (lot->owner == owner)
            return lot;
    }
    return NULL;
}

struct history *ledger_history(const struct ledger *ledger, uint64_t sector)
{
    return &ledger->histories[ledger->history_of[sector]];
}

/* Returns true with the value if one write filled the whole sector. */
static bool is_uniform(const uint8_t *buf, uint64_t *ret_value)
{
    *ret_value = stamp_of(stamp_word(buf, 0), 0);
    for (unsigned i = 1; i < STAMP_WORDS; i++) {
        if (stamp_of(stamp_word(buf, i), i) != *ret_value)
            return false;
    }
    return *ret_value != HISTORY_SETTLED;
}

/* Returns false if the history rules the value out. Unknown values pass and are counted. */
static bool is_legal(struct ledger_clock *clock, struct history *history, uint64_t value,
                     uint64_t begin, uint64_t end)
{
    enum history_verdict verdict = history_read(history, value, begin, end);

    if (verdict == HISTORY_UNKNOWN)
        __atomic_add_fetch(&clock->unknown, 1, __ATOMIC_RELAXED);
    return verdict != HISTORY_ILLEGAL;
}

/* Returns true if each byte of a word is legal, as history_may_hold_byte() says. */
static bool is_torn(const struct ledger *ledger, uint64_t sector, const uint8_t *buf,
                    unsigned place, uint64_t begin, uint64_t end)
{
    const uint64_t word = stamp_word(buf, place),
                   known = stamp_word(ledger->bytes + sector * STAMP_SECTOR, place);

    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (!history_may_hold_byte(ledger_history(ledger, sector), place, shift,
                                   (uint8_t)(word >> shift), (uint8_t)(known >> shift), begin, end))
            return false;
    }
    return true;
}

/*
 * A sector with words of several writes: each word must be legal, as old content or as a write's.
 */
static const char *judge_mixed(const struct ledger *ledger, uint64_t sector, const uint8_t *buf,
                               uint64_t begin, uint64_t end)
{
    struct history *history = ledger_history(ledger, sector);
    const uint8_t *known = ledger->bytes + sector * STAMP_SECTOR;

    if (!history_was_written(history, begin))
        return "parts of several writes, though nobody was writing";
    for (unsigned i = 0; i < STAMP_WORDS; i++) {
        const uint64_t word = stamp_word(buf, i), value = stamp_of(word, i);
        bool is_old = word == stamp_word(known, i) &&
                      is_legal(ledger->clock, history, HISTORY_SETTLED, begin, end);
        bool is_new =
            value != HISTORY_SETTLED && is_legal(ledger->clock, history, value, begin, end);
        if (!is_old && !is_new && !is_torn(ledger, sector, buf, i, begin, end))
            return "a part that it cannot hold";
    }
    __atomic_add_fetch(&ledger->clock->mixed, 1, __ATOMIC_RELAXED);
    return NULL;
}

const char *ledger_judge(const struct ledger *ledger, uint64_t sector, const uint8_t *buf,
                         uint64_t begin, uint64_t end)
{
    struct history *history = ledger_history(ledger, sector);
    uint64_t value;

    if (memcmp(buf, ledger->bytes + sector * STAMP_SECTOR, STAMP_SECTOR) == 0 &&
        is_legal(ledger->clock, history, HISTORY_SETTLED, begin, end))
        return NULL;
    if (!is_uniform(buf, &value))
        return judge_mixed(ledger, sector, buf, begin, end);
    return is_legal(ledger->clock, history, value, begin, end) ? NULL
                                                               : "what it cannot hold any more";
}

/* Judge the bytes read from a lot that belongs to one worker. */
static void finish_owned(const struct ledger *ledger, const uint8_t *buf, uint64_t len,
                         uint64_t off)
{
    const uint8_t *expected = ledger->bytes + off;

    if (memcmp(buf, expected, len) != 0)
        fault_of_content(ledger, buf, expected, len, off);
}

/* Judge whole sectors read from a shared lot. */
static void finish_shared(struct ledger *ledger, const uint8_t *buf, uint64_t len, uint64_t off,
                          uint64_t since)
{
    const uint64_t now = ledger_tick(ledger->clock), mixed = ledger->clock->mixed;

    for (uint64_t at = 0; at < len; at += STAMP_SECTOR) {
        const uint64_t sector = (off + at) / STAMP_SECTOR;
        const char *wrong = ledger_judge(ledger, sector, buf + at, since ? since : now, now);
        if (ledger->clock->mixed > mixed)
            wrong = "parts of several writes, and all are at rest";
        if (wrong)
            fault_of_sector(ledger, buf + at, off + at, wrong);
        memcpy(ledger->bytes + off + at, buf + at, STAMP_SECTOR);
        history_restart(ledger_history(ledger, sector));
    }
}

void ledger_conclude(struct ledger *ledger, uint64_t since,
                     int (*read)(void *arg, void *buf, uint64_t len, uint64_t off), void *arg)
{
    /* Aligned for O_DIRECT. */
    AUTO_FREE uint8_t *buf = aligned_alloc(4096, PIECE);
    const struct lot *lot = ledger->lots;

    if (!buf)
        errx(EXIT_FAILURE, "out of memory");
    for (uint64_t off = 0; off < ledger->size; off += PIECE) {
        const uint64_t end = off + PIECE < ledger->size ? off + PIECE : ledger->size;
        int err = read(arg, buf, end - off, off);
        if (err < 0)
            fault(ledger, off, "cannot be read: %s", strerror(-err));
        for (uint64_t at = off; at < end;) {
            const uint64_t lot_end = lot->off + lot->len,
                           len = (lot_end < end ? lot_end : end) - at;
            if (lot->owner == LEDGER_SHARED)
                finish_shared(ledger, buf + (at - off), len, at, since);
            else
                finish_owned(ledger, buf + (at - off), len, at);
            at += len;
            lot += at == lot_end;
        }
    }
}
