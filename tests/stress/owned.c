/* SPDX-License-Identifier: MIT */
/*
 * Lots that belong to one worker. It knows every byte, so it checks every byte of any range.
 */
#include <errno.h>
#include <string.h>

#include "base/zeros.h"
#include "chance.h"
#include "fault.h"
#include "stamp.h"
#include "worker.h"

/* A range inside one of the worker's lots. */
struct stretch {
    uint64_t off, len;
};

static bool draw_stretch(struct worker *worker, const struct ledger *ledger, uint64_t most,
                         struct stretch *ret)
{
    const struct lot *lot = ledger_pick(ledger, worker->number, &worker->seed);
    if (!lot)
        return false;

    uint64_t len = chance_length(&worker->seed, most < lot->len ? most : lot->len);
    uint64_t start = chance_below(&worker->seed, lot->len - len + 1);
    /* Faults are likely at the ends of lots and sectors. */
    if (chance_one_in(&worker->seed, 4))
        start = chance_one_in(&worker->seed, 2) ? 0 : lot->len - len;
    else if (chance_one_in(&worker->seed, 3) && start > STAMP_SECTOR)
        start -= (lot->off + start) % STAMP_SECTOR;
    *ret = (struct stretch){lot->off + start, len};
    return true;
}

static struct deed *begin(const struct worker *worker, const struct ledger *ledger,
                          const char *what, const struct stretch *at)
{
    return deed_begin(&(struct deed){
        .what = what,
        .ledger = ledger,
        .worker = worker->number,
        .off = at->off,
        .len = at->len,
        .begin = ledger_tick(ledger->clock),
    });
}

static void read_back(struct worker *worker, struct stressed *disk, const struct stretch *at)
{
    const struct target_ops *ops = disk->target->ops;
    bool is_load = ops->load && chance_one_in(&worker->seed, 4);
    struct deed *deed = begin(worker, disk->ledger, is_load ? "load" : "read", at);

    deed_end(deed,
             (is_load ? ops->load : ops->read)(disk->target, worker->other, at->len, at->off));
    if (deed->err < 0)
        fault(disk->ledger, at->off, "a read fails: %s", strerror(-deed->err));
}

static void check(struct worker *worker, struct stressed *disk, const struct stretch *at)
{
    const uint8_t *expected = disk->ledger->bytes + at->off;

    read_back(worker, disk, at);
    if (memcmp(worker->other, expected, at->len) != 0)
        fault_of_content(disk->ledger, worker->other, expected, at->len, at->off);
}

/* After a failed deed each sector is old or new. Read which, and expect that from now on. */
static void count_stock(struct worker *worker, struct stressed *disk, const struct stretch *at,
                        const uint8_t *wanted)
{
    uint8_t *expected = disk->ledger->bytes + at->off;
    const uint8_t *got = worker->other;

    read_back(worker, disk, at);
    for (uint64_t done = 0, len; done < at->len; done += len) {
        len = STAMP_SECTOR - (at->off + done) % STAMP_SECTOR;
        if (len > at->len - done)
            len = at->len - done;
        if (memcmp(got + done, wanted + done, len) == 0)
            memcpy(expected + done, wanted + done, len);
        else if (memcmp(got + done, expected + done, len) != 0)
            fault_of_mixture(disk->ledger, got + done, expected + done, wanted + done, len,
                             at->off + done);
    }
}

/* Expect the new content after a deed, or check what its failure left. */
static void expect(struct worker *worker, struct stressed *disk, const struct deed *deed,
                   const struct stretch *at, const uint8_t *wanted)
{
    if (deed->err == 0) {
        memcpy(disk->ledger->bytes + at->off, wanted, at->len);
    } else {
        worker_excuse(worker, deed);
        count_stock(worker, disk, at, wanted);
    }
}

static void write_at(struct worker *worker, struct stressed *disk, const struct stretch *at)
{
    const struct target_ops *ops = disk->target->ops;
    bool is_store = ops->store && chance_one_in(&worker->seed, 4);
    bool is_zero = chance_one_in(&worker->seed, 6);
    struct deed *deed = begin(worker, disk->ledger, is_store ? "store" : "write", at);

    if (is_zero)
        memset(worker->buf, 0, at->len);
    else
        chance_fill(&worker->seed, worker->buf, at->len);
    deed_end(deed,
             (is_store ? ops->store : ops->write)(disk->target, worker->buf, at->len, at->off));
    expect(worker, disk, deed, at, worker->buf);
}

static void discard_at(struct worker *worker, struct stressed *disk, const struct stretch *at)
{
    struct deed *deed = begin(worker, disk->ledger, "discard", at);

    memset(worker->buf, 0, at->len);
    deed_end(deed, disk->target->ops->discard(disk->target, at->len, at->off));
    expect(worker, disk, deed, at, worker->buf);
}

/* Copy from one of the worker's lots on any disk to one on this disk. The ranges never overlap. */
static void copy_to(struct worker *worker, struct stressed *disk, const struct stretch *at)
{
    struct crew *crew = worker->crew;
    struct stressed *from = &crew->disks[chance_below(&worker->seed, crew->disk_count)];
    struct stretch source, target = *at;

    if (!draw_stretch(worker, from->ledger, at->len, &source))
        return;
    target.len = source.len;
    if (from == disk && source.off < target.off + target.len &&
        target.off < source.off + source.len)
        return;
    struct deed *deed = begin(worker, disk->ledger, "copy", &target);
    memcpy(worker->buf, from->ledger->bytes + source.off, source.len);
    deed_end(deed, disk->target->ops->copy(from->target, source.off, disk->target, target.off,
                                           target.len));
    expect(worker, disk, deed, &target, worker->buf);
}

/* Bytes that a seek skips as a hole must be zeros, otherwise it hides data. */
static void seek_in(struct worker *worker, struct stressed *disk, const struct stretch *at)
{
    const struct ledger *ledger = disk->ledger;
    const uint64_t end = at->off + at->len;
    uint64_t hole = at->off, data = end;

    struct deed *deed = begin(worker, ledger, "seek", at);
    if (chance_one_in(&worker->seed, 2)) {
        int err = disk->target->ops->seek(disk->target, at->off, true, &hole);
        if (err < 0 || hole < at->off || hole > ledger->size)
            fault(ledger, at->off, "no hole is found, not even the end: %s", strerror(-err));
        if (hole < end && ledger->bytes[hole] != 0)
            fault(ledger, hole, "there are data, and seek says that a hole begins");
    }
    if (hole < end) {
        int err = disk->target->ops->seek(disk->target, hole, false, &data);
        if (err == -ENXIO)
            data = end;
        else if (err < 0 || data < hole || data >= ledger->size)
            fault(ledger, hole, "seeking data fails: %s", strerror(-err));
        data = data < end ? data : end;
        if (!is_zeros(ledger->bytes + hole, data - hole))
            fault(ledger, hole, "there are data, and seek says that none begin before %lu",
                  (unsigned long)data);
    }
    deed_end(deed, 0);
}

void owned_deed(struct worker *worker, struct stressed *disk)
{
    bool is_writable = __atomic_load_n(&disk->is_writable, __ATOMIC_ACQUIRE);
    struct stretch at;

    if (!draw_stretch(worker, disk->ledger, WORKER_LENGTH_MAX, &at))
        return;
    unsigned deed = (unsigned)chance_below(&worker->seed, 100);
    if (deed < 30)
        check(worker, disk, &at);
    else if (deed < 42)
        seek_in(worker, disk, &at);
    else if (!is_writable)
        check(worker, disk, &at);
    else if (deed < 75)
        write_at(worker, disk, &at);
    else if (deed < 90)
        discard_at(worker, disk, &at);
    else
        copy_to(worker, disk, &at);
}
