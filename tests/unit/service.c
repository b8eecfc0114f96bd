/* SPDX-License-Identifier: MIT */
/*
 * If this failed, requests would get lost, be carried out twice or outlive the daemon's end: a stop
 * that hangs, a disk that appears after "shutting down", an id that means two tasks.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gate.h"
#include "task/service.h"

/* Work that passes a gate and then commits. */
struct job {
    struct gate gate, behind; /* before and behind the commit */
    struct gate *dropping;    /* while its argument is dropped; NULL for none */
    unsigned runs, drops;     /* atomic */
    unsigned turn;            /* its place in the order of runs */
    sigset_t signals;
};

#define JOB_GATED ((struct job){.gate = GATE_CLOSED, .behind = GATE_CLOSED})

static unsigned turns; /* atomic */

static struct job job_at_once(void)
{
    struct job job = JOB_GATED;
    job.gate.is_open = job.behind.is_open = true;
    return job;
}

static enum vhd_result job_run(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    struct job *job = arg;

    job->turn = __atomic_add_fetch(&turns, 1, __ATOMIC_SEQ_CST);
    COUNT(job->runs);
    pthread_sigmask(SIG_BLOCK, NULL, &job->signals);
    gate_pass(&job->gate);
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

static struct vhd_service *service_with(unsigned workers)
{
    struct vhd_service *service;
    assert_int_equal(vhd_service_new(workers, 1, &service), 0);
    return service;
}

static struct vhd_task *submit(struct vhd_service *service, struct job *job)
{
    struct vhd_task *task;
    struct vhd_verdict verdict;
    assert_int_equal(vhd_service_submit(service, &job_work, job, "d", "Do it", &task, &verdict),
                     VHD_OK);
    return task;
}

static struct vhd_task_status status_of(struct vhd_task *task)
{
    struct vhd_task_status status;
    vhd_task_status(task, &status);
    return status;
}

static void ids_count_from_one_and_are_never_reused(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(2);
    struct vhd_verdict verdict;
    vhd_verdict_set(&verdict, VHD_INVALID_NAME, NULL);

    for (uint64_t id = 1; id <= 20; id++) {
        struct job job = job_at_once();
        struct vhd_task *task =
            id % 2 ? submit(service, &job)
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
    struct vhd_service *service = service_with(1);
    struct job job = job_at_once(), last = job_at_once();

    assert_int_equal(vhd_service_submit(service, &job_work, &job, "d", "Do it", NULL, NULL),
                     VHD_OK);
    struct vhd_task *task = submit(service, &last);
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
    struct vhd_service *service = service_with(WORKERS);
    struct gate *gates[JOBS];
    struct job jobs[JOBS];
    struct vhd_task *tasks[JOBS];

    for (int i = 0; i < JOBS; i++) {
        jobs[i] = JOB_GATED;
        gates[i] = &jobs[i].gate;
        jobs[i].behind.is_open = true;
        tasks[i] = submit(service, &jobs[i]);
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
    struct vhd_service *service = service_with(1);
    struct job jobs[JOBS];
    struct vhd_task *tasks[JOBS];

    for (int i = 0; i < JOBS; i++) {
        jobs[i] = i ? job_at_once() : JOB_GATED;
        tasks[i] = submit(service, &jobs[i]);
    }
    gate_open(&jobs[0].gate);
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
    struct vhd_service *service = service_with(1);
    struct job job = job_at_once();
    sigset_t ours;
    struct vhd_task *task = submit(service, &job);

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
    struct vhd_service *service = service_with(1);
    struct job busy = JOB_GATED, queued = job_at_once();
    struct vhd_task *first = submit(service, &busy), *second = submit(service, &queued);

    gate_await(&busy.gate, 1);
    assert_int_equal(vhd_task_cancel(second), 0);
    assert_int_equal(status_of(second).state, VHD_TASK_STOPPED);
    assert_int_equal(READ(queued.drops), 1);
    gate_open(&busy.gate);
    gate_open(&busy.behind);
    assert_int_equal(vhd_task_wait(first, -1), 0);
    vhd_service_free(service);
    assert_int_equal(queued.runs, 0);
    assert_int_equal(queued.drops, 1);
    vhd_task_unref(first);
    vhd_task_unref(second);
}

struct freer {
    struct vhd_service *service;
    bool has_returned; /* atomic */
};

static void *free_service(void *arg)
{
    struct freer *freer = arg;
    vhd_service_free(freer->service);
    __atomic_store_n(&freer->has_returned, true, __ATOMIC_SEQ_CST);
    return NULL;
}

static void a_stop_cancels_queued_and_running_tasks(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(2);
    struct job running = JOB_GATED, committed = JOB_GATED, queued = job_at_once();
    struct vhd_task *tasks[] = {submit(service, &running), submit(service, &committed),
                                submit(service, &queued)};
    struct freer freer = {.service = service};
    pthread_t thread;

    gate_open(&committed.gate);
    gate_await(&running.gate, 1);
    gate_await(&committed.behind, 1);
    assert_false(vhd_service_is_stopping(service));
    vhd_service_stop(service); /* which does not wait for running tasks */
    vhd_service_stop(service);

    assert_true(vhd_service_is_stopping(service));
    assert_int_equal(status_of(tasks[2]).state, VHD_TASK_STOPPED);
    assert_true(vhd_task_is_cancelled(tasks[0]));
    assert_int_equal(status_of(tasks[0]).state, VHD_TASK_RUNNING);
    assert_int_equal(status_of(tasks[1]).state, VHD_TASK_RUNNING);

    assert_int_equal(pthread_create(&thread, NULL, free_service, &freer), 0);
    gate_open(&running.gate);
    assert_int_equal(vhd_task_wait(tasks[0], -1), 0);
    assert_false(READ(freer.has_returned));
    gate_open(&committed.behind);
    pthread_join(thread, NULL);
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
    struct vhd_service *service = service_with(1);
    struct job running = JOB_GATED, queued = job_at_once();
    struct vhd_task *tasks[] = {submit(service, &running), submit(service, &queued)};
    struct freer freer = {.service = service};
    pthread_t thread;

    gate_await(&running.gate, 1);
    assert_int_equal(pthread_create(&thread, NULL, free_service, &freer), 0);
    assert_int_equal(vhd_task_wait(tasks[1], -1), 0);
    UNTIL(vhd_task_is_cancelled(tasks[0]));
    assert_false(READ(freer.has_returned));
    gate_open(&running.gate);
    pthread_join(thread, NULL);
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
    struct vhd_service *service = service_with(1);
    struct job job = job_at_once();
    struct vhd_task *task = NULL;
    struct vhd_verdict verdict = {0};

    vhd_service_stop(service);
    assert_true(vhd_service_is_stopping(service));
    assert_int_equal(vhd_service_submit(service, &job_work, &job, "d", "Do it", &task, &verdict),
                     VHD_SHUTTING_DOWN);
    assert_null(task);
    assert_int_equal(verdict.result, VHD_SHUTTING_DOWN);
    assert_true(*verdict.sentence);
    assert_int_equal(job.runs, 0);
    assert_int_equal(job.drops, 1);
    assert_int_equal(vhd_service_submit(service, &job_work, &job, "d", "Do it", NULL, NULL),
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
    struct vhd_service *service = service_with(64);
    struct job job = job_at_once();
    struct vhd_task *task = submit(service, &job);

    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_service_free(service);
    vhd_service_free(NULL);
    assert_int_equal(status_of(task).state, VHD_TASK_COMPLETED);
    assert_int_equal(status_of(task).percent, 100);
    assert_string_equal(status_of(task).operation, "test");
    assert_string_equal(status_of(task).description, "Do it");
    assert_int_equal(vhd_task_cancel(task), -ESRCH);
    vhd_task_unref(task);
}

/* A watch that submits the next task, as the mount does when a task ends. */
struct chain {
    struct vhd_task_watch watch;
    struct vhd_service *service;
    struct job job;
    struct vhd_task *next;
    enum vhd_result result;
    bool is_stopping;
    struct gate done;
};

static void hand_in_next(struct vhd_task_watch *watch)
{
    struct chain *chain = (struct chain *)watch;

    chain->is_stopping = vhd_service_is_stopping(chain->service);
    chain->result =
        vhd_service_submit(chain->service, &job_work, &chain->job, "d", "Next", &chain->next, NULL);
    gate_pass(&chain->done);
}

static void a_watch_may_call_the_service(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1);
    struct job first = JOB_GATED;
    struct chain chain = {.watch.reached = hand_in_next,
                          .service = service,
                          .job = job_at_once(),
                          .done = GATE_CLOSED};
    struct vhd_task *task = submit(service, &first);

    gate_open(&chain.done);
    assert_int_equal(vhd_task_watch(task, &chain.watch), 0);
    gate_open(&first.gate);
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

static void a_watch_may_call_the_service_as_it_stops(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1);
    struct job busy = JOB_GATED, queued = job_at_once();
    struct chain chains[2];
    struct vhd_task *tasks[] = {submit(service, &busy), submit(service, &queued)};

    gate_await(&busy.gate, 1);
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
    gate_open(&busy.gate);
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

/* A listener that calls the service: the call would never return if the service held its lock. */
struct ear {
    struct vhd_service *service;
    unsigned calls, stopping; /* atomic */
    struct gate *gate;        /* gate of each call; NULL for none */
};

static void hear(void *arg, struct vhd_task *task)
{
    (void)task;
    struct ear *ear = arg;

    if (vhd_service_is_stopping(ear->service))
        COUNT(ear->stopping);
    COUNT(ear->calls);
    if (ear->gate)
        gate_pass(ear->gate);
}

static void a_listener_hears_of_every_task(void **state)
{
    (void)state;
    enum { JOBS = 5 };
    struct vhd_service *service = service_with(2);
    struct ear ear = {.service = service};
    struct job jobs[JOBS], refused = job_at_once();
    struct vhd_task *tasks[JOBS];

    vhd_service_listen(service, hear, &ear);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = JOB_GATED;
        tasks[i] = submit(service, &jobs[i]);
    }
    gate_await(&jobs[0].gate, 1);
    gate_await(&jobs[1].gate, 1);
    assert_int_equal(READ(ear.calls), 2); /* two have begun */
    vhd_task_progress(tasks[0], 10);
    assert_int_equal(READ(ear.calls), 3);
    assert_int_equal(vhd_task_cancel(tasks[4]), 0);
    assert_int_equal(READ(ear.calls), 4);
    for (int i = 0; i < JOBS; i++) {
        gate_open(&jobs[i].gate);
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
    assert_int_equal(vhd_service_submit(service, &job_work, &refused, "d", "Do it", NULL, NULL),
                     VHD_SHUTTING_DOWN);
    vhd_service_free(service);
    assert_int_equal(ear.calls, 4 * 3 + 2);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(vhd_task_cancel(tasks[i]), -ESRCH);
        vhd_task_unref(tasks[i]);
    }
    assert_int_equal(ear.calls, 4 * 3 + 2);
}

static void a_listener_hears_how_a_stop_cancels(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(1);
    struct ear ear = {.service = service};
    struct job running = JOB_GATED, queued = job_at_once();
    vhd_service_listen(service, hear, &ear);
    struct vhd_task *tasks[] = {submit(service, &running), submit(service, &queued)};

    gate_await(&running.gate, 1);
    assert_int_equal(READ(ear.calls), 1);
    vhd_service_stop(service);
    assert_int_equal(READ(ear.calls), 3); /* one is stopping, one has ended */
    assert_int_equal(READ(ear.stopping), 2);
    vhd_service_stop(service); /* changes nothing */
    assert_int_equal(READ(ear.calls), 3);
    gate_open(&running.gate);
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
    struct vhd_service *service = service_with(1);
    struct gate telling = GATE_CLOSED;
    struct ear ear = {.service = service, .gate = &telling};
    struct freer freer = {.service = service};
    struct job job = job_at_once();
    pthread_t thread;

    vhd_service_listen(service, hear, &ear);
    assert_int_equal(vhd_service_submit(service, &job_work, &job, "d", "Do it", NULL, NULL),
                     VHD_OK);
    gate_await(&telling, 1);
    assert_int_equal(pthread_create(&thread, NULL, free_service, &freer), 0);
    UNTIL(vhd_service_is_stopping(service));
    assert_false(READ(freer.has_returned));
    gate_open(&telling);
    pthread_join(thread, NULL);
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
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000 < ms);
}

static void a_cancel_may_meet_the_end_of_the_service(void **state)
{
    (void)state;
    enum { TIMES = 25, CANCELLERS = 24 };

    for (int i = 0; i < TIMES; i++) {
        struct vhd_service *service = service_with(1);
        struct gate dropping = GATE_CLOSED;
        struct job busy = JOB_GATED, queued = job_at_once();
        struct freer freer = {.service = service};
        pthread_t threads[CANCELLERS], freeing;
        unsigned calls = 0;

        queued.dropping = &dropping;
        vhd_service_listen(service, hear_only, &calls);
        struct vhd_task *tasks[] = {submit(service, &busy), submit(service, &queued)};
        gate_await(&busy.gate, 1);
        for (int j = 0; j < CANCELLERS; j++)
            assert_int_equal(pthread_create(&threads[j], NULL, cancel_task, tasks[1]), 0);
        gate_await(&dropping, 1);
        assert_int_equal(pthread_create(&freeing, NULL, free_service, &freer), 0);
        UNTIL(vhd_service_is_stopping(service));
        gate_open(&busy.gate);
        gate_open(&busy.behind);
        /* Let most of them get so far that they wait in their cancel. */
        spend_ms(4);
        gate_open(&dropping);
        pthread_join(freeing, NULL);
        for (int j = 0; j < CANCELLERS; j++)
            pthread_join(threads[j], NULL);
        assert_int_equal(queued.drops, 1);
        for (int j = 0; j < 2; j++)
            vhd_task_unref(tasks[j]);
    }
}

/* Stress: many threads submit, cancel and wait, until one stops the service amid all that. */
enum { CLIENTS = 6, REQUESTS = 60, STOP_AFTER = CLIENTS * REQUESTS / 2 };

struct client {
    struct vhd_service *service;
    unsigned *submitted; /* atomic, of all clients */
    unsigned number;
    struct job jobs[REQUESTS];
    struct {
        enum vhd_result result;
        int cancelled; /* 1 if nobody tried */
        int waited;
        struct vhd_task_status status;
    } seen[REQUESTS];
};

static void *request_much(void *arg)
{
    struct client *client = arg;

    for (unsigned i = 0; i < REQUESTS; i++) {
        struct vhd_task *task;
        client->jobs[i] = job_at_once();
        client->seen[i].cancelled = 1;
        client->seen[i].result = vhd_service_submit(client->service, &job_work, &client->jobs[i],
                                                    "d", "Do it", &task, NULL);
        COUNT(*client->submitted);
        if (client->seen[i].result != VHD_OK)
            continue;
        if ((i + client->number) % 3 == 0)
            client->seen[i].cancelled = vhd_task_cancel(task);
        client->seen[i].waited = vhd_task_wait(task, -1);
        vhd_task_status(task, &client->seen[i].status);
        vhd_task_unref(task);
    }
    return NULL;
}

static void judge_client(const struct client *client, unsigned char *ids)
{
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(client->jobs[i].drops, 1);
        if (client->seen[i].result != VHD_OK) {
            assert_int_equal(client->seen[i].result, VHD_SHUTTING_DOWN);
            assert_int_equal(client->jobs[i].runs, 0);
            continue;
        }
        const struct vhd_task_status *status = &client->seen[i].status;
        assert_int_equal(client->seen[i].waited, 0);
        assert_true(status->is_complete);
        assert_in_range(status->id, 1, CLIENTS * REQUESTS);
        assert_int_equal(ids[status->id]++, 0);
        if (client->seen[i].cancelled == 0)
            assert_int_equal(status->state, VHD_TASK_STOPPED);
        if (status->state == VHD_TASK_COMPLETED)
            assert_int_equal(client->jobs[i].runs, 1);
        else
            assert_int_equal(status->state, VHD_TASK_STOPPED);
    }
}

static void nothing_is_lost_when_it_stops_amid_requests(void **state)
{
    (void)state;
    struct vhd_service *service = service_with(3);
    struct client *clients = calloc(CLIENTS, sizeof *clients);
    unsigned char *ids = calloc(CLIENTS * REQUESTS + 1, 1);
    unsigned submitted = 0;
    pthread_t threads[CLIENTS];

    assert_true(clients && ids);
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
        judge_client(&clients[i], ids);
    free(ids);
    free(clients);
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
        cmocka_unit_test(a_stop_cancels_queued_and_running_tasks),
        cmocka_unit_test(to_free_a_service_stops_it),
        cmocka_unit_test(a_stopped_service_refuses_work),
        cmocka_unit_test(tasks_outlive_their_service),
        cmocka_unit_test(a_watch_may_call_the_service),
        cmocka_unit_test(a_watch_may_call_the_service_as_it_stops),
        cmocka_unit_test(a_listener_hears_of_every_task),
        cmocka_unit_test(a_listener_hears_how_a_stop_cancels),
        cmocka_unit_test(nobody_is_called_once_the_service_is_gone),
        cmocka_unit_test(a_cancel_may_meet_the_end_of_the_service),
        cmocka_unit_test(nothing_is_lost_when_it_stops_amid_requests),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
