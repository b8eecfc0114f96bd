/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a user would read a wrong state of running work: a cancelled disk that exists all
 * the same, a wait that never ends, a watch that is called twice or never.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gate.h"
#include "task/task.h"

/* Work that stops at two gates, before and behind its commit, and may stop while it is dropped. */
struct job {
    struct gate before, behind;
    struct gate *dropping;
    enum vhd_result fails; /* its outcome; VHD_OK for success */
    unsigned runs, drops;  /* atomic */
};

#define JOB_GATED ((struct job){.before = GATE_CLOSED, .behind = GATE_CLOSED})

static struct job job_at_once(void)
{
    struct job job = JOB_GATED;
    job.before.is_open = job.behind.is_open = true;
    return job;
}

static enum vhd_result job_run(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    struct job *job = arg;

    COUNT(job->runs);
    gate_pass(&job->before);
    if (job->fails != VHD_OK)
        return vhd_verdict_set(ret, job->fails, "as the test wants it");
    if (!vhd_task_commit(task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    gate_pass(&job->behind);
    return VHD_OK;
}

static void job_drop(void *arg)
{
    struct job *job = arg;
    if (job->dropping)
        gate_pass(job->dropping);
    COUNT(job->drops);
}

static const struct vhd_work job_work = {"test", .run = job_run, .drop = job_drop};

static struct vhd_task *task_of(struct job *job)
{
    struct vhd_task *task = vhd_task_new(7, &job_work, job, "d", "Do as the test wants");
    assert_non_null(task);
    return task;
}

static void *run_task(void *task)
{
    vhd_task_run(task, NULL, NULL);
    return NULL;
}

static pthread_t run_behind(struct vhd_task *task)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_task, task), 0);
    return thread;
}

static struct vhd_task_status status_of(struct vhd_task *task)
{
    struct vhd_task_status status;
    memset(&status, 0xA5, sizeof status);
    vhd_task_status(task, &status);
    return status;
}

static bool is_zero(struct timespec time)
{
    return time.tv_sec == 0 && time.tv_nsec == 0;
}

static bool is_before(struct timespec a, struct timespec b)
{
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

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
    struct vhd_task *task = vhd_task_new(42, &job_work, &job, "d", description);
    assert_non_null(task);
    memset(description, 'x', sizeof description - 1);

    struct vhd_task_status status = status_of(task);
    assert_int_equal(status.id, 42);
    assert_int_equal(status.state, VHD_TASK_QUEUED);
    assert_int_equal(status.percent, 0);
    assert_false(status.is_complete);
    assert_true(status.is_cancelable);
    assert_string_equal(status.operation, "test");
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
    struct vhd_task *task = task_of(&job);
    struct timespec queued = status_of(task).changed;
    pthread_t thread = run_behind(task);

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

    pthread_join(thread, NULL);
    vhd_task_unref(task);
    assert_int_equal(job.runs, 1);
    assert_int_equal(job.drops, 1);
}

static void reports_the_reason_of_a_failure(void **state)
{
    (void)state;
    struct job job = job_at_once();
    job.fails = VHD_DISK_FULL;
    struct vhd_task *task = task_of(&job);
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
    struct vhd_task *task = task_of(&job);
    pthread_t thread = run_behind(task);
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
    pthread_join(thread, NULL);
    assert_int_equal(status_of(task).percent, 100);
    vhd_task_unref(task);
}

/* A client that polls by the time of the last change must see that a cancel now comes too late. */
static void a_commit_is_a_change(void **state)
{
    (void)state;
    struct job job = JOB_GATED;
    struct vhd_task *task = task_of(&job);
    pthread_t thread = run_behind(task);

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
    pthread_join(thread, NULL);
    vhd_task_unref(task);

    assert_true(before.is_cancelable);
    assert_false(behind.is_cancelable);
    assert_true(is_before(before.changed, behind.changed));
}

static void a_cancel_of_a_queued_task_ends_it(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&job);

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
    struct vhd_task *task = task_of(&job);
    pthread_t thread = run_behind(task);

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
    pthread_join(thread, NULL);
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
    struct vhd_task *task = task_of(&job);
    pthread_t thread = run_behind(task);

    gate_open(&job.before);
    gate_await(&job.behind, 1);
    assert_int_equal(vhd_task_cancel(task), -EBUSY);
    assert_false(vhd_task_is_cancelled(task));
    gate_open(&job.behind);
    pthread_join(thread, NULL);
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
    struct vhd_task *task = task_of(&job);
    pthread_t thread = run_behind(task);

    gate_await(&job.before, 1);
    assert_int_equal(vhd_task_cancel(task), 0);
    gate_open(&job.before);
    pthread_join(thread, NULL);
    assert_int_equal(status_of(task).state, VHD_TASK_FAILED);
    assert_int_equal(status_of(task).verdict.result, VHD_UNEXPECTED);
    vhd_task_unref(task);
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
    struct vhd_task *task = task_of(&job);
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
    struct vhd_task *task = task_of(&job);
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
    struct vhd_task *task = task_of(&job);
    struct waiter waiters[WAITERS];
    pthread_t threads[WAITERS];
    pthread_t runner = run_behind(task);

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
    pthread_join(runner, NULL);
    vhd_task_unref(task);
}

/* A watch that notes how often, and on which thread, it was called. */
struct watcher {
    struct vhd_task_watch watch;
    struct vhd_task *task;
    unsigned calls; /* atomic */
    pthread_t thread;
    struct vhd_task_status seen;
    int answers[4]; /* of calls back into the task */
};

static void ended(struct vhd_task_watch *watch)
{
    struct watcher *watcher = (struct watcher *)watch;
    watcher->thread = pthread_self();
    COUNT(watcher->calls);
}

static void a_watch_is_called_once_on_the_ending_thread(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&job);
    struct watcher watchers[3] = {0};

    for (int i = 0; i < 3; i++) {
        watchers[i].watch.reached = ended;
        assert_int_equal(vhd_task_watch(task, &watchers[i].watch), 0);
    }
    pthread_t thread = run_behind(task);
    pthread_join(thread, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(watchers[i].calls, 1);
        assert_true(pthread_equal(watchers[i].thread, thread));
        assert_int_equal(vhd_task_unwatch(task, &watchers[i].watch), -ESRCH);
        assert_int_equal(vhd_task_watch(task, &watchers[i].watch), -ESRCH);
    }
    vhd_task_unref(task);
    for (int i = 0; i < 3; i++)
        assert_int_equal(watchers[i].calls, 1);
}

static void a_withdrawn_watch_is_not_called(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&job);
    struct watcher watchers[3] = {0}, stranger = {0};

    for (int i = 0; i < 3; i++) {
        watchers[i].watch.reached = ended;
        assert_int_equal(vhd_task_watch(task, &watchers[i].watch), 0);
    }
    assert_int_equal(vhd_task_unwatch(task, &stranger.watch), -ESRCH);
    assert_int_equal(vhd_task_unwatch(task, &watchers[1].watch), 0);
    assert_int_equal(vhd_task_unwatch(task, &watchers[1].watch), -ESRCH);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(watchers[0].calls, 1);
    assert_int_equal(watchers[1].calls, 0);
    assert_int_equal(watchers[2].calls, 1);
    vhd_task_unref(task);
}

static void ended_and_call_back(struct vhd_task_watch *watch)
{
    struct watcher *watcher = (struct watcher *)watch;
    struct vhd_task *task = watcher->task;

    COUNT(watcher->calls);
    vhd_task_status(task, &watcher->seen);
    watcher->answers[0] = vhd_task_wait(task, -1);
    watcher->answers[1] = vhd_task_cancel(task);
    watcher->answers[2] = vhd_task_unwatch(task, watch);
    watcher->answers[3] = vhd_task_watch(task, watch);
    vhd_task_unref(task);
}

static void a_watch_may_call_the_task(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&job);
    struct watcher watcher = {.watch.reached = ended_and_call_back, .task = vhd_task_ref(task)};

    assert_int_equal(vhd_task_watch(task, &watcher.watch), 0);
    vhd_task_run(task, NULL, NULL);
    assert_int_equal(watcher.calls, 1);
    assert_int_equal(watcher.seen.state, VHD_TASK_COMPLETED);
    assert_int_equal(watcher.answers[0], 0);
    for (int i = 1; i < 4; i++)
        assert_int_equal(watcher.answers[i], -ESRCH);
    vhd_task_unref(task);
}

static unsigned freed;

static void ended_and_free(struct vhd_task_watch *watch)
{
    freed++;
    free(watch);
}

static void a_watch_may_be_freed_where_it_is_called(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&job);

    freed = 0;
    for (int i = 0; i < 3; i++) {
        struct vhd_task_watch *watch = calloc(1, sizeof *watch);
        assert_non_null(watch);
        watch->reached = ended_and_free;
        assert_int_equal(vhd_task_watch(task, watch), 0);
    }
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(freed, 3);
    vhd_task_unref(task);
}

static void lives_as_long_as_it_is_referenced(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&job);

    vhd_task_unref(NULL);
    assert_ptr_equal(vhd_task_ref(task), task);
    vhd_task_unref(task);
    assert_int_equal(job.drops, 0);
    assert_int_equal(status_of(task).state, VHD_TASK_QUEUED);
    vhd_task_unref(task);
    assert_int_equal(job.drops, 1);
}

/*
 * Stress: in each round one thread runs a task, two cancel it, and one watches it and withdraws the
 * watch, all at the same moment.
 */
enum { ROUNDS = 400, CANCELLERS = 2, THREADS = CANCELLERS + 2 };

struct round {
    struct job job;
    struct vhd_task *task;
    int cancelled[CANCELLERS];
    bool has_ended[CANCELLERS]; /* when the cancel returned */
    struct watcher watcher;
    int watched, unwatched;
};

struct stress {
    pthread_barrier_t barrier;
    struct round *rounds;
};

static struct stress stress;

static void spin(unsigned steps)
{
    for (volatile unsigned i = 0; i < steps; i++)
        ;
}

static void *stress_run(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&stress.barrier);
        spin((unsigned)i * 7 % 400);
        vhd_task_run(stress.rounds[i].task, NULL, NULL);
    }
    return NULL;
}

static void *stress_cancel(void *arg)
{
    const size_t which = *(const size_t *)arg;

    for (int i = 0; i < ROUNDS; i++) {
        struct round *round = &stress.rounds[i];
        pthread_barrier_wait(&stress.barrier);
        spin((unsigned)i * 13 % 900);
        round->cancelled[which] = vhd_task_cancel(round->task);
        round->has_ended[which] = vhd_task_has_ended(round->task);
    }
    return NULL;
}

static void *stress_watch(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct round *round = &stress.rounds[i];
        pthread_barrier_wait(&stress.barrier);
        round->watched = vhd_task_watch(round->task, &round->watcher.watch);
        spin((unsigned)i * 11 % 700);
        round->unwatched = vhd_task_unwatch(round->task, &round->watcher.watch);
    }
    return NULL;
}

static void judge_round(const struct round *round)
{
    struct vhd_task_status status = status_of(round->task);

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
    if (round->job.runs == 0)
        assert_true(is_zero(status.started));

    bool was_watched = round->watched == 0, was_unwatched = round->unwatched == 0;
    assert_true(was_watched || round->watched == -ESRCH);
    assert_true(was_unwatched || round->unwatched == -ESRCH);
    assert_int_equal(round->watcher.calls, was_watched && !was_unwatched ? 1 : 0);
    assert_true(was_watched || !was_unwatched);
}

static void cancel_and_commit_agree_in_any_order(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    size_t which[CANCELLERS];

    stress.rounds = calloc(ROUNDS, sizeof *stress.rounds);
    assert_non_null(stress.rounds);
    pthread_barrier_init(&stress.barrier, NULL, THREADS);
    for (int i = 0; i < ROUNDS; i++) {
        stress.rounds[i].job = job_at_once();
        stress.rounds[i].watcher.watch.reached = ended;
        stress.rounds[i].task = task_of(&stress.rounds[i].job);
    }
    for (size_t i = 0; i < CANCELLERS; i++) {
        which[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, stress_cancel, &which[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[CANCELLERS], NULL, stress_run, NULL), 0);
    assert_int_equal(pthread_create(&threads[CANCELLERS + 1], NULL, stress_watch, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < ROUNDS; i++) {
        judge_round(&stress.rounds[i]);
        vhd_task_unref(stress.rounds[i].task);
        assert_int_equal(stress.rounds[i].job.drops, 1);
    }
    pthread_barrier_destroy(&stress.barrier);
    free(stress.rounds);
}

/* One of two threads that cancel the same queued task. */
struct canceller {
    struct vhd_task *task;
    int answer;
    bool had_ended;    /* when the cancel returned */
    bool has_returned; /* atomic */
};

static void *cancel(void *arg)
{
    struct canceller *canceller = arg;
    canceller->answer = vhd_task_cancel(canceller->task);
    canceller->had_ended = vhd_task_has_ended(canceller->task);
    __atomic_store_n(&canceller->has_returned, true, __ATOMIC_SEQ_CST);
    return NULL;
}

/* The second comes while the first is still dropping the work. */
static void a_queued_task_has_ended_for_every_canceller(void **state)
{
    (void)state;
    struct gate dropping = GATE_CLOSED;
    struct job job = job_at_once();
    job.dropping = &dropping;
    struct vhd_task *task = task_of(&job);
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
    ear->task = task_of(job);
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
    pthread_t thread = run_behind(task);
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
    pthread_join(thread, NULL);
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
    pthread_t thread = run_behind(task);
    gate_await(&running.before, 1);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(READ(ear.calls), 2);
    assert_int_equal(ear.seen[1].state, VHD_TASK_RUNNING);
    assert_false(ear.seen[1].is_cancelable);
    gate_open(&running.before);
    pthread_join(thread, NULL);
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
    pthread_t thread = run_behind(task);

    gate_await(&job.before, 1);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(vhd_task_cancel(task), 0);
    unsigned calls = READ(ear.calls);
    gate_open(&job.before);
    pthread_join(thread, NULL);
    vhd_task_unref(task);
    assert_int_equal(calls, 2);
}

static void nothing_is_heard_after_the_end(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct ear ear;
    struct vhd_task_watch watch = {.reached = ended};
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
    struct vhd_task *task = task_of(&job);

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
        cmocka_unit_test(names_states_as_a_user_reads_them),
        cmocka_unit_test(begins_queued),
        cmocka_unit_test(completes),
        cmocka_unit_test(reports_the_reason_of_a_failure),
        cmocka_unit_test(progress_never_goes_back),
        cmocka_unit_test(a_commit_is_a_change),
        cmocka_unit_test(a_cancel_of_a_queued_task_ends_it),
        cmocka_unit_test(a_cancel_of_a_running_task_stops_it),
        cmocka_unit_test(a_cancel_behind_the_commit_is_refused),
        cmocka_unit_test(a_failed_roll_back_is_reported),
        cmocka_unit_test(a_refusal_has_ended_already),
        cmocka_unit_test(a_wait_ends_in_time),
        cmocka_unit_test(a_wait_out_of_range_is_refused),
        cmocka_unit_test(every_waiter_is_woken),
        cmocka_unit_test(a_watch_is_called_once_on_the_ending_thread),
        cmocka_unit_test(a_withdrawn_watch_is_not_called),
        cmocka_unit_test(a_watch_may_call_the_task),
        cmocka_unit_test(a_watch_may_be_freed_where_it_is_called),
        cmocka_unit_test(lives_as_long_as_it_is_referenced),
        cmocka_unit_test(cancel_and_commit_agree_in_any_order),
        cmocka_unit_test(a_queued_task_has_ended_for_every_canceller),
        cmocka_unit_test(a_listener_hears_each_change),
        cmocka_unit_test(a_listener_hears_of_a_failure),
        cmocka_unit_test(a_listener_hears_of_a_cancel),
        cmocka_unit_test(a_cancel_that_changes_nothing_is_not_heard),
        cmocka_unit_test(nothing_is_heard_after_the_end),
        cmocka_unit_test(two_cancellers_are_heard_once),
        cmocka_unit_test(a_refusal_and_a_task_without_listener_are_quiet),
    };
    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
