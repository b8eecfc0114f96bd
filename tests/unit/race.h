/* SPDX-License-Identifier: MIT */
/*
 * A race: in each round one thread runs a task, two cancel it, and one watches it and withdraws the
 * watch, all at the same moment. Two more watches stay. A file that includes this has included
 * cmocka.h before.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "job.h"

enum { CANCELLERS = 2, RACERS = CANCELLERS + 2 };

struct tally {
    struct vhd_task_watch watch;
    unsigned calls; /* atomic */
};

static inline void tally(struct vhd_task_watch *watch)
{
    COUNT(((struct tally *)watch)->calls);
}

struct round {
    struct job job;
    struct vhd_task *task;
    int cancelled[CANCELLERS];
    bool has_ended[CANCELLERS]; /* when the cancel returned */
    struct tally early, late;   /* they wait for the acceptance, for the end */
    struct tally leaving;
    int watched, unwatched;
};

struct race {
    pthread_barrier_t barrier;
    unsigned count;
    struct round *rounds;
};

struct racer {
    struct race *race;
    unsigned number;
};

static inline void spin(unsigned steps)
{
    for (volatile unsigned i = 0; i < steps; i++)
        ;
}

static inline void race_run(struct round *round, unsigned i)
{
    spin(i * 7 % 400);
    while (vhd_task_run(round->task, NULL, NULL))
        ;
}

/* In some rounds of long work the cancel comes after its admission has begun, or its acceptance. */
static inline void race_cancel(struct round *round, unsigned i, unsigned which)
{
    const bool is_long = round->early.watch.wants_acceptance;

    if (is_long && i % 4 == 1)
        UNTIL(READ(round->job.admissions) > 0 || vhd_task_has_ended(round->task));
    if (is_long && i % 4 == 3)
        UNTIL(READ(round->early.calls) > 0);
    else
        spin(i * 13 % 900);
    round->cancelled[which] = vhd_task_cancel(round->task);
    round->has_ended[which] = vhd_task_has_ended(round->task);
}

static inline void race_watch(struct round *round, unsigned i)
{
    round->watched = vhd_task_watch(round->task, &round->leaving.watch);
    spin(i * 11 % 700);
    round->unwatched = vhd_task_unwatch(round->task, &round->leaving.watch);
}

static inline void *race_thread(void *arg)
{
    const struct racer *racer = arg;
    struct race *race = racer->race;

    for (unsigned i = 0; i < race->count; i++) {
        struct round *round = &race->rounds[i];
        pthread_barrier_wait(&race->barrier);
        if (racer->number < CANCELLERS)
            race_cancel(round, i, racer->number);
        else if (racer->number == CANCELLERS)
            race_run(round, i);
        else
            race_watch(round, i);
    }
    return NULL;
}

/* Each watch was called once, and the outcome agrees with the answers. */
static inline void race_judge(const struct round *round)
{
    const struct vhd_task_status status = status_of(round->task);

    assert_true(status.is_complete);
    assert_int_equal(round->job.drops, 1);
    for (int i = 0; i < CANCELLERS; i++) {
        switch (round->cancelled[i]) {
        case 0: /* the cancel succeeded, so there is no disk */
            assert_int_equal(status.state, VHD_TASK_STOPPED);
            break;
        case -EBUSY:
            assert_int_equal(status.state, VHD_TASK_COMPLETED);
            break;
        default:
            assert_int_equal(round->cancelled[i], -ESRCH);
            assert_true(round->has_ended[i]);
        }
    }
    if (status.state == VHD_TASK_STOPPED)
        assert_true(round->cancelled[0] == 0 || round->cancelled[1] == 0);
    else
        assert_int_equal(status.state, VHD_TASK_COMPLETED);
    if (round->job.runs == 0 && round->job.admissions == 0)
        assert_true(is_zero(status.started));
    if (round->job.admissions > 0 && !status.is_accepted)
        assert_int_equal(round->job.runs, 0);

    bool was_watched = round->watched == 0, was_unwatched = round->unwatched == 0;
    assert_true(was_watched || round->watched == -ESRCH);
    assert_true(was_unwatched || round->unwatched == -ESRCH);
    assert_int_equal(round->leaving.calls, was_watched && !was_unwatched ? 1 : 0);
    assert_true(was_watched || !was_unwatched);
    assert_int_equal(round->early.calls, 1);
    assert_int_equal(round->late.calls, 1);
}

static inline void race_of_cancels(const struct vhd_work *work, unsigned rounds)
{
    struct race race = {.count = rounds, .rounds = calloc(rounds, sizeof *race.rounds)};
    pthread_t threads[RACERS];
    struct racer racers[RACERS];

    assert_non_null(race.rounds);
    pthread_barrier_init(&race.barrier, NULL, RACERS);
    for (unsigned i = 0; i < rounds; i++) {
        struct round *round = &race.rounds[i];
        round->job = job_at_once();
        round->task = task_of(work, &round->job);
        round->early.watch.wants_acceptance = work == &long_work;
        round->early.watch.reached = round->late.watch.reached = tally;
        round->leaving.watch.reached = tally;
        assert_int_equal(vhd_task_watch(round->task, &round->early.watch), 0);
        assert_int_equal(vhd_task_watch(round->task, &round->late.watch), 0);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){&race, i};
        assert_int_equal(pthread_create(&threads[i], NULL, race_thread, &racers[i]), 0);
    }
    for (unsigned i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < rounds; i++) {
        race_judge(&race.rounds[i]);
        vhd_task_unref(race.rounds[i].task);
        assert_int_equal(race.rounds[i].job.drops, 1);
    }
    pthread_barrier_destroy(&race.barrier);
    free(race.rounds);
}
