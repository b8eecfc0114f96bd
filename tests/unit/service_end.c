/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a stop would hang, or a disk would appear after "shutting down".
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "clients.h"
#include "service_callers.h"

static void a_stop_cancels_queued_and_running_tasks(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(2, 1);
    struct job running = JOB_GATED, committed = JOB_GATED, queued = job_at_once();
    struct vhd_task *tasks[] = {submit(service, &quick_work, &running),
                                submit(service, &quick_work, &committed),
                                submit(service, &quick_work, &queued)};
    struct freer freer;

    gate_open(&committed.before);
    gate_await(&running.before, 1);
    gate_await(&committed.behind, 1);
    assert_false(vhd_service_is_stopping(service));
    vhd_service_stop(service); /* which does not wait for running tasks */
    vhd_service_stop(service);

    assert_true(vhd_service_is_stopping(service));
    assert_int_equal(status_of(tasks[2]).state, VHD_TASK_STOPPED);
    assert_true(vhd_task_is_cancelled(tasks[0]));
    assert_int_equal(status_of(tasks[0]).state, VHD_TASK_RUNNING);
    assert_int_equal(status_of(tasks[1]).state, VHD_TASK_RUNNING);

    freer_begin(&freer, service);
    gate_open(&running.before);
    assert_int_equal(vhd_task_wait(tasks[0], -1), 0);
    assert_false(READ(freer.has_returned));
    gate_open(&committed.behind);
    pthread_join(freer.thread, NULL);
    assert_int_equal(status_of(tasks[0]).state, VHD_TASK_STOPPED);
    assert_int_equal(status_of(tasks[1]).state, VHD_TASK_COMPLETED);
    assert_int_equal(queued.runs, 0);
    assert_int_equal(running.drops, 1);
    assert_int_equal(committed.drops, 1);
    assert_int_equal(queued.drops, 1);
    for (int i = 0; i < 3; i++)
        vhd_task_unref(tasks[i]);
}

static void to_free_a_service_stops_it(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job running = JOB_GATED, queued = job_at_once();
    struct vhd_task *tasks[] = {submit(service, &quick_work, &running),
                                submit(service, &quick_work, &queued)};
    struct freer freer;

    gate_await(&running.before, 1);
    freer_begin(&freer, service);
    assert_int_equal(vhd_task_wait(tasks[1], -1), 0);
    UNTIL(vhd_task_is_cancelled(tasks[0]));
    assert_false(READ(freer.has_returned));
    gate_open(&running.before);
    pthread_join(freer.thread, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(status_of(tasks[i]).state, VHD_TASK_STOPPED);
        vhd_task_unref(tasks[i]);
    }
    assert_int_equal(running.drops, 1);
    assert_int_equal(queued.drops, 1);
    assert_int_equal(queued.runs, 0);
}

static void a_stopped_service_refuses_work(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job job = job_at_once();
    struct vhd_task *task = NULL;
    struct vhd_verdict verdict = {0};

    vhd_service_stop(service);
    assert_true(vhd_service_is_stopping(service));
    assert_int_equal(vhd_service_submit(service, &quick_work, &job, "d", "Do it", &task, &verdict),
                     VHD_SHUTTING_DOWN);
    assert_null(task);
    assert_int_equal(verdict.result, VHD_SHUTTING_DOWN);
    assert_true(*verdict.sentence);
    assert_int_equal(job.runs, 0);
    assert_int_equal(job.drops, 1);
    assert_int_equal(vhd_service_submit(service, &quick_work, &job, "d", "Do it", NULL, NULL),
                     VHD_SHUTTING_DOWN);
    assert_int_equal(job.drops, 2);

    task = vhd_service_record_refusal(service, "create", "d", "Create it", &verdict);
    assert_non_null(task);
    vhd_service_free(service);
    assert_int_equal(status_of(task).verdict.result, VHD_SHUTTING_DOWN);
    vhd_task_unref(task);
}

static void tasks_outlive_their_service(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(64, 1);
    struct job job = job_at_once();
    struct vhd_task *task = submit(service, &quick_work, &job);

    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_service_free(service);
    vhd_service_free(NULL);
    assert_int_equal(status_of(task).state, VHD_TASK_COMPLETED);
    assert_int_equal(status_of(task).percent, 100);
    assert_string_equal(status_of(task).operation, "quick");
    assert_string_equal(status_of(task).description, "Do it");
    assert_int_equal(vhd_task_cancel(task), -ESRCH);
    vhd_task_unref(task);
}

static void a_watch_may_call_the_service_as_it_stops(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job busy = JOB_GATED, queued = job_at_once();
    struct chain chains[2];
    struct vhd_task *tasks[] = {submit(service, &quick_work, &busy),
                                submit(service, &quick_work, &queued)};

    gate_await(&busy.before, 1);
    for (int i = 0; i < 2; i++) {
        chains[i] = (struct chain){.watch.reached = hand_in_next,
                                   .service = service,
                                   .job = job_at_once(),
                                   .done = GATE_CLOSED};
        gate_open(&chains[i].done);
        assert_int_equal(vhd_task_watch(tasks[i], &chains[i].watch), 0);
    }
    vhd_service_stop(service);
    assert_int_equal(chains[1].done.arrived, 1);
    gate_open(&busy.before);
    vhd_service_free(service);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(chains[i].done.arrived, 1);
        assert_true(chains[i].is_stopping);
        assert_int_equal(chains[i].result, VHD_SHUTTING_DOWN);
        assert_int_equal(chains[i].job.drops, 1);
        assert_int_equal(status_of(tasks[i]).state, VHD_TASK_STOPPED);
        vhd_task_unref(tasks[i]);
    }
}

static void a_listener_hears_how_a_stop_cancels(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct ear ear = {.service = service};
    struct job running = JOB_GATED, queued = job_at_once();
    vhd_service_listen(service, hear, &ear);
    struct vhd_task *tasks[] = {submit(service, &quick_work, &running),
                                submit(service, &quick_work, &queued)};

    gate_await(&running.before, 1);
    assert_int_equal(READ(ear.calls), 1);
    vhd_service_stop(service);
    assert_int_equal(READ(ear.calls), 3); /* one is stopping, one has ended */
    assert_int_equal(READ(ear.stopping), 2);
    vhd_service_stop(service); /* changes nothing */
    assert_int_equal(READ(ear.calls), 3);
    gate_open(&running.before);
    vhd_service_free(service);
    assert_int_equal(ear.calls, 4);
    assert_int_equal(running.drops, 1);
    assert_int_equal(queued.drops, 1);
    for (int i = 0; i < 2; i++)
        vhd_task_unref(tasks[i]);
}

/* After the end of a service its listener may be freed: every call has been made before. */
static void nobody_is_called_once_the_service_is_gone(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct gate telling = GATE_CLOSED;
    struct ear ear = {.service = service, .gate = &telling};
    struct freer freer;
    struct job job = job_at_once();

    vhd_service_listen(service, hear, &ear);
    assert_int_equal(vhd_service_submit(service, &quick_work, &job, "d", "Do it", NULL, NULL),
                     VHD_OK);
    gate_await(&telling, 1);
    freer_begin(&freer, service);
    UNTIL(vhd_service_is_stopping(service));
    assert_false(READ(freer.has_returned));
    gate_open(&telling);
    pthread_join(freer.thread, NULL);
    unsigned calls = ear.calls;
    assert_int_equal(job.drops, 1);
    assert_int_equal(telling.arrived, calls);
}

/* A thread with a reference may cancel a task at any time, also while the service ends. */
static void hear_only(void *calls, struct vhd_task *task)
{
    (void)task;
    COUNT(*(unsigned *)calls);
}

static void *cancel_task(void *task)
{
    vhd_task_cancel(task);
    return NULL;
}

static void spend_ms(int ms)
{
    const struct timespec time = {.tv_nsec = ms * 1000000L};
    nanosleep(&time, NULL);
}

static void a_cancel_may_meet_the_end_of_the_service(void **state)
{
    (void)state;
    enum { CANCELLERS = 24 };
    const char *rounds = getenv("VHD_ROUNDS");
    const int times = rounds ? atoi(rounds) : 25;

    for (int i = 0; i < times; i++) {
        struct vhd_service *service = service_with(1, 1);
        struct gate dropping = GATE_CLOSED;
        struct job busy = JOB_GATED, queued = job_at_once();
        struct freer freer;
        pthread_t threads[CANCELLERS];
        unsigned calls = 0;

        queued.dropping = &dropping;
        vhd_service_listen(service, hear_only, &calls);
        struct vhd_task *tasks[] = {submit(service, &quick_work, &busy),
                                    submit(service, &quick_work, &queued)};
        gate_await(&busy.before, 1);
        for (int j = 0; j < CANCELLERS; j++)
            assert_int_equal(pthread_create(&threads[j], NULL, cancel_task, tasks[1]), 0);
        gate_await(&dropping, 1);
        freer_begin(&freer, service);
        UNTIL(vhd_service_is_stopping(service));
        gate_open(&busy.before);
        gate_open(&busy.behind);
        /* Let most of them get so far that they wait in their cancel. */
        spend_ms(4);
        gate_open(&dropping);
        pthread_join(freer.thread, NULL);
        for (int j = 0; j < CANCELLERS; j++)
            pthread_join(threads[j], NULL);
        assert_int_equal(queued.drops, 1);
        for (int j = 0; j < 2; j++)
            vhd_task_unref(tasks[j]);
    }
}

static void nothing_is_lost_when_it_stops_amid_requests(void **state)
{
    (void)state;
    stop_amid_requests((struct clients){
        .clients = 6,
        .quick = 3,
        .jobs = 1,
        .works = {&quick_work, &quick_work, &quick_work},
        .cancel_every = 3,
        .wait_every = 1,
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_cancels_queued_and_running_tasks),
        cmocka_unit_test(to_free_a_service_stops_it),
        cmocka_unit_test(a_stopped_service_refuses_work),
        cmocka_unit_test(tasks_outlive_their_service),
        cmocka_unit_test(a_watch_may_call_the_service_as_it_stops),
        cmocka_unit_test(a_listener_hears_how_a_stop_cancels),
        cmocka_unit_test(nobody_is_called_once_the_service_is_gone),
        cmocka_unit_test(a_cancel_may_meet_the_end_of_the_service),
        cmocka_unit_test(nothing_is_lost_when_it_stops_amid_requests),
    };
    return cmocka_run_group_tests_name("service_end", tests, NULL, NULL);
}
