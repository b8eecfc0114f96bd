/* SPDX-License-Identifier: MIT */
/*
 * If this failed, requests would get lost or be carried out twice, or an id would mean two tasks.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "service_callers.h"

static void ids_count_from_one_and_are_never_reused(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(2, 1);
    struct vhd_verdict verdict;
    vhd_verdict_set(&verdict, VHD_INVALID_NAME, NULL);

    for (uint64_t id = 1; id <= 20; id++) {
        struct job job = job_at_once();
        struct vhd_task *task =
            id % 2 ? submit(service, &quick_work, &job)
                   : vhd_service_record_refusal(service, "create", "d", "Create it", &verdict);
        assert_non_null(task);
        assert_int_equal(vhd_task_wait(task, -1), 0);
        assert_int_equal(status_of(task).id, id);
        assert_int_equal(status_of(task).state, id % 2 ? VHD_TASK_COMPLETED : VHD_TASK_FAILED);
        vhd_task_unref(task);
    }
    vhd_service_free(service);
}

static void the_service_alone_keeps_a_task(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job job = job_at_once(), last = job_at_once();

    assert_int_equal(vhd_service_submit(service, &quick_work, &job, "d", "Do it", NULL, NULL),
                     VHD_OK);
    struct vhd_task *task = submit(service, &quick_work, &last);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_unref(task);
    assert_int_equal(READ(job.runs), 1);
    assert_int_equal(READ(job.drops), 1);
    vhd_service_free(service);
}

static void as_many_run_at_once_as_there_are_workers(void **state)
{
    (void)state;
    enum { WORKERS = 3, JOBS = 5 };
    struct vhd_service *service = service_with(WORKERS, 1);
    struct gate *gates[JOBS];
    struct job jobs[JOBS];
    struct vhd_task *tasks[JOBS];

    for (int i = 0; i < JOBS; i++) {
        jobs[i] = JOB_GATED;
        gates[i] = &jobs[i].before;
        jobs[i].behind.is_open = true;
        tasks[i] = submit(service, &quick_work, &jobs[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        gate_await(gates[i], 1);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(status_of(tasks[i]).state,
                         i < WORKERS ? VHD_TASK_RUNNING : VHD_TASK_QUEUED);
    gate_open(gates[1]);
    gate_await(gates[3], 1);
    assert_int_equal(status_of(tasks[4]).state, VHD_TASK_QUEUED);
    for (int i = 0; i < JOBS; i++)
        gate_open(gates[i]);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(vhd_task_wait(tasks[i], -1), 0);
        assert_int_equal(status_of(tasks[i]).state, VHD_TASK_COMPLETED);
        vhd_task_unref(tasks[i]);
    }
    vhd_service_free(service);
}

static void first_come_is_first_served(void **state)
{
    (void)state;
    enum { JOBS = 10 };
    struct vhd_service *service = service_with(1, 1);
    struct job jobs[JOBS];
    struct vhd_task *tasks[JOBS];

    for (int i = 0; i < JOBS; i++) {
        jobs[i] = i ? job_at_once() : JOB_GATED;
        tasks[i] = submit(service, &quick_work, &jobs[i]);
    }
    gate_open(&jobs[0].before);
    gate_open(&jobs[0].behind);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(vhd_task_wait(tasks[i], -1), 0);
        vhd_task_unref(tasks[i]);
        if (i > 0)
            assert_true(jobs[i].turn == jobs[i - 1].turn + 1);
    }
    vhd_service_free(service);
}

static void a_worker_hears_no_signals(void **state)
{
    (void)state;
    const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGCHLD, SIGPIPE};
    struct vhd_service *service = service_with(1, 1);
    struct job job = job_at_once();
    sigset_t ours;
    struct vhd_task *task = submit(service, &quick_work, &job);

    assert_int_equal(vhd_task_wait(task, -1), 0);
    pthread_sigmask(SIG_BLOCK, NULL, &ours);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        assert_true(sigismember(&job.signals, signals[i]));
        assert_false(sigismember(&ours, signals[i]));
    }
    vhd_task_unref(task);
    vhd_service_free(service);
}

static void a_queued_task_is_cancelled_while_the_worker_is_busy(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job busy = JOB_GATED, queued = job_at_once();
    struct vhd_task *first = submit(service, &quick_work, &busy),
                    *second = submit(service, &quick_work, &queued);

    gate_await(&busy.before, 1);
    assert_int_equal(vhd_task_cancel(second), 0);
    assert_int_equal(status_of(second).state, VHD_TASK_STOPPED);
    assert_int_equal(READ(queued.drops), 1);
    gate_open(&busy.before);
    gate_open(&busy.behind);
    assert_int_equal(vhd_task_wait(first, -1), 0);
    vhd_service_free(service);
    assert_int_equal(queued.runs, 0);
    assert_int_equal(queued.drops, 1);
    vhd_task_unref(first);
    vhd_task_unref(second);
}

static void a_watch_may_call_the_service(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1, 1);
    struct job first = JOB_GATED;
    struct chain chain = {.watch.reached = hand_in_next,
                          .service = service,
                          .job = job_at_once(),
                          .done = GATE_CLOSED};
    struct vhd_task *task = submit(service, &quick_work, &first);

    gate_open(&chain.done);
    assert_int_equal(vhd_task_watch(task, &chain.watch), 0);
    gate_open(&first.before);
    gate_open(&first.behind);
    gate_await(&chain.done, 1);
    assert_int_equal(chain.result, VHD_OK);
    assert_false(chain.is_stopping);
    assert_int_equal(vhd_task_wait(chain.next, -1), 0);
    vhd_task_unref(chain.next);
    vhd_task_unref(task);
    vhd_service_free(service);
    assert_int_equal(chain.job.runs, 1);
}

static void a_listener_hears_of_every_task(void **state)
{
    (void)state;
    enum { JOBS = 5 };
    struct vhd_service *service = service_with(2, 1);
    struct ear ear = {.service = service};
    struct job jobs[JOBS], refused = job_at_once();
    struct vhd_task *tasks[JOBS];

    vhd_service_listen(service, hear, &ear);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = JOB_GATED;
        tasks[i] = submit(service, &quick_work, &jobs[i]);
    }
    gate_await(&jobs[0].before, 1);
    gate_await(&jobs[1].before, 1);
    assert_int_equal(READ(ear.calls), 2); /* two have begun */
    vhd_task_progress(tasks[0], 10);
    assert_int_equal(READ(ear.calls), 3);
    assert_int_equal(vhd_task_cancel(tasks[4]), 0);
    assert_int_equal(READ(ear.calls), 4);
    for (int i = 0; i < JOBS; i++) {
        gate_open(&jobs[i].before);
        gate_open(&jobs[i].behind);
    }
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(vhd_task_wait(tasks[i], -1), 0);
    /* Four that began, committed and ended, the progress, and the one that was cancelled. */
    UNTIL(READ(ear.calls) >= 4 * 3 + 2);
    assert_int_equal(READ(ear.stopping), 0);

    /* A record is no task of the service, and no listener hears of a refusal. */
    struct vhd_verdict verdict;
    vhd_verdict_set(&verdict, VHD_INVALID_NAME, NULL);
    vhd_task_unref(vhd_service_record_refusal(service, "create", "d", "Create it", &verdict));
    vhd_service_stop(service);
    assert_int_equal(vhd_service_submit(service, &quick_work, &refused, "d", "Do it", NULL, NULL),
                     VHD_SHUTTING_DOWN);
    vhd_service_free(service);
    assert_int_equal(ear.calls, 4 * 3 + 2);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(vhd_task_cancel(tasks[i]), -ESRCH);
        vhd_task_unref(tasks[i]);
    }
    assert_int_equal(ear.calls, 4 * 3 + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_count_from_one_and_are_never_reused),
        cmocka_unit_test(the_service_alone_keeps_a_task),
        cmocka_unit_test(as_many_run_at_once_as_there_are_workers),
        cmocka_unit_test(first_come_is_first_served),
        cmocka_unit_test(a_worker_hears_no_signals),
        cmocka_unit_test(a_queued_task_is_cancelled_while_the_worker_is_busy),
        cmocka_unit_test(a_watch_may_call_the_service),
        cmocka_unit_test(a_listener_hears_of_every_task),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
