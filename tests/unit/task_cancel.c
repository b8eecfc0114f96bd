/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a cancelled disk would exist all the same, or a cancel would be answered too
 * early.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cancellers.h"
#include "race.h"

static void a_cancel_of_a_queued_task_ends_it(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);

    assert_int_equal(vhd_task_cancel(task), 0);
    struct vhd_task_status status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_STOPPED);
    assert_true(status.is_complete);
    assert_false(status.is_cancelable);
    assert_int_equal(status.percent, 0);
    assert_true(is_zero(status.started));
    assert_false(is_zero(status.finished));
    assert_int_equal(status.verdict.result, VHD_CANCELLED);
    assert_int_equal(job.drops, 1);
    assert_int_equal(vhd_task_wait(task, 0), 0);
    assert_int_equal(vhd_task_cancel(task), -ESRCH);

    vhd_task_run(task, NULL, NULL); /* its turn comes later */
    assert_int_equal(status_of(task).state, VHD_TASK_STOPPED);
    vhd_task_unref(task);
    assert_int_equal(job.runs, 0);
    assert_int_equal(job.drops, 1);
}

static void a_cancel_of_a_running_task_stops_it(void **state)
{
    (void)state;
    struct job job = JOB_GATED;
    struct vhd_task *task = task_of(&quick_work, &job);
    struct runner runner;

    runner_begin(&runner, task);
    gate_await(&job.before, 1);
    assert_int_equal(vhd_task_cancel(task), 0);
    struct vhd_task_status status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_RUNNING);
    assert_false(status.is_cancelable);
    assert_true(vhd_task_is_cancelled(task));
    assert_int_equal(vhd_task_cancel(task), 0); /* once more changes nothing */
    assert_int_equal(vhd_task_wait(task, 0), -ETIMEDOUT);

    gate_open(&job.before);
    gate_open(&job.behind);
    runner_end(&runner);
    status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_STOPPED);
    assert_int_equal(status.verdict.result, VHD_CANCELLED);
    assert_int_equal(job.behind.arrived, 0);
    assert_int_equal(vhd_task_cancel(task), -ESRCH);
    vhd_task_unref(task);
    assert_int_equal(job.drops, 1);
}

static void a_cancel_behind_the_commit_is_refused(void **state)
{
    (void)state;
    struct job job = JOB_GATED;
    struct vhd_task *task = task_of(&quick_work, &job);
    struct runner runner;

    runner_begin(&runner, task);
    gate_open(&job.before);
    gate_await(&job.behind, 1);
    assert_int_equal(vhd_task_cancel(task), -EBUSY);
    assert_false(vhd_task_is_cancelled(task));
    gate_open(&job.behind);
    runner_end(&runner);
    assert_int_equal(status_of(task).state, VHD_TASK_COMPLETED);
    assert_int_equal(vhd_task_cancel(task), -ESRCH);
    vhd_task_unref(task);
}

/* A roll-back that fails must not count as a successful cancel: something is left. */
static void a_failed_roll_back_is_reported(void **state)
{
    (void)state;
    struct job job = JOB_GATED;
    job.fails = VHD_UNEXPECTED;
    struct vhd_task *task = task_of(&quick_work, &job);
    struct runner runner;

    runner_begin(&runner, task);
    gate_await(&job.before, 1);
    assert_int_equal(vhd_task_cancel(task), 0);
    gate_open(&job.before);
    runner_end(&runner);
    assert_int_equal(status_of(task).state, VHD_TASK_FAILED);
    assert_int_equal(status_of(task).verdict.result, VHD_UNEXPECTED);
    vhd_task_unref(task);
}

static void cancel_and_commit_agree_in_any_order(void **state)
{
    (void)state;
    race_of_cancels(&quick_work, 400);
}

/* The second comes while the first is still dropping the work. */
static void a_queued_task_has_ended_for_every_canceller(void **state)
{
    (void)state;
    struct gate dropping = GATE_CLOSED;
    struct job job = job_at_once();
    job.dropping = &dropping;
    struct vhd_task *task = task_of(&quick_work, &job);
    struct canceller cancellers[2] = {{.task = task}, {.task = task}};
    pthread_t threads[2];
    struct timespec begun, now;

    assert_int_equal(pthread_create(&threads[0], NULL, cancel, &cancellers[0]), 0);
    gate_await(&dropping, 1);
    assert_int_equal(pthread_create(&threads[1], NULL, cancel, &cancellers[1]), 0);
    /* Give the second 20 ms in which to return too early. */
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
        now.tv_nsec += (now.tv_sec - begun.tv_sec) * 1000000000;
    } while (!READ(cancellers[1].has_returned) && now.tv_nsec - begun.tv_nsec < 20000000);
    gate_open(&dropping);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(cancellers[i].had_ended);
        assert_true(cancellers[i].answer == 0 || (i == 1 && cancellers[i].answer == -ESRCH));
    }
    assert_int_equal(status_of(task).state, VHD_TASK_STOPPED);
    vhd_task_unref(task);
    assert_int_equal(job.drops, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_of_a_queued_task_ends_it),
        cmocka_unit_test(a_cancel_of_a_running_task_stops_it),
        cmocka_unit_test(a_cancel_behind_the_commit_is_refused),
        cmocka_unit_test(a_failed_roll_back_is_reported),
        cmocka_unit_test(cancel_and_commit_agree_in_any_order),
        cmocka_unit_test(a_queued_task_has_ended_for_every_canceller),
    };
    return cmocka_run_group_tests_name("task_cancel", tests, NULL, NULL);
}
