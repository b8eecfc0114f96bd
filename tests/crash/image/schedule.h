/* SPDX-License-Identifier: MIT */
/*
 * Schedules of two threads. One is held before its n-th call. The other runs to its end, or until
 * it waits for the first; then the first goes on. All n are tried in turn. A barrier counts as two
 * calls, so that a thread can be held in the middle.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "play.h"

/* The work of one thread. */
typedef void player(struct play *play);

struct schedule;

/*
 * A schedule: the number of the held thread, 0 or 1, and of the call before which it is held, from
 * 0.
 */
struct schedule *schedule_new(unsigned held, uint32_t call);

/* A recorder_hook. Its argument is the schedule. */
int schedule_hook(void *arg, enum call call);

/* Run both; returns when both have ended. */
void schedule_run(struct schedule *schedule, struct play *play, player *players[2]);

/* Was the thread held? If not, it has fewer calls. Releases the schedule. */
bool schedule_end(struct schedule *schedule);
