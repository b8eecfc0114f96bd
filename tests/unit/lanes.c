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
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "long_job.h"
#include "task/service.h"

static struct vhd_service *service_with(unsigned quick, unsigned jobs)
{
    struct vhd_service *service;
    assert_int_equal(vhd_service_new(quick, jobs, &service), 0);
    return service;
}

static struct vhd_task *submit(struct vhd_service *service, const struct vhd_work *work,
                               struct long_job *job)
{
    struct vhd_task *task;
    struct vhd_verdict verdict;
    assert_int_equal(vhd_service_submit(service, work, job, "d", "Do it", &task, &verdict), VHD_OK);
    return task;
}

/* Submit long work, and wait until it is accepted. */
static struct vhd_task *submit_accepted(struct vhd_service *service, struct long_job *job)
{
    struct vhd_task *task = submit(service, &long_work, job);
    UNTIL(status_of(task).is_accepted);
    return task;
}

/* The task has ended, with or without a run; its work is dropped once. */
static void expect_end(struct vhd_task *task, const struct long_job *job, enum vhd_task_state state,
                       unsigned runs)
{
    assert_int_equal(vhd_task_wait(task, -1), 0);
    assert_int_equal(status_of(task).state, state);
    assert_int_equal(READ(job->runs), runs);
    assert_int_equal(READ(job->drops), 1);
}

static void quick_work_does_not_wait_for_long_work(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct long_job first = long_job_admitted(), second = long_job_admitted();
    struct vhd_task *tasks[] = {submit(service, &long_work, &first), NULL};

    gate_await(&first.running, 1);
    tasks[1] = submit_accepted(service, &second);
    for (int i = 0; i < 5; i++) {
        struct long_job quick = long_job_at_once();
        struct vhd_task *task = submit(service, &quick_work, &quick);
        expect_end(task, &quick, VHD_TASK_COMPLETED, 1);
        vhd_task_unref(task);
    }
    assert_int_equal(status_of(tasks[0]).state, VHD_TASK_RUNNING);
    assert_int_equal(status_of(tasks[1]).state, VHD_TASK_QUEUED);
    assert_int_equal(READ(second.runs), 0);

    gate_open(&first.running);
    gate_await(&second.running, 1);
    expect_end(tasks[0], &first, VHD_TASK_COMPLETED, 1);
    gate_open(&second.running);
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
    struct long_job accepted = long_job_admitted(), quick = long_job_admitted();
    struct long_job waiting = long_job_at_once();
    struct vhd_task *tasks[] = {submit(service, &long_work, &accepted), NULL, NULL};

    gate_await(&accepted.running, 1);
    tasks[1] = submit(service, &quick_work, &quick);
    gate_await(&quick.running, 1);
    tasks[2] = submit(service, &long_work, &waiting);
    gate_open(&accepted.running);
    expect_end(tasks[0], &accepted, VHD_TASK_COMPLETED, 1);
    assert_int_equal(READ(waiting.admissions), 0);
    gate_open(&quick.running);
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
    struct long_job jobs[TASKS];
    struct vhd_task *tasks[TASKS];

    for (int i = 0; i < TASKS; i++) {
        jobs[i] = long_job_admitted();
        tasks[i] = submit_accepted(service, &jobs[i]);
    }
    for (int i = 0; i < TASKS; i++) {
        gate_await(&jobs[i].running, 1);
        if (i + 1 < JOBS)
            continue;
        for (int j = 0; j < TASKS; j++)
            assert_int_equal(READ(jobs[j].runs), j <= i);
        gate_open(&jobs[i + 1 - JOBS].running);
    }
    for (int i = 0; i < TASKS; i++)
        gate_open(&jobs[i].running);
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
    struct long_job jobs[TASKS];
    struct vhd_task *tasks[TASKS];

    long_job_turns = 0;
    for (int i = 0; i < TASKS; i++) {
        jobs[i] = i == 0 ? long_job_admitted() : long_job_at_once();
        tasks[i] = submit(service, &long_work, &jobs[i]);
    }
    UNTIL(status_of(tasks[TASKS - 1]).is_accepted);
    gate_open(&jobs[0].running);
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
    struct long_job busy = long_job_admitted(), refused = long_job_at_once();
    struct long_job cancelled = long_job_at_once(), last = long_job_at_once();
    struct vhd_task *tasks[4];

    refused.refuses = VHD_DISK_FULL;
    tasks[0] = submit(service, &long_work, &busy);
    gate_await(&busy.running, 1);
    tasks[1] = submit(service, &long_work, &refused);
    expect_end(tasks[1], &refused, VHD_TASK_FAILED, 0);
    tasks[2] = submit_accepted(service, &cancelled);
    tasks[3] = submit_accepted(service, &last);
    assert_int_equal(vhd_task_cancel(tasks[2]), 0);
    expect_end(tasks[2], &cancelled, VHD_TASK_STOPPED, 0);
    gate_open(&busy.running);
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
    struct long_job job = long_job_at_once();
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
    struct long_job working, accepted, admitting, waiting;
    struct vhd_task *tasks[4];
};

static void stages_begin(struct stages *stages)
{
    stages->service = service_with(1, 1);
    stages->working = long_job_admitted();
    stages->accepted = long_job_at_once();
    stages->admitting = LONG_JOB_GATED;
    stages->waiting = long_job_at_once();
    stages->tasks[0] = submit(stages->service, &long_work, &stages->working);
    gate_await(&stages->working.running, 1);
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
        struct gate *const gates[] = {&stages.admitting.admitting, &stages.working.running};
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

struct freer {
    struct vhd_service *service;
    pthread_t thread;
    bool has_returned; /* atomic */
};

static void *free_service(void *arg)
{
    struct freer *freer = arg;
    vhd_service_free(freer->service);
    __atomic_store_n(&freer->has_returned, true, __ATOMIC_SEQ_CST);
    return NULL;
}

static void freer_begin(struct freer *freer, struct vhd_service *service)
{
    *freer = (struct freer){.service = service};
    assert_int_equal(pthread_create(&freer->thread, NULL, free_service, freer), 0);
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
    gate_open(&stages.working.running);
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
    struct long_job late = LONG_JOB_GATED, busy = long_job_admitted();
    struct long_job blocking = long_job_at_once();
    struct freer freer;
    struct vhd_task *tasks[3];

    tasks[0] = submit(service, &quick_work, &busy);
    tasks[1] = submit(service, &long_work, &late);
    gate_await(&busy.running, 1);
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
    gate_open(&busy.running);
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
    struct long_job *job;
    bool has_run;
};

static void await_the_run(struct vhd_task_watch *watch)
{
    struct awaiting *awaiting = (struct awaiting *)watch;

    gate_await(&awaiting->job->running, 1);
    awaiting->has_run = true;
}

/* A reply is given by such a watch, and the next request may follow it at once. */
static void work_is_queued_before_its_acceptance_is_known(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct long_job job = LONG_JOB_GATED;
    struct awaiting awaiting = {{.wants_acceptance = true, .reached = await_the_run}, &job, false};
    struct vhd_task *task = submit(service, &long_work, &job);

    assert_int_equal(vhd_task_watch(task, &awaiting.watch), 0);
    gate_open(&job.admitting);
    gate_open(&job.running);
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
    struct long_job busy = long_job_admitted(), job = long_job_admitted();
    struct freer freer = {.has_returned = false};
    struct ear ear = {.gate = GATE_CLOSED, .freer = &freer};
    pthread_t thread;

    vhd_service_listen(service, hear, &ear);
    struct vhd_task *first = submit(service, &long_work, &busy);
    gate_await(&busy.running, 1);
    struct vhd_task *task = submit(service, &long_work, &job);
    UNTIL(status_of(task).is_accepted);
    assert_int_equal(pthread_create(&thread, NULL, cancel_and_hear, task), 0);
    gate_await(&ear.gate, 1);
    freer_begin(&freer, service);
    UNTIL(vhd_service_is_stopping(service));
    gate_open(&busy.running);
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
    struct long_job job = long_job_at_once();
    struct vhd_task *task = NULL;

    vhd_service_stop(service);
    assert_int_equal(vhd_service_submit(service, &long_work, &job, "d", "Do it", &task, NULL),
                     VHD_SHUTTING_DOWN);
    assert_null(task);
    assert_int_equal(job.admissions, 0);
    assert_int_equal(job.drops, 1);
    vhd_service_free(service);
}

/* Stress: threads submit both kinds of work and cancel some, until a stop comes amid all that. */
enum { CLIENTS = 4, REQUESTS = 60, STOP_AFTER = CLIENTS * REQUESTS / 2 };

struct client {
    struct vhd_service *service;
    unsigned *submitted; /* atomic, of all clients */
    unsigned number;
    struct long_job jobs[REQUESTS];
    struct vhd_task *tasks[REQUESTS]; /* NULL: the service has stopped */
};

static void *request_much(void *arg)
{
    struct client *client = arg;

    for (unsigned i = 0; i < REQUESTS; i++) {
        const struct vhd_work *work = i % 3 == 2 ? &quick_work : &long_work;
        struct vhd_task *task = NULL;
        client->jobs[i] = long_job_at_once();
        vhd_service_submit(client->service, work, &client->jobs[i], "d", "Do it", &task, NULL);
        COUNT(*client->submitted);
        client->tasks[i] = task;
        if (task && (i + client->number) % 4 == 0)
            vhd_task_cancel(task);
        if (task && (i + client->number) % 5 == 0)
            vhd_task_wait(task, -1);
    }
    return NULL;
}

/* After the service is gone, each task has ended, and each work has been dropped once. */
static void judge_client(const struct client *client)
{
    for (unsigned i = 0; i < REQUESTS; i++) {
        const struct long_job *job = &client->jobs[i];
        struct vhd_task *task = client->tasks[i];
        assert_int_equal(job->drops, 1);
        if (!task) {
            assert_int_equal(job->admissions + job->runs, 0);
            continue;
        }
        assert_true(vhd_task_has_ended(task));
        assert_in_range(job->runs, status_of(task).state == VHD_TASK_COMPLETED, 1);
        assert_in_range(job->admissions, status_of(task).is_accepted, 1);
        vhd_task_unref(task);
        assert_int_equal(job->drops, 1);
    }
}

static void nothing_is_lost_when_it_stops_amid_requests(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(2, 2);
    struct client *clients = calloc(CLIENTS, sizeof *clients);
    unsigned submitted = 0;
    pthread_t threads[CLIENTS];

    assert_non_null(clients);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].service = service;
        clients[i].number = i;
        clients[i].submitted = &submitted;
        assert_int_equal(pthread_create(&threads[i], NULL, request_much, &clients[i]), 0);
    }
    UNTIL(READ(submitted) >= STOP_AFTER);
    vhd_service_stop(service);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    vhd_service_free(service);
    for (int i = 0; i < CLIENTS; i++)
        judge_client(&clients[i]);
    free(clients);
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
