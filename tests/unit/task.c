/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a user would read a wrong state of running work, or a wait would never end.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cancellers.h"
#include "job.h"

static void names_states_as_a_user_reads_them(void **state)
{
    (void)state;
    assert_string_equal(vhd_task_state_name(VHD_TASK_QUEUED), "queued");
    assert_string_equal(vhd_task_state_name(VHD_TASK_RUNNING), "running");
    assert_string_equal(vhd_task_state_name(VHD_TASK_COMPLETED), "completed");
    assert_string_equal(vhd_task_state_name(VHD_TASK_FAILED), "failed");
    assert_string_equal(vhd_task_state_name(VHD_TASK_STOPPED), "cancelled");
}

static void begins_queued(void **state)
{
    (void)state;
    struct job job = job_at_once();
    char description[] = "Do this";
    struct vhd_task *task = vhd_task_new(42, &quick_work, &job, "d", description);
    assert_non_null(task);
    memset(description, 'x', sizeof description - 1);

    struct vhd_task_status status = status_of(task);
    assert_int_equal(status.id, 42);
    assert_int_equal(status.state, VHD_TASK_QUEUED);
    assert_int_equal(status.percent, 0);
    assert_false(status.is_complete);
    assert_true(status.is_cancelable);
    assert_string_equal(status.operation, "quick");
    assert_string_equal(status.description, "Do this");
    assert_false(is_zero(status.changed));
    assert_true(is_zero(status.started));
    assert_true(is_zero(status.finished));
    assert_int_equal(status.verdict.result, VHD_PENDING);
    assert_false(vhd_task_has_ended(task));
    vhd_task_unref(task);
    assert_int_equal(job.runs, 0);
    assert_int_equal(job.drops, 1);
}

static void completes(void **state)
{
    (void)state;
    struct job job = JOB_GATED;
    struct vhd_task *task = task_of(&quick_work, &job);
    struct timespec queued = status_of(task).changed;
    struct runner runner;

    runner_begin(&runner, task);
    gate_await(&job.before, 1);
    struct vhd_task_status status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_RUNNING);
    assert_int_equal(status.percent, 0);
    assert_false(status.is_complete);
    assert_true(status.is_cancelable);
    assert_false(is_zero(status.started));
    assert_false(is_before(status.started, queued));
    assert_true(is_zero(status.finished));
    assert_int_equal(status.verdict.result, VHD_PENDING);
    assert_int_equal(READ(job.drops), 0);

    gate_open(&job.before);
    gate_await(&job.behind, 1);
    status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_RUNNING);
    assert_false(status.is_cancelable);
    assert_false(status.is_complete);

    gate_open(&job.behind);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_COMPLETED);
    assert_int_equal(status.percent, 100);
    assert_true(status.is_complete);
    assert_false(status.is_cancelable);
    assert_false(is_before(status.finished, status.started));
    assert_false(is_before(status.changed, status.finished));
    assert_int_equal(status.verdict.result, VHD_OK);
    assert_true(vhd_task_has_ended(task));
    assert_int_equal(READ(job.drops), 1); /* before it has ended */

    runner_end(&runner);
    vhd_task_unref(task);
    assert_int_equal(job.runs, 1);
    assert_int_equal(job.drops, 1);
}

static void reports_the_reason_of_a_failure(void **state)
{
    (void)state;
    struct job job = job_at_once();
    job.fails = VHD_DISK_FULL;
    struct vhd_task *task = task_of(&quick_work, &job);
    vhd_task_progress(task, 30);
    vhd_task_run(task, NULL, NULL);

    struct vhd_task_status status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_FAILED);
    assert_int_equal(status.percent, 30);
    assert_true(status.is_complete);
    assert_false(status.is_cancelable);
    assert_int_equal(status.verdict.result, VHD_DISK_FULL);
    assert_string_equal(status.verdict.sentence, "as the test wants it");
    assert_int_equal(job.drops, 1);
    vhd_task_unref(task);
    assert_int_equal(job.drops, 1);
}

static void progress_never_goes_back(void **state)
{
    (void)state;
    struct job job = JOB_GATED;
    struct vhd_task *task = task_of(&quick_work, &job);
    struct runner runner;

    runner_begin(&runner, task);
    const unsigned told[] = {0, 1, 40, 39, 0, 99, 50, 100, 101, UINT_MAX};
    const unsigned shown[] = {0, 1, 40, 40, 40, 99, 99, 99, 99, 99};

    gate_await(&job.before, 1);
    struct timespec changed = status_of(task).changed;
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        vhd_task_progress(task, told[i]);
        struct vhd_task_status status = status_of(task);
        assert_int_equal(status.percent, shown[i]);
        assert_false(is_before(status.changed, changed));
        changed = status.changed;
    }
    gate_open(&job.before);
    gate_open(&job.behind);
    runner_end(&runner);
    assert_int_equal(status_of(task).percent, 100);
    vhd_task_unref(task);
}

/* A client that polls by the time of the last change must see that a cancel now comes too late. */
static void a_commit_is_a_change(void **state)
{
    (void)state;
    struct job job = JOB_GATED;
    struct vhd_task *task = task_of(&quick_work, &job);
    struct runner runner;

    runner_begin(&runner, task);
    gate_await(&job.before, 1);
    struct vhd_task_status before = status_of(task);
    struct timespec now;
    do
        clock_gettime(CLOCK_REALTIME, &now);
    while (!is_before(before.changed, now));
    gate_open(&job.before);
    gate_await(&job.behind, 1);
    struct vhd_task_status behind = status_of(task);
    gate_open(&job.behind);
    runner_end(&runner);
    vhd_task_unref(task);

    assert_true(before.is_cancelable);
    assert_false(behind.is_cancelable);
    assert_true(is_before(before.changed, behind.changed));
}

static void a_refusal_has_ended_already(void **state)
{
    (void)state;
    struct vhd_verdict verdict;
    struct vhd_task_watch watch = {0};
    vhd_verdict_set(&verdict, VHD_INVALID_NAME, "no such name");
    char description[] = "Create \"?\"";
    struct vhd_task *task = vhd_task_new_refused(9, "create", "d", description, &verdict);
    assert_non_null(task);
    description[0] = 0;
    verdict.sentence[0] = 0;

    struct vhd_task_status status = status_of(task);
    assert_int_equal(status.id, 9);
    assert_int_equal(status.state, VHD_TASK_FAILED);
    assert_true(status.is_complete);
    assert_false(status.is_cancelable);
    assert_true(status.percent < 100);
    assert_string_equal(status.operation, "create");
    assert_string_equal(status.description, "Create \"?\"");
    assert_int_equal(status.verdict.result, VHD_INVALID_NAME);
    assert_string_equal(status.verdict.sentence, "no such name");
    assert_false(is_zero(status.finished));
    assert_true(vhd_task_has_ended(task));
    assert_int_equal(vhd_task_cancel(task), -ESRCH);
    assert_int_equal(vhd_task_watch(task, &watch), -ESRCH);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_unref(task);
}

static void a_wait_ends_in_time(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);
    struct timespec begun, ended;

    assert_int_equal(vhd_task_wait(task, 0), -ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    assert_int_equal(vhd_task_wait(task, 25), -ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    int64_t waited_ns =
        (ended.tv_sec - begun.tv_sec) * INT64_C(1000000000) + ended.tv_nsec - begun.tv_nsec;
    assert_true(waited_ns >= 25000000);
    vhd_task_run(task, NULL, NULL);
    assert_int_equal(vhd_task_wait(task, 0), 0);
    assert_int_equal(vhd_task_wait(task, 1), 0);
    assert_int_equal(vhd_task_wait(task, VHD_TASK_WAIT_MAX), 0);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_unref(task);
}

static void a_wait_out_of_range_is_refused(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);
    const int wrong[] = {-2, INT_MIN, VHD_TASK_WAIT_MAX + 1, INT_MAX};

    assert_int_equal(VHD_TASK_WAIT_MAX, 4000000);
    for (int has_ended = 0; has_ended < 2; has_ended++) {
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
            assert_int_equal(vhd_task_wait(task, wrong[i]), -EINVAL);
        vhd_task_run(task, NULL, NULL);
    }
    vhd_task_unref(task);
}

struct waiter {
    struct vhd_task *task;
    struct gate *gate;
    int timeout_ms;
    int answer;
};

static void *wait_for_it(void *arg)
{
    struct waiter *waiter = arg;
    gate_pass(waiter->gate);
    waiter->answer = vhd_task_wait(waiter->task, waiter->timeout_ms);
    return NULL;
}

static void every_waiter_is_woken(void **state)
{
    (void)state;
    enum { WAITERS = 8 };
    struct job job = JOB_GATED;
    struct gate gate = GATE_CLOSED;
    struct vhd_task *task = task_of(&quick_work, &job);
    struct waiter waiters[WAITERS];
    pthread_t threads[WAITERS];
    struct runner runner;

    runner_begin(&runner, task);
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (struct waiter){task, &gate, i % 2 ? -1 : VHD_TASK_WAIT_MAX, 1};
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_it, &waiters[i]), 0);
    }
    gate_await(&gate, WAITERS);
    gate_open(&gate);
    gate_await(&job.before, 1);
    gate_open(&job.before);
    gate_open(&job.behind);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(waiters[i].answer, 0);
    }
    runner_end(&runner);
    vhd_task_unref(task);
}

static void lives_as_long_as_it_is_referenced(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);

    vhd_task_unref(NULL);
    assert_ptr_equal(vhd_task_ref(task), task);
    vhd_task_unref(task);
    assert_int_equal(job.drops, 0);
    assert_int_equal(status_of(task).state, VHD_TASK_QUEUED);
    vhd_task_unref(task);
    assert_int_equal(job.drops, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_states_as_a_user_reads_them),
        cmocka_unit_test(begins_queued),
        cmocka_unit_test(completes),
        cmocka_unit_test(reports_the_reason_of_a_failure),
        cmocka_unit_test(progress_never_goes_back),
        cmocka_unit_test(a_commit_is_a_change),
        cmocka_unit_test(a_refusal_has_ended_already),
        cmocka_unit_test(a_wait_ends_in_time),
        cmocka_unit_test(a_wait_out_of_range_is_refused),
        cmocka_unit_test(every_waiter_is_woken),
        cmocka_unit_test(lives_as_long_as_it_is_referenced),
    };
    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
