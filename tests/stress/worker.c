/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "chance.h"
#include "fault.h"
#include "wait.h"

void crew_await(const struct crew *crew, uint64_t deeds, unsigned most_ms)
{
    const uint64_t enough = __atomic_load_n(&crew->done, __ATOMIC_RELAXED) + deeds;
    const struct timespec end = clock_after(clock_monotonic(), most_ms);

    for (struct timespec now = clock_monotonic();
         now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec);
         now = clock_monotonic()) {
        if (__atomic_load_n(&crew->done, __ATOMIC_RELAXED) >= enough)
            return;
        wait_ms(2);
    }
}

void crew_tell(const struct crew *crew)
{
    const struct ledger_clock *clock = crew->disks[0].ledger->clock;

    printf("%" PRIu64 " deeds, %" PRIu64 " refused by a full host, %" PRIu64
           " sectors read in the midst of a write, %" PRIu64 " not judged\n",
           crew->done, crew->refused, clock->mixed, clock->unknown);
}

void worker_excuse(struct worker *worker, const struct deed *deed)
{
    bool is_full = deed->err == -ENOSPC || deed->err == -EDQUOT;

    if (!is_full || !worker->crew->may_be_full)
        fault(deed->ledger, deed->off, "%s fails: %s", deed->what, strerror(-deed->err));
    __atomic_add_fetch(&worker->crew->refused, 1, __ATOMIC_RELAXED);
}

void worker_flush(struct worker *worker, struct stressed *disk)
{
    struct ledger *ledger = disk->ledger;
    struct deed *deed = deed_begin(&(struct deed){
        .what = "flush",
        .ledger = ledger,
        .worker = worker->number,
        .len = ledger->size,
        .begin = ledger_tick(ledger->clock),
    });

    deed_end(deed, disk->target->ops->flush(disk->target));
    if (deed->err < 0)
        fault(ledger, 0, "flush fails: %s", strerror(-deed->err));
    ledger_note_flush(ledger, deed->begin);
}

void worker_deed(struct worker *worker)
{
    struct crew *crew = worker->crew;
    struct stressed *disk = &crew->disks[chance_below(&worker->seed, crew->disk_count)];
    bool is_writable = __atomic_load_n(&disk->is_writable, __ATOMIC_ACQUIRE);

    if (is_writable && chance_one_in(&worker->seed, 40))
        worker_flush(worker, disk);
    else if (chance_one_in(&worker->seed, 2))
        owned_deed(worker, disk);
    else
        shared_deed(worker, disk);
    __atomic_add_fetch(&crew->done, 1, __ATOMIC_RELAXED);
}

void worker_begin(struct worker *worker)
{
    worker->buf = aligned_alloc(4096, WORKER_LENGTH_MAX);
    worker->other = aligned_alloc(4096, WORKER_LENGTH_MAX);
    if (!worker->buf || !worker->other)
        errx(EXIT_FAILURE, "out of memory");
}

void worker_end(struct worker *worker)
{
    free(worker->buf);
    free(worker->other);
}

void worker_run(struct worker *worker)
{
    worker_begin(worker);
    while (!__atomic_load_n(&worker->crew->is_over, __ATOMIC_RELAXED))
        worker_deed(worker);
    worker_end(worker);
}
