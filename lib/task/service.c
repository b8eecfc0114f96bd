/* SPDX-License-Identifier: MIT */
#include "task/service.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* A task in the queue, or at work on one of the workers. */
struct entry {
    struct vhd_task *task;
    bool is_stopped; /* the stopping service cancels it */
    TAILQ_ENTRY(entry) link;
};

TAILQ_HEAD(entry_list, entry);

/* The queue of a kind of work, and its workers. */
enum lane { QUICK, LONG, LANES };

struct worker {
    struct vhd_service *service;
    enum lane lane;
    pthread_t thread;
};

struct vhd_service {
    _Atomic uint64_t last_id;
    struct vhd_task_listener listener; /* constant after the first submit */

    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t changed[LANES];
    struct entry_list queue[LANES];
    struct entry_list at_work;
    bool is_stopping;

    unsigned worker_count; /* constant after vhd_service_new() */
    struct worker workers[];
};

/* A task at work on a worker. */
struct turn {
    struct vhd_service *service;
    struct entry *entry;
    bool is_queued; /* for its long work; the entry may be gone */
};

/* Queue a task that was accepted, unless the workers for long work may have ended already. */
static void queue_long(void *arg)
{
    struct turn *turn = arg;
    struct vhd_service *service = turn->service;

    HOLD_LOCK(&service->lock);
    if (service->is_stopping)
        return;
    TAILQ_REMOVE(&service->at_work, turn->entry, link);
    TAILQ_INSERT_TAIL(&service->queue[LONG], turn->entry, link);
    turn->is_queued = true;
    pthread_cond_signal(&service->changed[LONG]);
}

/* Do the first task of a queue. The lock is held at the start and at the end, not in between. */
static void work_first(struct vhd_service *service, enum lane lane)
{
    struct turn turn = {service, TAILQ_FIRST(&service->queue[lane]), false};
    struct vhd_task *task = vhd_task_ref(turn.entry->task);

    TAILQ_REMOVE(&service->queue[lane], turn.entry, link);
    TAILQ_INSERT_TAIL(&service->at_work, turn.entry, link);
    pthread_mutex_unlock(&service->lock);
    /*
     * After a stop, no worker runs an accepted task. It is cancelled, and the second call waits
     * until the listener, which may be freed with the service, knows of its end.
     */
    if (vhd_task_run(task, queue_long, &turn) && !turn.is_queued) {
        vhd_task_cancel(task);
        vhd_task_run(task, NULL, NULL);
    }
    pthread_mutex_lock(&service->lock);
    if (!turn.is_queued)
        TAILQ_REMOVE(&service->at_work, turn.entry, link);
    pthread_mutex_unlock(&service->lock);
    if (!turn.is_queued) {
        vhd_task_unref(turn.entry->task);
        free(turn.entry);
    }
    vhd_task_unref(task);
    pthread_mutex_lock(&service->lock);
}

static void *worker_run(void *arg)
{
    const struct worker *worker = arg;
    struct vhd_service *service = worker->service;
    struct entry_list *queue = &service->queue[worker->lane];

    HOLD_LOCK(&service->lock);
    for (;;) {
        while (TAILQ_EMPTY(queue) && !service->is_stopping)
            pthread_cond_wait(&service->changed[worker->lane], &service->lock);
        if (TAILQ_EMPTY(queue))
            return NULL;
        work_first(service, worker->lane);
    }
}

/* Start a worker with all signals blocked: signals belong to the program's own threads. */
static int start_worker(struct vhd_service *service, enum lane lane)
{
    struct worker *worker = &service->workers[service->worker_count];
    sigset_t all, before;

    *worker = (struct worker){service, lane, 0};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&worker->thread, NULL, worker_run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err == 0)
        service->worker_count++;
    return -err;
}

int vhd_service_new(unsigned quick, unsigned jobs, struct vhd_service **ret)
{
    const unsigned workers = quick + jobs;
    struct vhd_service *service = calloc(1, sizeof *service + workers * sizeof(struct worker));
    if (!service)
        return -ENOMEM;
    pthread_mutex_init(&service->lock, NULL);
    for (int lane = 0; lane < LANES; lane++) {
        pthread_cond_init(&service->changed[lane], NULL);
        TAILQ_INIT(&service->queue[lane]);
    }
    TAILQ_INIT(&service->at_work);
    for (unsigned i = 0; i < workers; i++) {
        int err = start_worker(service, i < quick ? QUICK : LONG);
        if (err < 0) {
            vhd_service_free(service);
            return err;
        }
    }
    *ret = service;
    return 0;
}

/* The next task that the stopping service has not cancelled yet, or NULL. Call under the lock. */
static struct vhd_task *next_to_stop(struct vhd_service *service)
{
    struct entry_list *const lists[LANES + 1] = {&service->queue[QUICK], &service->queue[LONG],
                                                 &service->at_work};
    struct entry *entry;

    for (int i = 0; i < LANES + 1; i++) {
        TAILQ_FOREACH(entry, lists[i], link) {
            if (!entry->is_stopped) {
                entry->is_stopped = true;
                return vhd_task_ref(entry->task);
            }
        }
    }
    return NULL;
}

void vhd_service_stop(struct vhd_service *service)
{
    struct vhd_task *task;

    HOLD_LOCK(&service->lock);
    service->is_stopping = true;
    for (int lane = 0; lane < LANES; lane++)
        pthread_cond_broadcast(&service->changed[lane]);
    while ((task = next_to_stop(service))) {
        /* Not under the lock: cancelling a queued task calls its watches. */
        pthread_mutex_unlock(&service->lock);
        vhd_task_cancel(task);
        vhd_task_unref(task);
        pthread_mutex_lock(&service->lock);
    }
}

void vhd_service_free(struct vhd_service *service)
{
    if (!service)
        return;
    vhd_service_stop(service);
    for (unsigned i = 0; i < service->worker_count; i++)
        pthread_join(service->workers[i].thread, NULL);
    for (int lane = 0; lane < LANES; lane++)
        pthread_cond_destroy(&service->changed[lane]);
    pthread_mutex_destroy(&service->lock);
    free(service);
}

bool vhd_service_is_stopping(struct vhd_service *service)
{
    HOLD_LOCK(&service->lock);
    return service->is_stopping;
}

void vhd_service_listen(struct vhd_service *service,
                        void (*changed)(void *arg, struct vhd_task *task), void *arg)
{
    service->listener = (struct vhd_task_listener){changed, arg};
}

static uint64_t next_id(struct vhd_service *service)
{
    return ++service->last_id;
}

/* Append a task to the queue. Returns false if the service is stopping. */
static bool enqueue(struct vhd_service *service, struct entry *entry)
{
    {
        HOLD_LOCK(&service->lock);
        if (service->is_stopping)
            return false;
        TAILQ_INSERT_TAIL(&service->queue[QUICK], entry, link);
    }
    /* Not under the lock: the worker would wake only to block on it. */
    pthread_cond_signal(&service->changed[QUICK]);
    return true;
}

enum vhd_result vhd_service_submit(struct vhd_service *service, const struct vhd_work *work,
                                   void *arg, const char *name, const char *description,
                                   struct vhd_task **ret_task, struct vhd_verdict *ret)
{
    struct vhd_task *task = vhd_task_new(next_id(service), work, arg, name, description);
    struct entry *entry = calloc(1, sizeof *entry);
    if (!task || !entry) {
        vhd_task_unref(task);
        free(entry);
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    }
    if (service->listener.changed)
        vhd_task_listen(task, &service->listener);
    entry->task = vhd_task_ref(task); /* the queue's; a worker may drop it once queued */
    if (!enqueue(service, entry)) {
        vhd_task_unref(entry->task);
        vhd_task_unref(task);
        free(entry);
        return vhd_verdict_set(ret, VHD_SHUTTING_DOWN, NULL);
    }
    if (ret_task)
        *ret_task = task;
    else
        vhd_task_unref(task);
    return VHD_OK;
}

struct vhd_task *vhd_service_record_refusal(struct vhd_service *service, const char *operation,
                                            const char *name, const char *description,
                                            const struct vhd_verdict *verdict)
{
    return vhd_task_new_refused(next_id(service), operation, name, description, verdict);
}
