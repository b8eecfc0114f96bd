/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a program that polls tasks/ would miss a change, or be woken for none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cancellers.h"
#include "job.h"

/* A listener that notes the state of the task at each call. */
struct ear {
    struct vhd_task_listener listener;
    struct vhd_task *task; /* not referenced */
    unsigned calls;        /* atomic */
    struct vhd_task_status seen[16];
};

/* It calls back into the task. The call would never return if the task held its lock. */
static void hear(void *arg, struct vhd_task *task)
{
    (void)task;
    struct ear *ear = arg;
    struct vhd_task_status status;

    vhd_task_status(ear->task, &status);
    vhd_task_has_ended(ear->task);
    vhd_task_is_cancelled(ear->task);
    unsigned call = __atomic_fetch_add(&ear->calls, 1, __ATOMIC_SEQ_CST);
    if (call < sizeof ear->seen / sizeof *ear->seen)
        ear->seen[call] = status;
}

static struct vhd_task *task_heard_by(struct ear *ear, struct job *job)
{
    memset(ear, 0, sizeof *ear);
    ear->listener = (struct vhd_task_listener){hear, ear};
    ear->task = task_of(&quick_work, job);
    vhd_task_listen(ear->task, &ear->listener);
    return ear->task;
}

static void a_listener_hears_each_change(void **state)
{
    (void)state;
    struct job job = JOB_GATED;
    struct ear ear;
    struct vhd_task *task = task_heard_by(&ear, &job);

    assert_int_equal(ear.calls, 0);
    struct runner runner;

    runner_begin(&runner, task);
    gate_await(&job.before, 1);
    assert_int_equal(READ(ear.calls), 1);
    assert_int_equal(ear.seen[0].state, VHD_TASK_RUNNING);
    assert_true(ear.seen[0].is_cancelable);

    const unsigned told[] = {0, 40, 40, 39, 99, 100, 101};
    const unsigned calls[] = {1, 2, 2, 2, 3, 3, 3};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        vhd_task_progress(task, told[i]);
        assert_int_equal(READ(ear.calls), calls[i]);
    }
    assert_int_equal(ear.seen[1].percent, 40);
    assert_int_equal(ear.seen[2].percent, 99);

    gate_open(&job.before);
    gate_await(&job.behind, 1);
    assert_int_equal(READ(ear.calls), 4);
    assert_int_equal(ear.seen[3].state, VHD_TASK_RUNNING);
    assert_false(ear.seen[3].is_cancelable);
    assert_int_equal(vhd_task_cancel(task), -EBUSY);
    assert_int_equal(READ(ear.calls), 4);

    gate_open(&job.behind);
    runner_end(&runner);
    assert_int_equal(ear.calls, 5);
    assert_int_equal(ear.seen[4].state, VHD_TASK_COMPLETED);
    assert_int_equal(ear.seen[4].percent, 100);
    assert_true(ear.seen[4].is_complete);
    vhd_task_unref(task);
    assert_int_equal(ear.calls, 5);
}

static void a_listener_hears_of_a_failure(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct ear ear;
    job.fails = VHD_DISK_FULL;
    struct vhd_task *task = task_heard_by(&ear, &job);

    vhd_task_run(task, NULL, NULL);
    assert_int_equal(ear.calls, 2);
    assert_int_equal(ear.seen[0].state, VHD_TASK_RUNNING);
    assert_int_equal(ear.seen[1].state, VHD_TASK_FAILED);
    assert_int_equal(ear.seen[1].verdict.result, VHD_DISK_FULL);
    vhd_task_unref(task);
}

static void a_listener_hears_of_a_cancel(void **state)
{
    (void)state;
    struct job job = job_at_once(), running = JOB_GATED;
    struct ear ear;
    struct vhd_task *task = task_heard_by(&ear, &job);

    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(ear.calls, 1);
    assert_int_equal(ear.seen[0].state, VHD_TASK_STOPPED);
    vhd_task_unref(task);

    task = task_heard_by(&ear, &running);
    struct runner runner;

    runner_begin(&runner, task);
    gate_await(&running.before, 1);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(READ(ear.calls), 2);
    assert_int_equal(ear.seen[1].state, VHD_TASK_RUNNING);
    assert_false(ear.seen[1].is_cancelable);
    gate_open(&running.before);
    runner_end(&runner);
    assert_int_equal(ear.calls, 3);
    assert_int_equal(ear.seen[2].state, VHD_TASK_STOPPED);
    vhd_task_unref(task);
}

static void a_cancel_that_changes_nothing_is_not_heard(void **state)
{
    (void)state;
    struct job job = JOB_GATED;
    struct ear ear;
    struct vhd_task *task = task_heard_by(&ear, &job);
    struct runner runner;

    runner_begin(&runner, task);
    gate_await(&job.before, 1);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(vhd_task_cancel(task), 0);
    unsigned calls = READ(ear.calls);
    gate_open(&job.before);
    runner_end(&runner);
    vhd_task_unref(task);
    assert_int_equal(calls, 2);
}

static void nothing_is_heard_after_the_end(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct ear ear;
    struct vhd_task_watch watch = {0};
    struct vhd_task *task = task_heard_by(&ear, &job);

    vhd_task_run(task, NULL, NULL);
    unsigned calls = ear.calls;
    assert_int_equal(vhd_task_cancel(task), -ESRCH);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    assert_int_equal(vhd_task_watch(task, &watch), -ESRCH);
    assert_int_equal(vhd_task_unwatch(task, &watch), -ESRCH);
    vhd_task_run(task, NULL, NULL);
    status_of(task);
    vhd_task_unref(vhd_task_ref(task));
    assert_int_equal(ear.calls, calls);
    vhd_task_unref(task);
    assert_int_equal(ear.calls, calls);
}

/* The end is heard once, even if two threads cancel at the same time. */
static void two_cancellers_are_heard_once(void **state)
{
    (void)state;
    struct gate dropping = GATE_CLOSED;
    struct job job = job_at_once();
    struct ear ear;
    job.dropping = &dropping;
    struct vhd_task *task = task_heard_by(&ear, &job);
    struct canceller cancellers[2] = {{.task = task}, {.task = task}};
    pthread_t threads[2];

    assert_int_equal(pthread_create(&threads[0], NULL, cancel, &cancellers[0]), 0);
    gate_await(&dropping, 1);
    assert_int_equal(pthread_create(&threads[1], NULL, cancel, &cancellers[1]), 0);
    /* Until the second waits in its cancel: meanwhile only time passes. */
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
        now.tv_nsec += (now.tv_sec - begun.tv_sec) * 1000000000;
    } while (now.tv_nsec - begun.tv_nsec < 50000000);
    gate_open(&dropping);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    unsigned calls = ear.calls;
    enum vhd_task_state seen = ear.seen[0].state;
    vhd_task_unref(task);
    assert_int_equal(seen, VHD_TASK_STOPPED);
    assert_int_equal(calls, 1);
}

static void a_refusal_and_a_task_without_listener_are_quiet(void **state)
{
    (void)state;
    struct vhd_verdict verdict;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);

    vhd_task_run(task, NULL, NULL); /* without a listener */
    assert_int_equal(status_of(task).state, VHD_TASK_COMPLETED);
    vhd_task_unref(task);

    struct ear ear = {.listener = {hear, &ear}};
    vhd_verdict_set(&verdict, VHD_INVALID_NAME, NULL);
    task = vhd_task_new_refused(1, "create", "d", "Create it", &verdict);
    assert_non_null(task);
    ear.task = task;
    vhd_task_listen(task, &ear.listener);
    assert_int_equal(vhd_task_cancel(task), -ESRCH);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_unref(task);
    assert_int_equal(ear.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_hears_each_change),
        cmocka_unit_test(a_listener_hears_of_a_failure),
        cmocka_unit_test(a_listener_hears_of_a_cancel),
        cmocka_unit_test(a_cancel_that_changes_nothing_is_not_heard),
        cmocka_unit_test(nothing_is_heard_after_the_end),
        cmocka_unit_test(two_cancellers_are_heard_once),
        cmocka_unit_test(a_refusal_and_a_task_without_listener_are_quiet),
    };
    return cmocka_run_group_tests_name("task_listener", tests, NULL, NULL);
}
