/* SPDX-License-Identifier: MIT */
/*
 * A round that ends with SIGKILL: no thread finishes and no disk is closed. All answered writes
 * must be there. A differencing disk may lose those since the last flush.
 *
 * The process is killed only while no thread writes to a history, because half a record would be
 * useless.
 */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chance.h"
#include "fault.h"
#include "run.h"
#include "wait.h"

static void *work(void *worker)
{
    worker_run(worker);
    return NULL;
}

_Noreturn static void be_killed(struct run *run, struct worker workers[RUN_WORKERS])
{
    pthread_t thread;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned i = 0; i < run->crew->disk_count; i++)
        run_open(run, i, VHD_DISK_WRITE | (chance_one_in(&run->seed, 2) ? VHD_DISK_NO_FLUSHER : 0));
    for (unsigned i = 0; i < RUN_WORKERS; i++) {
        if (pthread_create(&thread, NULL, work, &workers[i]) != 0)
            _exit(EXIT_FAILURE);
    }
    for (;;)
        pause();
}

static void await(pid_t pid, int options, bool is_stop)
{
    int status;

    if (waitpid(pid, &status, options) != pid)
        err(EXIT_FAILURE, "waitpid");
    if (is_stop ? !WIFSTOPPED(status) : !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        exit(EXIT_FAILURE); /* it has found and printed a fault */
}

static void kill_at_work(struct run *run, pid_t pid)
{
    for (;;) {
        kill(pid, SIGSTOP);
        await(pid, WUNTRACED, true);
        if (__atomic_load_n(&run->crew->bookkeeping, __ATOMIC_SEQ_CST) == 0)
            break;
        kill(pid, SIGCONT);
        wait_ms(1);
    }
    kill(pid, SIGKILL);
    await(pid, 0, false);
}

/* Data that was overwritten before this time must not come back. */
static uint64_t lost_since(const struct run *run, unsigned number)
{
    return run->disks[number].chain.count > 1 ? run->crew->disks[number].ledger->flushed : 0;
}

void run_kill_round(struct run *run)
{
    struct worker workers[RUN_WORKERS];

    for (unsigned i = 0; i < run->crew->disk_count; i++) {
        struct ledger *ledger = run->crew->disks[i].ledger;
        ledger_cut(ledger, &run->plan, &run->seed);
        ledger->flushed = ledger_tick(ledger->clock);
    }
    run_begin_round(run, workers);
    pid_t pid = fork();
    if (pid < 0)
        err(EXIT_FAILURE, "fork");
    if (pid == 0)
        be_killed(run, workers);
    crew_await(run->crew, 1 + chance_below(&run->seed, 500), 5000);
    kill_at_work(run, pid);
    for (unsigned i = 0; i < run->crew->disk_count; i++) {
        bool is_writable = chance_one_in(&run->seed, 2);
        run_open(run, i, (is_writable ? VHD_DISK_WRITE : 0) | VHD_DISK_NO_FLUSHER);
        run_conclude(run, i, lost_since(run, i));
        run_close(run, i);
    }
    /* Only opening for writing repairs an image. */
    for (unsigned i = 0; i < run->crew->disk_count; i++) {
        run_open(run, i, VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER);
        run_conclude(run, i, 0);
        run_close(run, i);
        run_check_images(run, i);
    }
}
