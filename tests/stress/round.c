/* SPDX-License-Identifier: MIT */
/*
 * A round: open the disks in one of several ways, run the threads, check all content, close. Then
 * check the closed images.
 */
#include <err.h>
#include <pthread.h>
#include <stdlib.h>

#include "chance.h"
#include "fault.h"
#include "hog.h"
#include "run.h"

static void *work(void *worker)
{
    worker_run(worker);
    return NULL;
}

/* Threads are reading the disks; make them writable meanwhile. */
static void make_writable(struct run *run)
{
    for (unsigned i = 0; i < run->crew->disk_count; i++) {
        struct stressed *stressed = &run->crew->disks[i];
        struct vhd_verdict why = {0};
        if (stressed->is_writable)
            continue;
        if (vhd_disk_make_writable(run->disks[i].disk, &why) != VHD_OK)
            fault(stressed->ledger, 0, "it cannot be made writable: %s", why.sentence);
        __atomic_store_n(&stressed->is_writable, true, __ATOMIC_RELEASE);
    }
}

static void open_disks(struct run *run)
{
    for (unsigned i = 0; i < run->crew->disk_count; i++) {
        unsigned flags = chance_one_in(&run->seed, 2) ? VHD_DISK_NO_FLUSHER : 0;
        flags |= chance_one_in(&run->seed, 2) ? VHD_DISK_WRITE : 0;
        run_open(run, i, flags);
        ledger_cut(run->crew->disks[i].ledger, &run->plan, &run->seed);
    }
}

/* The host has space again, so every call must succeed. One worker tries. */
static void go_on(struct run *run, struct worker *worker)
{
    run->crew->may_be_full = false;
    worker_begin(worker);
    for (int i = 0; i < 20; i++)
        worker_deed(worker);
    worker_end(worker);
    run->crew->may_be_full = run->is_host_small;
}

static void close_disks(struct run *run)
{
    for (unsigned i = 0; i < run->crew->disk_count; i++)
        run_conclude(run, i, 0);
    for (unsigned i = 0; i < run->crew->disk_count; i++)
        run_close(run, i);
}

/* Check the images, then open the disks read-only and check the content again. */
static void check_again(struct run *run)
{
    for (unsigned i = 0; i < run->crew->disk_count; i++) {
        run_check_images(run, i);
        run_open(run, i, 0);
        run_conclude(run, i, 0);
        run_close(run, i);
    }
}

void run_round(struct run *run)
{
    struct worker workers[RUN_WORKERS];
    pthread_t threads[RUN_WORKERS];
    struct hog hog;

    open_disks(run);
    run_begin_round(run, workers);
    if (run->is_host_small)
        hog_begin(&hog, run->folder, chance_seed(run->seed, 0));
    for (unsigned i = 0; i < RUN_WORKERS; i++) {
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            errx(EXIT_FAILURE, "cannot start a thread");
    }
    crew_await(run->crew, chance_below(&run->seed, 200), 500);
    make_writable(run);
    crew_await(run->crew, 200 + chance_below(&run->seed, 2000), 2000);
    __atomic_store_n(&run->crew->is_over, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < RUN_WORKERS; i++)
        pthread_join(threads[i], NULL);
    if (run->is_host_small) {
        hog_end(&hog);
        go_on(run, &workers[0]);
    }
    close_disks(run);
    check_again(run);
}
