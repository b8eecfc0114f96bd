/*
 * Schedules of two threads: one is held up before its n-th call, the other goes on to its end or
 * until it waits for the first, which then goes on. All n are tried in turn. A barrier counts as
 * two calls, so that one can be held up half-way.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "play.h"

/* What each thread does. */
typedef void player(struct play *play);

struct schedule;

/* A schedule: the thread held (0 or 1), before which of its calls, counted from 0. */
struct schedule *schedule_new(unsigned held, uint32_t call);

/* A recorder_hook; its argument is the schedule. */
int schedule_hook(void *arg, enum call call);

/* Run both; returns when both have ended. */
void schedule_run(struct schedule *schedule, struct play *play, player *players[2]);

/*
 * Was the thread held up there? Otherwise it has fewer calls than that. Releases the schedule.
 */
bool schedule_end(struct schedule *schedule);
