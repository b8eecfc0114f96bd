/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/*
 * The longest wait for the other thread, the pause between two checks, and the checks in a row that
 * must find it waiting.
 */
enum { DEADLINE_MS = 5000, CHECK_NS = 50000, CHECKS = 4 };

enum { HELD, OTHER };

struct schedule {
    unsigned held;
    uint32_t call;
    struct play *play;
    player *players[2];

    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t changed;
    uint32_t calls; /* of the held thread */
    bool is_held, was_held, may_go;
    bool has_ended[2];
    pid_t other; /* 0 before it has begun */
};

/* The role of this thread in its schedule; OTHER for threads without one. */
static _Thread_local unsigned role = OTHER;

struct schedule *schedule_new(unsigned held, uint32_t call)
{
    struct schedule *schedule = calloc(1, sizeof *schedule);

    if (!schedule)
        err(EXIT_FAILURE, "schedule");
    schedule->held = held;
    schedule->call = call;
    pthread_mutex_init(&schedule->lock, NULL);
    clock_cond_init(&schedule->changed);
    return schedule;
}

int schedule_hook(void *arg, enum call call)
{
    struct schedule *schedule = arg;

    (void)call;
    if (role != HELD)
        return 0;
    HOLD_LOCK(&schedule->lock);
    if (schedule->calls++ != schedule->call)
        return 0;
    schedule->is_held = schedule->was_held = true;
    pthread_cond_broadcast(&schedule->changed);
    while (!schedule->may_go)
        pthread_cond_wait(&schedule->changed, &schedule->lock);
    schedule->is_held = false;
    return 0;
}

static void play_role(struct schedule *schedule, unsigned own)
{
    role = own;
    schedule->players[own == HELD ? schedule->held : 1 - schedule->held](schedule->play);
    HOLD_LOCK(&schedule->lock);
    schedule->has_ended[own] = true;
    pthread_cond_broadcast(&schedule->changed);
}

static void *play_held(void *arg)
{
    play_role(arg, HELD);
    return NULL;
}

static void *play_other(void *arg)
{
    struct schedule *schedule = arg;

    pthread_mutex_lock(&schedule->lock);
    schedule->other = gettid();
    pthread_mutex_unlock(&schedule->lock);
    play_role(schedule, OTHER);
    return NULL;
}

/* Does a thread of this process sleep? */
static bool is_waiting(pid_t thread)
{
    char path[64], stat[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, stat, sizeof stat - 1) <= 0)
        return false;
    const char *state = strrchr(stat, ')');
    return state && state[1] == ' ' && state[2] == 'S';
}

/* Has the other thread ended, or does it wait? Call under the lock. */
static bool is_idle(struct schedule *schedule)
{
    return schedule->has_ended[OTHER] || (schedule->other && is_waiting(schedule->other));
}

/*
 * Let the other thread run. If several checks find it asleep, it waits for the held thread.
 * Otherwise this is just another order of the two, which is as good.
 */
static void await_other(struct schedule *schedule)
{
    const struct timespec pause = {.tv_nsec = CHECK_NS}, start = clock_monotonic();
    int idle = 0;

    while (idle < CHECKS && clock_monotonic().tv_sec - start.tv_sec < DEADLINE_MS / 1000) {
        nanosleep(&pause, NULL);
        HOLD_LOCK(&schedule->lock);
        if (schedule->has_ended[OTHER])
            return;
        idle = is_idle(schedule) ? idle + 1 : 0;
    }
}

static pthread_t start(void *(*body)(void *), struct schedule *schedule)
{
    pthread_t thread;
    int result = pthread_create(&thread, NULL, body, schedule);

    if (result != 0)
        errx(EXIT_FAILURE, "no thread: %s", strerror(result));
    return thread;
}

void schedule_run(struct schedule *schedule, struct play *play, player *players[2])
{
    schedule->play = play;
    memcpy(schedule->players, players, sizeof schedule->players);
    pthread_t held = start(play_held, schedule);

    pthread_mutex_lock(&schedule->lock);
    while (!schedule->is_held && !schedule->has_ended[HELD])
        pthread_cond_wait(&schedule->changed, &schedule->lock);
    pthread_mutex_unlock(&schedule->lock);

    pthread_t other = start(play_other, schedule);
    await_other(schedule);

    pthread_mutex_lock(&schedule->lock);
    schedule->may_go = true;
    pthread_cond_broadcast(&schedule->changed);
    pthread_mutex_unlock(&schedule->lock);
    pthread_join(held, NULL);
    pthread_join(other, NULL);
}

bool schedule_end(struct schedule *schedule)
{
    bool was_held = schedule->was_held;

    pthread_cond_destroy(&schedule->changed);
    pthread_mutex_destroy(&schedule->lock);
    free(schedule);
    return was_held;
}
