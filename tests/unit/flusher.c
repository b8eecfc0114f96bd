/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a power failure hours later would lose data that a program wrote and never
 * synced, or a disk without writers would keep its host awake.
 */
#include "disk/flusher.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "fast.h"
#include "gate.h"

struct job {
    unsigned flushes; /* atomic */
    struct gate gate;
    bool is_held;
    bool has_signals; /* one of the thread's signals is not blocked */
    int result;
};

static int flush(void *arg)
{
    struct job *job = arg;
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGINT))
        job->has_signals = true;
    COUNT(job->flushes);
    if (job->is_held)
        gate_pass(&job->gate);
    return job->result;
}

static struct vhd_flusher *flusher_of(struct job *job)
{
    struct vhd_flusher *flusher = vhd_flusher_new(flush, job);
    assert_non_null(flusher);
    return flusher;
}

static void without_writes_there_is_no_flush(void **state)
{
    (void)state;
    struct job job = {0};

    vhd_flusher_free(NULL);
    vhd_flusher_free(flusher_of(&job));
    assert_int_equal(job.flushes, 0);
}

/* The end comes at once and without a flush, because a close flushes by itself. */
static void ends_without_waiting_for_its_time(void **state)
{
    (void)state;
    struct job job = {0};
    struct vhd_flusher *flusher = flusher_of(&job);
    struct timespec begin = clock_monotonic();

    vhd_flusher_touch(flusher);
    vhd_flusher_free(flusher);
    assert_true(clock_monotonic().tv_sec - begin.tv_sec < 4);
    assert_int_equal(job.flushes, 0);
}

static void flushes_at_once_in_a_hurry(void **state)
{
    (void)state;
    struct job job = {0};
    struct vhd_flusher *flusher = flusher_of(&job);
    struct timespec begin = clock_monotonic();

    for (unsigned i = 1; i <= 20; i++) {
        vhd_flusher_hurry(flusher);
        UNTIL(READ(job.flushes) >= i);
    }
    assert_true(clock_monotonic().tv_sec - begin.tv_sec < 4);
    vhd_flusher_free(flusher);
    assert_false(job.has_signals);
}

/* Five seconds after the first write, and once for all writes until then. */
static void flushes_writes_after_a_while(void **state)
{
    (void)state;
    struct job job = {0};
    fast_begin();
    struct vhd_flusher *flusher = flusher_of(&job);
    struct timespec begin = clock_monotonic();

    for (int i = 0; i < 1000; i++)
        vhd_flusher_touch(flusher);
    assert_int_equal(READ(job.flushes), 0);
    UNTIL(READ(job.flushes) > 0);
    struct timespec now = clock_monotonic();
    assert_true(now.tv_sec - begin.tv_sec >= 4);
    assert_int_equal(READ(job.flushes), 1);
    vhd_flusher_touch(flusher);
    UNTIL(READ(job.flushes) > 1);
    assert_true(clock_monotonic().tv_sec - now.tv_sec >= 4);
    vhd_flusher_free(flusher);
    fast_end();
    assert_int_equal(job.flushes, 2);
}

static void a_failure_does_not_end_it(void **state)
{
    (void)state;
    struct job job = {.result = -5};
    struct vhd_flusher *flusher = flusher_of(&job);

    for (unsigned i = 1; i <= 3; i++) {
        vhd_flusher_hurry(flusher);
        UNTIL(READ(job.flushes) >= i);
    }
    vhd_flusher_free(flusher);
}

static void *free_it(void *flusher)
{
    vhd_flusher_free(flusher);
    return NULL;
}

static void its_end_waits_for_a_flush_at_work(void **state)
{
    (void)state;
    struct job job = {.gate = GATE_CLOSED, .is_held = true};
    struct vhd_flusher *flusher = flusher_of(&job);
    pthread_t thread;

    vhd_flusher_hurry(flusher);
    gate_await(&job.gate, 1);
    assert_int_equal(pthread_create(&thread, NULL, free_it, flusher), 0);
    for (int i = 0; i < 200; i++)
        sched_yield();
    assert_int_equal(pthread_tryjoin_np(thread, NULL), EBUSY);
    gate_open(&job.gate);
    pthread_join(thread, NULL);
    assert_int_equal(job.flushes, 1);
}

/* A write during a flush is the business of the next flush. */
static void a_write_during_a_flush_is_not_forgotten(void **state)
{
    (void)state;
    struct job job = {.gate = GATE_CLOSED, .is_held = true};
    fast_begin();
    struct vhd_flusher *flusher = flusher_of(&job);

    vhd_flusher_touch(flusher);
    vhd_flusher_hurry(flusher);
    gate_await(&job.gate, 1);
    vhd_flusher_touch(flusher);
    gate_open(&job.gate);
    UNTIL(READ(job.flushes) == 2);
    vhd_flusher_free(flusher);
    fast_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_writes_there_is_no_flush),
        cmocka_unit_test(ends_without_waiting_for_its_time),
        cmocka_unit_test(flushes_at_once_in_a_hurry),
        cmocka_unit_test(flushes_writes_after_a_while),
        cmocka_unit_test(a_failure_does_not_end_it),
        cmocka_unit_test(its_end_waits_for_a_flush_at_work),
        cmocka_unit_test(a_write_during_a_flush_is_not_forgotten),
    };
    return cmocka_run_group_tests_name("flusher", tests, NULL, NULL);
}
