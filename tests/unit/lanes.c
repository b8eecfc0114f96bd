/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a small request would wait for hours of long work, more long work than jobs= says
 * would load the host, or a stop would hang on, lose or still begin long work.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clients.h"

static void quick_work_does_not_wait_for_long_work(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job first = job_admitted(), second = job_admitted();
    struct vhd_task *tasks[] = {submit(service, &long_work, &first), NULL};

    gate_await(&first.before, 1);
    tasks[1] = submit_accepted(service, &second);
    for (int i = 0; i < 5; i++) {
        struct job quick = job_at_once();
        struct vhd_task *task = submit(service, &quick_work, &quick);
        expect_end(task, &quick, VHD_TASK_COMPLETED, 1);
        vhd_task_unref(task);
    }
    assert_int_equal(status_of(tasks[0]).state, VHD_TASK_RUNNING);
    assert_int_equal(status_of(tasks[1]).state, VHD_TASK_QUEUED);
    assert_int_equal(READ(second.runs), 0);

    gate_open(&first.before);
    gate_await(&second.before, 1);
    expect_end(tasks[0], &first, VHD_TASK_COMPLETED, 1);
    gate_open(&second.before);
    expect_end(tasks[1], &second, VHD_TASK_COMPLETED, 1);
    assert_int_equal(first.admissions, 1);
    assert_int_equal(second.admissions, 1);
    vhd_service_free(service);
    for (int i = 0; i < 2; i++)
        vhd_task_unref(tasks[i]);
}

/* A worker for long work never leaves its queue for quick work, and admits nothing. */
static void long_work_does_not_wait_for_quick_work(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job accepted = job_admitted(), quick = job_admitted();
    struct job waiting = job_at_once();
    struct vhd_task *tasks[] = {submit(service, &long_work, &accepted), NULL, NULL};

    gate_await(&accepted.before, 1);
    tasks[1] = submit(service, &quick_work, &quick);
    gate_await(&quick.before, 1);
    tasks[2] = submit(service, &long_work, &waiting);
    gate_open(&accepted.before);
    expect_end(tasks[0], &accepted, VHD_TASK_COMPLETED, 1);
    assert_int_equal(READ(waiting.admissions), 0);
    gate_open(&quick.before);
    expect_end(tasks[1], &quick, VHD_TASK_COMPLETED, 1);
    expect_end(tasks[2], &waiting, VHD_TASK_COMPLETED, 1);
    vhd_service_free(service);
    for (int i = 0; i < 3; i++)
        vhd_task_unref(tasks[i]);
}

static void as_many_run_at_once_as_there_are_jobs(void **state)
{
    (void)state;
    enum { JOBS = 2, TASKS = 5 };
    struct vhd_service *service = service_with(3, JOBS);
    struct job jobs[TASKS];
    struct vhd_task *tasks[TASKS];

    for (int i = 0; i < TASKS; i++) {
        jobs[i] = job_admitted();
        tasks[i] = submit_accepted(service, &jobs[i]);
    }
    for (int i = 0; i < TASKS; i++) {
        gate_await(&jobs[i].before, 1);
        if (i + 1 < JOBS)
            continue;
        for (int j = 0; j < TASKS; j++)
            assert_int_equal(READ(jobs[j].runs), j <= i);
        gate_open(&jobs[i + 1 - JOBS].before);
    }
    for (int i = 0; i < TASKS; i++)
        gate_open(&jobs[i].before);
    for (int i = 0; i < TASKS; i++)
        expect_end(tasks[i], &jobs[i], VHD_TASK_COMPLETED, 1);
    vhd_service_free(service);
    for (int i = 0; i < TASKS; i++)
        vhd_task_unref(tasks[i]);
}

static void first_admitted_is_first_served(void **state)
{
    (void)state;
    enum { TASKS = 12 };
    struct vhd_service *service = service_with(1, 1);
    struct job jobs[TASKS];
    struct vhd_task *tasks[TASKS];

    job_turns = 0;
    for (int i = 0; i < TASKS; i++) {
        jobs[i] = i == 0 ? job_admitted() : job_at_once();
        tasks[i] = submit(service, &long_work, &jobs[i]);
    }
    UNTIL(status_of(tasks[TASKS - 1]).is_accepted);
    gate_open(&jobs[0].before);
    for (int i = 0; i < TASKS; i++) {
        expect_end(tasks[i], &jobs[i], VHD_TASK_COMPLETED, 1);
        assert_int_equal(jobs[i].turn, i + 1);
    }
    vhd_service_free(service);
    for (int i = 0; i < TASKS; i++)
        vhd_task_unref(tasks[i]);
}

static void a_refused_or_cancelled_task_takes_no_turn(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job busy = job_admitted(), refused = job_at_once();
    struct job cancelled = job_at_once(), last = job_at_once();
    struct vhd_task *tasks[4];

    refused.refuses = VHD_DISK_FULL;
    tasks[0] = submit(service, &long_work, &busy);
    gate_await(&busy.before, 1);
    tasks[1] = submit(service, &long_work, &refused);
    expect_end(tasks[1], &refused, VHD_TASK_FAILED, 0);
    tasks[2] = submit_accepted(service, &cancelled);
    tasks[3] = submit_accepted(service, &last);
    assert_int_equal(vhd_task_cancel(tasks[2]), 0);
    expect_end(tasks[2], &cancelled, VHD_TASK_STOPPED, 0);
    gate_open(&busy.before);
    expect_end(tasks[0], &busy, VHD_TASK_COMPLETED, 1);
    expect_end(tasks[3], &last, VHD_TASK_COMPLETED, 1);
    vhd_service_free(service);
    for (int i = 0; i < 4; i++)
        vhd_task_unref(tasks[i]);
    assert_int_equal(cancelled.runs, 0);
    assert_int_equal(cancelled.drops, 1);
}

static void a_worker_for_long_work_hears_no_signals(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job job = job_at_once();
    const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM};
    struct vhd_task *task = submit(service, &long_work, &job);

    expect_end(task, &job, VHD_TASK_COMPLETED, 1);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        assert_true(sigismember(&job.signals, signals[i]));
    vhd_task_unref(task);
    vhd_service_free(service);
}

/* One long task at work, one accepted, one in its admission, and one that waits for that. */
struct stages {
    struct vhd_service *service;
    struct job working, accepted, admitting, waiting;
    struct vhd_task *tasks[4];
};

static void stages_begin(struct stages *stages)
{
    stages->service = service_with(1, 1);
    stages->working = job_admitted();
    stages->accepted = job_at_once();
    stages->admitting = job_before_commit();
    stages->waiting = job_at_once();
    stages->tasks[0] = submit(stages->service, &long_work, &stages->working);
    gate_await(&stages->working.before, 1);
    stages->tasks[1] = submit_accepted(stages->service, &stages->accepted);
    stages->tasks[2] = submit(stages->service, &long_work, &stages->admitting);
    gate_await(&stages->admitting.admitting, 1);
    stages->tasks[3] = submit(stages->service, &long_work, &stages->waiting);
}

/* After the service is gone. */
static void stages_end(struct stages *stages)
{
    expect_end(stages->tasks[0], &stages->working, VHD_TASK_STOPPED, 1);
    expect_end(stages->tasks[1], &stages->accepted, VHD_TASK_STOPPED, 0);
    expect_end(stages->tasks[2], &stages->admitting, VHD_TASK_STOPPED, 0);
    expect_end(stages->tasks[3], &stages->waiting, VHD_TASK_STOPPED, 0);
    assert_int_equal(stages->waiting.admissions, 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(status_of(stages->tasks[i]).is_accepted, i < 2);
        vhd_task_unref(stages->tasks[i]);
    }
    assert_int_equal(stages->working.drops, 1);
    assert_int_equal(stages->accepted.drops, 1);
    assert_int_equal(stages->admitting.drops, 1);
    assert_int_equal(stages->waiting.drops, 1);
}

/* Either of the two at work may end first. */
static void a_stop_ends_long_work_at_every_stage(void **state)
{
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct stages stages;
        struct gate *const gates[] = {&stages.admitting.admitting, &stages.working.before};
        stages_begin(&stages);
        vhd_service_stop(stages.service);
        expect_end(stages.tasks[1], &stages.accepted, VHD_TASK_STOPPED, 0);
        expect_end(stages.tasks[3], &stages.waiting, VHD_TASK_STOPPED, 0);
        assert_int_equal(vhd_task_wait(stages.tasks[0], 0), -ETIMEDOUT);
        assert_int_equal(vhd_task_wait(stages.tasks[2], 0), -ETIMEDOUT);
        assert_true(vhd_task_is_cancelled(stages.tasks[0]));
        assert_true(vhd_task_is_cancelled(stages.tasks[2]));
        gate_open(gates[i]);
        assert_int_equal(vhd_task_wait(stages.tasks[i ? 0 : 2], -1), 0);
        assert_int_equal(vhd_task_wait(stages.tasks[i ? 2 : 0], 0), -ETIMEDOUT);
        gate_open(gates[!i]);
        vhd_service_free(stages.service);
        stages_end(&stages);
    }
}

static void to_free_a_service_ends_long_work_at_every_stage(void **state)
{
    (void)state;
    struct stages stages;
    struct freer freer;

    stages_begin(&stages);
    freer_begin(&freer, stages.service);
    UNTIL(vhd_task_is_cancelled(stages.tasks[0]) && vhd_task_is_cancelled(stages.tasks[2]));
    gate_open(&stages.admitting.admitting);
    assert_int_equal(vhd_task_wait(stages.tasks[2], -1), 0);
    assert_false(READ(freer.has_returned));
    gate_open(&stages.working.before);
    pthread_join(freer.thread, NULL);
    stages_end(&stages);
}

/*
 * The stop has not reached a task yet when its admission ends. The workers for long work may be
 * gone by then, so nobody else would end the task.
 */
static void work_accepted_amid_a_stop_ends_too(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(2, 1);
    struct gate dropping = GATE_CLOSED;
    struct job late = job_before_commit(), busy = job_admitted();
    struct job blocking = job_at_once();
    struct freer freer;
    struct vhd_task *tasks[3];

    tasks[0] = submit(service, &quick_work, &busy);
    tasks[1] = submit(service, &long_work, &late);
    gate_await(&busy.before, 1);
    gate_await(&late.admitting, 1);
    blocking.dropping = &dropping;
    tasks[2] = submit(service, &quick_work, &blocking);
    freer_begin(&freer, service);
    gate_await(&dropping, 1); /* the stop is busy with the one that is queued */
    assert_false(vhd_task_is_cancelled(tasks[1]));
    gate_open(&late.admitting);
    expect_end(tasks[1], &late, VHD_TASK_STOPPED, 0);
    assert_true(status_of(tasks[1]).is_accepted);
    gate_open(&dropping);
    UNTIL(vhd_task_is_cancelled(tasks[0]));
    gate_open(&busy.before);
    pthread_join(freer.thread, NULL);
    expect_end(tasks[0], &busy, VHD_TASK_STOPPED, 1);
    expect_end(tasks[2], &blocking, VHD_TASK_STOPPED, 0);
    for (int i = 0; i < 3; i++)
        vhd_task_unref(tasks[i]);
    assert_int_equal(late.drops, 1);
}

/* A watch that waits until another thread runs the task. */
struct awaiting {
    struct vhd_task_watch watch;
    struct job *job;
    bool has_run;
};

static void await_the_run(struct vhd_task_watch *watch)
{
    struct awaiting *awaiting = (struct awaiting *)watch;

    gate_await(&awaiting->job->before, 1);
    awaiting->has_run = true;
}

/* A reply is given by such a watch, and the next request may follow it at once. */
static void work_is_queued_before_its_acceptance_is_known(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job job = job_before_commit();
    struct awaiting awaiting = {{.wants_acceptance = true, .reached = await_the_run}, &job, false};
    struct vhd_task *task = submit(service, &long_work, &job);

    assert_int_equal(vhd_task_watch(task, &awaiting.watch), 0);
    gate_open(&job.admitting);
    gate_open(&job.before);
    expect_end(task, &job, VHD_TASK_COMPLETED, 1);
    vhd_service_free(service);
    vhd_task_unref(task);
    assert_true(awaiting.has_run);
}

/* A listener that stands still in the call of one thread. */
struct ear {
    struct gate gate;
    const struct freer *freer;
    bool was_freed; /* the service was gone before the call ended */
};

static _Thread_local bool is_held;

static void hear(void *arg, struct vhd_task *task)
{
    (void)task;
    struct ear *ear = arg;
    struct timespec tenth_ms = {.tv_nsec = 100000};

    if (!is_held)
        return;
    gate_pass(&ear->gate);
    /* A service that does not wait for this call ends within this time. */
    for (int i = 0; i < 200 && !READ(ear->freer->has_returned); i++)
        nanosleep(&tenth_ms, NULL);
    ear->was_freed = READ(ear->freer->has_returned);
}

static void *cancel_and_hear(void *task)
{
    is_held = true;
    vhd_task_cancel(task);
    return NULL;
}

/* The listener may be freed with the service, so the service waits for the end of this call. */
static void a_cancel_of_an_accepted_task_may_meet_the_end_of_the_service(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job busy = job_admitted(), job = job_admitted();
    struct freer freer = {.has_returned = false};
    struct ear ear = {.gate = GATE_CLOSED, .freer = &freer};
    pthread_t thread;

    vhd_service_listen(service, hear, &ear);
    struct vhd_task *first = submit(service, &long_work, &busy);
    gate_await(&busy.before, 1);
    struct vhd_task *task = submit(service, &long_work, &job);
    UNTIL(status_of(task).is_accepted);
    assert_int_equal(pthread_create(&thread, NULL, cancel_and_hear, task), 0);
    gate_await(&ear.gate, 1);
    freer_begin(&freer, service);
    UNTIL(vhd_service_is_stopping(service));
    gate_open(&busy.before);
    gate_open(&ear.gate);
    pthread_join(thread, NULL);
    pthread_join(freer.thread, NULL);
    assert_false(ear.was_freed);
    expect_end(task, &job, VHD_TASK_STOPPED, 0);
    vhd_task_unref(task);
    vhd_task_unref(first);
}

static void a_stopped_service_refuses_long_work(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job job = job_at_once();
    struct vhd_task *task = NULL;

    vhd_service_stop(service);
    assert_int_equal(vhd_service_submit(service, &long_work, &job, "d", "Do it", &task, NULL),
                     VHD_SHUTTING_DOWN);
    assert_null(task);
    assert_int_equal(job.admissions, 0);
    assert_int_equal(job.drops, 1);
    vhd_service_free(service);
}

static void nothing_is_lost_when_it_stops_amid_requests(void **state)
{
    (void)state;
    stop_amid_requests((struct clients){
        .clients = 4,
        .quick = 2,
        .jobs = 2,
        .works = {&long_work, &long_work, &quick_work},
        .cancel_every = 4,
        .wait_every = 5,
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_work_does_not_wait_for_long_work),
        cmocka_unit_test(long_work_does_not_wait_for_quick_work),
        cmocka_unit_test(as_many_run_at_once_as_there_are_jobs),
        cmocka_unit_test(first_admitted_is_first_served),
        cmocka_unit_test(a_refused_or_cancelled_task_takes_no_turn),
        cmocka_unit_test(a_worker_for_long_work_hears_no_signals),
        cmocka_unit_test(a_stop_ends_long_work_at_every_stage),
        cmocka_unit_test(to_free_a_service_ends_long_work_at_every_stage),
        cmocka_unit_test(work_accepted_amid_a_stop_ends_too),
        cmocka_unit_test(work_is_queued_before_its_acceptance_is_known),
        cmocka_unit_test(a_cancel_of_an_accepted_task_may_meet_the_end_of_the_service),
        cmocka_unit_test(a_stopped_service_refuses_long_work),
        cmocka_unit_test(nothing_is_lost_when_it_stops_amid_requests),
    };
    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
