/* SPDX-License-Identifier: MIT */
/*
 * Lots that all workers share. They write whole sectors of words that name the write. Each value
 * read must fit some order of the writes.
 */
#include <string.h>

#include "chance.h"
#include "fault.h"
#include "stamp.h"
#include "worker.h"

/* Sectors of a shared lot. */
struct sectors {
    uint64_t first, count;
};

static bool draw_sectors(struct worker *worker, const struct ledger *ledger, struct sectors *ret)
{
    const struct lot *lot = ledger_pick(ledger, LEDGER_SHARED, &worker->seed);
    if (!lot)
        return false;

    const uint64_t most = lot->len / STAMP_SECTOR;
    uint64_t count = (chance_length(&worker->seed, lot->len) + STAMP_SECTOR - 1) / STAMP_SECTOR;
    /* Workers compete for the first sectors most. Now and then a deed covers the whole lot. */
    if (chance_one_in(&worker->seed, 8))
        count = most;
    if (count * STAMP_SECTOR > WORKER_LENGTH_MAX)
        count = WORKER_LENGTH_MAX / STAMP_SECTOR;
    uint64_t start = chance_below(&worker->seed, most - count + 1);
    if (chance_one_in(&worker->seed, 3))
        start = start < 8 ? start : start % 8;
    *ret = (struct sectors){lot->off / STAMP_SECTOR + start, count};
    return true;
}

/* The value that the worker's present write gives a sector. */
static uint64_t value_of(const struct worker *worker, bool is_zero, uint64_t sector)
{
    return is_zero ? HISTORY_ZERO : stamp_value(worker->number, worker->sequence, sector);
}

static void end_histories(const struct worker *worker, const struct ledger *ledger,
                          const struct sectors *at, bool is_zero, uint64_t begin, bool is_done)
{
    const uint64_t end = ledger_tick(ledger->clock);

    for (uint64_t i = 0; i < at->count; i++)
        history_end(ledger_history(ledger, at->first + i), value_of(worker, is_zero, at->first + i),
                    begin, end, is_done);
}

/* Record the write in each sector's history. If one is full, the count shrinks, possibly to 0. */
static void begin_histories(const struct worker *worker, const struct ledger *ledger,
                            struct sectors *at, bool is_zero, uint64_t begin)
{
    for (uint64_t i = 0; i < at->count; i++) {
        if (!history_begin(ledger_history(ledger, at->first + i),
                           value_of(worker, is_zero, at->first + i), begin))
            at->count = i;
    }
}

static int do_change(struct worker *worker, struct stressed *disk, const struct sectors *at,
                     bool is_zero)
{
    struct target *target = disk->target;
    const uint64_t off = at->first * STAMP_SECTOR, len = at->count * STAMP_SECTOR;

    if (is_zero && chance_one_in(&worker->seed, 2))
        return target->ops->discard(target, len, off);
    for (uint64_t i = 0; i < at->count; i++) {
        if (is_zero)
            memset(worker->buf + i * STAMP_SECTOR, 0, STAMP_SECTOR);
        else
            stamp_sector(worker->buf + i * STAMP_SECTOR, value_of(worker, false, at->first + i));
    }
    return target->ops->write(target, worker->buf, len, off);
}

static struct deed *begin_deed(const struct worker *worker, const struct ledger *ledger,
                               const char *what, const struct sectors *at)
{
    return deed_begin(&(struct deed){
        .what = what,
        .ledger = ledger,
        .worker = worker->number,
        .off = at->first * STAMP_SECTOR,
        .len = at->count * STAMP_SECTOR,
        .begin = ledger_tick(ledger->clock),
    });
}

/* Tell kill.c that bookkeeping is going on, so that it does not kill the process now. */
static void keep_books(struct crew *crew, int step)
{
    __atomic_add_fetch(&crew->bookkeeping, step, __ATOMIC_SEQ_CST);
}

static void change(struct worker *worker, struct stressed *disk, struct sectors *at)
{
    struct ledger *ledger = disk->ledger;
    bool is_zero = chance_one_in(&worker->seed, 4);

    worker->sequence++;
    keep_books(worker->crew, 1);
    struct deed *deed = begin_deed(worker, ledger, is_zero ? "shared zeros" : "shared write", at);
    deed->value = value_of(worker, is_zero, 0);
    begin_histories(worker, ledger, at, is_zero, deed->begin);
    keep_books(worker->crew, -1);
    int err = at->count > 0 ? do_change(worker, disk, at, is_zero) : 0;
    keep_books(worker->crew, 1);
    deed_end(deed, err);
    end_histories(worker, ledger, at, is_zero, deed->begin, err == 0);
    keep_books(worker->crew, -1);
    if (err < 0)
        worker_excuse(worker, deed);
}

static void compare(struct worker *worker, struct stressed *disk, const struct sectors *at)
{
    const struct ledger *ledger = disk->ledger;
    const uint64_t off = at->first * STAMP_SECTOR, len = at->count * STAMP_SECTOR;

    struct deed *deed = begin_deed(worker, ledger, "shared read", at);
    int err = disk->target->ops->read(disk->target, worker->buf, len, off);
    keep_books(worker->crew, 1);
    deed_end(deed, err);
    if (err < 0)
        fault(ledger, off, "a read fails: %s", strerror(-err));
    const uint64_t end = ledger_tick(ledger->clock);
    for (uint64_t i = 0; i < at->count; i++) {
        const uint8_t *sector = worker->buf + i * STAMP_SECTOR;
        const char *wrong = ledger_judge(ledger, at->first + i, sector, deed->begin, end);
        if (wrong)
            fault_of_sector(ledger, sector, off + i * STAMP_SECTOR, wrong);
    }
    keep_books(worker->crew, -1);
}

void shared_deed(struct worker *worker, struct stressed *disk)
{
    bool is_writable = __atomic_load_n(&disk->is_writable, __ATOMIC_ACQUIRE);
    struct sectors at;

    if (!draw_sectors(worker, disk->ledger, &at))
        return;
    if (!is_writable || chance_one_in(&worker->seed, 2))
        compare(worker, disk, &at);
    else
        change(worker, disk, &at);
}
