/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a request for long work would be answered too early, too late or never, or work
 * that was refused or cancelled would be done all the same.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "race.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* A watch that notes its calls, and the task's status in the last one. */
struct watcher {
    struct vhd_task_watch watch;
    struct vhd_task *task;
    bool cancels; /* cancels the task in its call */
    int answer;   /* to that cancel */
    unsigned calls;
    pthread_t thread;
    struct vhd_task_status seen;
};

static void note(struct vhd_task_watch *watch)
{
    struct watcher *watcher = (struct watcher *)watch;

    watcher->thread = pthread_self();
    COUNT(watcher->calls);
    watcher->seen = status_of(watcher->task);
    if (watcher->cancels)
        watcher->answer = vhd_task_cancel(watcher->task);
}

static struct watcher watcher_of(struct vhd_task *task, bool wants_acceptance)
{
    return (struct watcher){
        .watch = {.wants_acceptance = wants_acceptance, .reached = note},
        .task = task,
    };
}

/* One watch of each kind. */
struct pair {
    struct watcher early, late;
};

static void watch_both(struct vhd_task *task, struct pair *pair)
{
    pair->early = watcher_of(task, true);
    pair->late = watcher_of(task, false);
    assert_int_equal(vhd_task_watch(task, &pair->early.watch), 0);
    assert_int_equal(vhd_task_watch(task, &pair->late.watch), 0);
}

static void expect_calls(const struct pair *pair, unsigned early, unsigned late)
{
    assert_int_equal(READ(pair->early.calls), early);
    assert_int_equal(READ(pair->late.calls), late);
}

/* The task ended before its acceptance; no later call changes that. */
static void expect_never_accepted(struct vhd_task *task, const struct job *job,
                                  const struct pair *pair, enum vhd_task_state state,
                                  enum vhd_result result)
{
    for (int times = 0; times < 2; times++) {
        const struct vhd_task_status status = status_of(task);
        assert_int_equal(status.state, state);
        assert_int_equal(status.verdict.result, result);
        assert_true(status.is_complete);
        assert_false(status.is_accepted);
        assert_false(status.is_cancelable);
        assert_false(is_zero(status.finished));
        assert_true(vhd_task_has_ended(task));
        assert_int_equal(vhd_task_wait(task, 0), 0);
        assert_int_equal(job->runs, 0);
        assert_int_equal(job->drops, 1);
        expect_calls(pair, 1, 1);
        assert_int_equal(pair->early.seen.state, state);
        assert_int_equal(pair->late.seen.state, state);
        assert_false(vhd_task_run(task, NULL, NULL));
    }
    assert_int_equal(vhd_task_cancel(task), -ESRCH);
}

static void an_accepted_task_is_queued_again(void **state)
{
    (void)state;
    struct job job = job_before_commit();
    struct vhd_task *task = task_of(&long_work, &job);
    struct runner runner;

    assert_false(status_of(task).is_accepted);
    runner_begin(&runner, task);
    gate_await(&job.admitting, 1);
    struct vhd_task_status status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_RUNNING);
    assert_false(status.is_accepted);
    assert_true(status.is_cancelable);
    assert_false(is_zero(status.started));
    const struct timespec begun = status.changed;

    gate_open(&job.admitting);
    assert_true(runner_end(&runner));
    status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_QUEUED);
    assert_true(status.is_accepted);
    assert_false(status.is_complete);
    assert_true(status.is_cancelable);
    assert_int_equal(status.percent, 0);
    assert_true(is_zero(status.started));
    assert_true(is_zero(status.finished));
    assert_false(is_before(status.changed, begun));
    assert_int_equal(status.verdict.result, VHD_PENDING);
    assert_false(vhd_task_has_ended(task));
    assert_int_equal(vhd_task_wait(task, 0), -ETIMEDOUT);
    assert_int_equal(job.runs, 0);
    assert_int_equal(job.drops, 0);
    vhd_task_cancel(task);
    vhd_task_unref(task);
}

static void an_accepted_task_runs_at_its_second_turn(void **state)
{
    (void)state;
    struct job job = job_admitted();
    struct vhd_task *task = task_of(&long_work, &job);
    struct runner runner;

    assert_true(vhd_task_run(task, NULL, NULL));
    const struct timespec accepted = status_of(task).changed;
    runner_begin(&runner, task);
    gate_await(&job.before, 1);
    struct vhd_task_status status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_RUNNING);
    assert_true(status.is_accepted);
    assert_true(status.is_cancelable);
    assert_false(is_zero(status.started));
    assert_false(is_before(status.started, accepted));

    gate_open(&job.before);
    assert_false(runner_end(&runner));
    status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_COMPLETED);
    assert_int_equal(status.percent, 100);
    assert_true(status.is_accepted);
    assert_true(status.is_complete);
    assert_int_equal(status.verdict.result, VHD_OK);
    vhd_task_unref(task);
    assert_int_equal(job.admissions, 1);
    assert_int_equal(job.runs, 1);
    assert_int_equal(job.drops, 1);
}

static void quick_work_is_never_accepted(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);
    struct pair pair;

    assert_non_null(task);
    watch_both(task, &pair);
    assert_false(vhd_task_run(task, NULL, NULL));
    assert_int_equal(status_of(task).state, VHD_TASK_COMPLETED);
    assert_false(status_of(task).is_accepted);
    expect_calls(&pair, 1, 1);
    assert_int_equal(pair.early.seen.state, VHD_TASK_COMPLETED);
    vhd_task_unref(task);
    assert_int_equal(job.admissions, 0);
    assert_int_equal(job.runs, 1);
    assert_int_equal(job.drops, 1);
}

static void each_watch_is_called_once_at_its_own_time(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&long_work, &job);
    struct pair pairs[3];
    struct runner runner;

    for (size_t i = 0; i < LENGTH(pairs); i++)
        watch_both(task, &pairs[i]);
    runner_begin(&runner, task);
    assert_true(runner_end(&runner));
    for (size_t i = 0; i < LENGTH(pairs); i++) {
        expect_calls(&pairs[i], 1, 0);
        assert_true(pthread_equal(pairs[i].early.thread, runner.thread));
        assert_int_equal(pairs[i].early.seen.state, VHD_TASK_QUEUED);
        assert_true(pairs[i].early.seen.is_accepted);
        assert_int_equal(vhd_task_unwatch(task, &pairs[i].early.watch), -ESRCH);
    }
    assert_false(vhd_task_run(task, NULL, NULL));
    for (size_t i = 0; i < LENGTH(pairs); i++) {
        expect_calls(&pairs[i], 1, 1);
        assert_int_equal(pairs[i].late.seen.state, VHD_TASK_COMPLETED);
    }
    vhd_task_unref(task);
}

static void watches_come_and_go_after_the_acceptance(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&long_work, &job);
    struct watcher gone = watcher_of(task, true), early = watcher_of(task, true);
    struct watcher leaving = watcher_of(task, false), late = watcher_of(task, false);

    assert_int_equal(vhd_task_watch(task, &gone.watch), 0);
    assert_int_equal(vhd_task_watch(task, &leaving.watch), 0);
    assert_int_equal(vhd_task_unwatch(task, &gone.watch), 0);
    assert_true(vhd_task_run(task, NULL, NULL));
    assert_int_equal(vhd_task_watch(task, &early.watch), -ESRCH);
    assert_int_equal(vhd_task_unwatch(task, &early.watch), -ESRCH);
    assert_int_equal(vhd_task_watch(task, &late.watch), 0);
    assert_int_equal(vhd_task_unwatch(task, &leaving.watch), 0);
    assert_false(vhd_task_run(task, NULL, NULL));
    assert_int_equal(gone.calls, 0);
    assert_int_equal(early.calls, 0);
    assert_int_equal(leaving.calls, 0);
    assert_int_equal(late.calls, 1);
    assert_int_equal(vhd_task_watch(task, &early.watch), -ESRCH);
    vhd_task_unref(task);
}

static void a_refusal_ends_the_task(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&long_work, &job);
    struct pair pair;

    job.refuses = VHD_DISK_FULL;
    watch_both(task, &pair);
    assert_false(vhd_task_run(task, NULL, NULL));
    assert_string_equal(status_of(task).verdict.sentence, "as the test wants it");
    expect_never_accepted(task, &job, &pair, VHD_TASK_FAILED, VHD_DISK_FULL);
    assert_int_equal(job.admissions, 1);
    vhd_task_unref(task);
    assert_int_equal(job.drops, 1);
}

static void a_cancel_before_the_admission_ends_the_task(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&long_work, &job);
    struct pair pair;

    watch_both(task, &pair);
    assert_int_equal(vhd_task_cancel(task), 0);
    expect_never_accepted(task, &job, &pair, VHD_TASK_STOPPED, VHD_CANCELLED);
    assert_int_equal(job.admissions, 0);
    vhd_task_unref(task);
    assert_int_equal(job.drops, 1);
}

/* The admission ends as if it had not seen the cancel, or because of it, or with a refusal. */
static void a_cancel_in_the_admission_prevents_the_acceptance(void **state)
{
    (void)state;
    static const struct {
        enum vhd_result refuses, result;
        enum vhd_task_state state;
    } ends[] = {
        {VHD_OK, VHD_CANCELLED, VHD_TASK_STOPPED},
        {VHD_CANCELLED, VHD_CANCELLED, VHD_TASK_STOPPED},
        {VHD_ALREADY_EXISTS, VHD_ALREADY_EXISTS, VHD_TASK_FAILED},
    };

    for (size_t i = 0; i < LENGTH(ends); i++) {
        struct job job = job_before_commit();
        struct vhd_task *task = task_of(&long_work, &job);
        struct runner runner;
        struct pair pair;

        job.refuses = ends[i].refuses;
        watch_both(task, &pair);
        runner_begin(&runner, task);
        gate_await(&job.admitting, 1);
        assert_int_equal(vhd_task_cancel(task), 0);
        assert_int_equal(status_of(task).state, VHD_TASK_RUNNING);
        assert_false(status_of(task).is_cancelable);
        assert_true(vhd_task_is_cancelled(task));
        assert_int_equal(vhd_task_cancel(task), 0);
        assert_int_equal(READ(job.drops), 0);
        expect_calls(&pair, 0, 0);
        gate_open(&job.admitting);
        assert_false(runner_end(&runner));
        expect_never_accepted(task, &job, &pair, ends[i].state, ends[i].result);
        vhd_task_unref(task);
        assert_int_equal(job.drops, 1);
    }
}

static void a_cancel_after_the_acceptance_ends_the_task_at_once(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&long_work, &job);
    struct pair pair;

    watch_both(task, &pair);
    assert_true(vhd_task_run(task, NULL, NULL));
    assert_int_equal(vhd_task_cancel(task), 0);
    const struct vhd_task_status status = status_of(task);
    assert_int_equal(status.state, VHD_TASK_STOPPED);
    assert_int_equal(status.verdict.result, VHD_CANCELLED);
    assert_true(status.is_complete);
    assert_true(status.is_accepted);
    assert_true(is_zero(status.started));
    assert_false(is_zero(status.finished));
    assert_int_equal(job.drops, 1);
    expect_calls(&pair, 1, 1);
    assert_int_equal(vhd_task_cancel(task), -ESRCH);

    assert_false(vhd_task_run(task, NULL, NULL)); /* its turn comes later */
    assert_int_equal(status_of(task).state, VHD_TASK_STOPPED);
    expect_calls(&pair, 1, 1);
    vhd_task_unref(task);
    assert_int_equal(job.runs, 0);
    assert_int_equal(job.drops, 1);
}

static void a_cancel_of_the_run_stops_it(void **state)
{
    (void)state;
    struct job job = job_admitted();
    struct vhd_task *task = task_of(&long_work, &job);
    struct runner runner;

    assert_true(vhd_task_run(task, NULL, NULL));
    runner_begin(&runner, task);
    gate_await(&job.before, 1);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(vhd_task_wait(task, 0), -ETIMEDOUT);
    gate_open(&job.before);
    assert_false(runner_end(&runner));
    assert_int_equal(status_of(task).state, VHD_TASK_STOPPED);
    vhd_task_unref(task);
    assert_int_equal(job.runs, 1);
    assert_int_equal(job.drops, 1);
}

static void a_watch_may_cancel_the_accepted_task(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&long_work, &job);
    struct pair pair;

    watch_both(task, &pair);
    pair.early.cancels = true;
    assert_true(vhd_task_run(task, NULL, NULL));
    assert_int_equal(pair.early.answer, 0);
    expect_calls(&pair, 1, 1);
    assert_int_equal(status_of(task).state, VHD_TASK_STOPPED);
    assert_false(vhd_task_run(task, NULL, NULL));
    expect_calls(&pair, 1, 1);
    vhd_task_unref(task);
    assert_int_equal(job.runs, 0);
    assert_int_equal(job.drops, 1);
}

static void an_accepted_task_that_never_runs_drops_its_work(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&long_work, &job);

    assert_true(vhd_task_run(task, NULL, NULL));
    assert_int_equal(job.drops, 0);
    vhd_task_unref(task);
    assert_int_equal(job.runs, 0);
    assert_int_equal(job.drops, 1);
}

static void hear(void *calls, struct vhd_task *task)
{
    (void)task;
    COUNT(*(unsigned *)calls);
}

/* Readers of the task's state learn of its change from the listener alone. */
static void an_acceptance_is_a_change(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&long_work, &job);
    unsigned calls = 0;
    const struct vhd_task_listener listener = {hear, &calls};

    vhd_task_listen(task, &listener);
    assert_true(vhd_task_run(task, NULL, NULL));
    assert_int_equal(calls, 2); /* it began, and was accepted */
    assert_false(vhd_task_run(task, NULL, NULL));
    assert_int_equal(calls, 5); /* it began, committed and ended */
    vhd_task_unref(task);
}

static void a_cancel_may_meet_the_acceptance(void **state)
{
    (void)state;
    race_of_cancels(&long_work, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_task_is_queued_again),
        cmocka_unit_test(an_accepted_task_runs_at_its_second_turn),
        cmocka_unit_test(quick_work_is_never_accepted),
        cmocka_unit_test(each_watch_is_called_once_at_its_own_time),
        cmocka_unit_test(watches_come_and_go_after_the_acceptance),
        cmocka_unit_test(a_refusal_ends_the_task),
        cmocka_unit_test(a_cancel_before_the_admission_ends_the_task),
        cmocka_unit_test(a_cancel_in_the_admission_prevents_the_acceptance),
        cmocka_unit_test(a_cancel_after_the_acceptance_ends_the_task_at_once),
        cmocka_unit_test(a_cancel_of_the_run_stops_it),
        cmocka_unit_test(a_watch_may_cancel_the_accepted_task),
        cmocka_unit_test(an_accepted_task_that_never_runs_drops_its_work),
        cmocka_unit_test(an_acceptance_is_a_change),
        cmocka_unit_test(a_cancel_may_meet_the_acceptance),
    };
    return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
