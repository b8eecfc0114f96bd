/* SPDX-License-Identifier: MIT */
/*
 * Workloads: operations on a disk during which crashes are tried. Each is a row of a table. run.h
 * plays it on hosts of each class, in the ways that the row names.
 */
#pragma once

#include <stdint.h>

#include "bytes.h"
#include "plan.h"
#include "schedule.h"

enum { ON_A = 1 << HOST_A, ON_D = 1 << HOST_D, ON_X = 1 << HOST_X, ON_ALL = ON_A | ON_D | ON_X };

/*
 * A failing host: the first such call fails, then the second, the third, each in a run of its own.
 */
struct failure {
    uint32_t calls;  /* 1 << CALL_..., or-ed */
    int outcomes[2]; /* the hook's result for the failing call, and for the next such call */
    bool lasts;      /* all later such calls fail too, until the workload's next begins */
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

    /* after kill -9 at each position of life, or after a life on a failing host */
    player *next;
    bool is_killed;
    struct failure failure;

    /* random lives instead of life */
    bool is_random;

    /* operations on a state after it was opened for writing; NULL for the usual ones */
    player *probe;
};

/* The workloads of one file, which defines them at its end. */
struct workload_table {
    const char *name;
    const struct workload *rows;
    uint32_t count;
};

extern const struct workload_table growth_workloads, reuse_workloads, thread_workloads,
    failure_workloads, differencing_workloads, relink_workloads, foreign_workloads,
    compact_workloads, merge_workloads, chance_workloads;

/*
 * The workload with a number, counted from 0 through all tables; NULL behind the last.
 *
 *   ret_table  receives the name of its table; may be NULL
 */
const struct workload *workload_at(uint32_t number, const char **ret_table);

/* The next process's operations on the disk of a killed one: a bit of everything. */
void play_next_life(struct play *play);

#define ROW_COUNT(rows) (sizeof(rows) / sizeof *(rows))
