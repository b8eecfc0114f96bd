/*
 * Workloads: what is done to a disk while crashes are looked for. Each is a row of a table; run.h
 * plays it, on hosts of each class, in the ways that the row asks for.
 */
#pragma once

#include <stdint.h>

#include "bytes.h"
#include "plan.h"
#include "schedule.h"

enum { ON_A = 1 << HOST_A, ON_D = 1 << HOST_D, ON_X = 1 << HOST_X, ON_ALL = ON_A | ON_D | ON_X };

/* How a host fails: the first, the second, the third such call, each in a run of its own. */
struct failure {
    uint32_t calls;  /* 1 << CALL_..., or-ed */
    int outcomes[2]; /* what a recorder_hook returns for it, and for the next such call */
    bool lasts;      /* and for all others behind it, until the workload's next begins */
};

struct workload {
    const char *name;
    const struct plan *plan;
    unsigned hosts; /* ON_... */

    /* one thread: opens the disk, plays, and closes it or leaves it open for the players */
    player *life;

    /* two threads at a time, after life, in every order that schedule.h makes; then end */
    player *players[2];
    player *end;

    /* after kill -9 at each position of life, or after a life in which the host has failed */
    player *next;
    bool is_killed;
    struct failure failure;

    /* instead of life: random ones */
    bool is_random;

    /* what is done to a state after it was opened for writing; NULL for the usual */
    player *probe;
};

/* The workloads of one file, which has them at its foot. */
struct workload_table {
    const char *name;
    const struct workload *rows;
    uint32_t count;
};

extern const struct workload_table growth_workloads, reuse_workloads, thread_workloads,
    failure_workloads, differencing_workloads, foreign_workloads, chance_workloads;

/*
 * The workload of a number, counted through all tables from 0; NULL behind the last.
 *
 *   ret_table  receives the name of its table; may be NULL
 */
const struct workload *workload_at(uint32_t number, const char **ret_table);

/* What the next process does to a disk whose user was killed: a bit of everything. */
void play_next_life(struct play *play);

#define ROW_COUNT(rows) (sizeof(rows) / sizeof *(rows))
