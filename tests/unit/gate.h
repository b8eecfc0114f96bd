/* SPDX-License-Identifier: MIT */
/*
 * Gates: a thread passes one, and so stands still exactly where a test needs it, without a sleep.
 */
#pragma once

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <time.h>

struct gate {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t moved;
    unsigned arrived; /* threads that have come to it */
    bool is_open;
};

#define GATE_CLOSED                                                                                \
    ((struct gate){.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER})

/* Come to the gate, and stay until it is open. */
static inline void gate_pass(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->arrived++;
    pthread_cond_broadcast(&gate->moved);
    while (!gate->is_open)
        pthread_cond_wait(&gate->moved, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

/* Wait until this many have come to the gate. */
static inline void gate_await(struct gate *gate, unsigned arrivals)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->arrived < arrivals)
        pthread_cond_wait(&gate->moved, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static inline void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->is_open = true;
    pthread_cond_broadcast(&gate->moved);
    pthread_mutex_unlock(&gate->lock);
}

/* Poll until a claim holds that no event reports; fail after 20 seconds. */
#define UNTIL(claim)                                                                               \
    for (time_t give_up_ = time(NULL) + 20; !(claim); sched_yield())                               \
    assert_true(time(NULL) < give_up_)

/* Counters that several threads change. */
#define COUNT(counter) ((void)__atomic_add_fetch(&(counter), 1, __ATOMIC_SEQ_CST))
#define READ(counter)  __atomic_load_n(&(counter), __ATOMIC_SEQ_CST)
