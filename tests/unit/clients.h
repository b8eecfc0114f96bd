/* SPDX-License-Identifier: MIT */
/*
 * Stress of a service: threads submit work, cancel some of it and wait for some, until a stop comes
 * amid all that. A file that includes this has included cmocka.h before.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "services.h"

enum { CLIENTS_MAX = 6, REQUESTS = 60 };

struct clients {
    unsigned clients;                /* at most CLIENTS_MAX */
    unsigned quick, jobs;            /* workers of the service */
    const struct vhd_work *works[3]; /* in turn */
    unsigned cancel_every, wait_every;
    struct vhd_service *service;
    unsigned submitted; /* atomic, of all clients */
};

struct client {
    struct clients *all;
    unsigned number;
    struct job jobs[REQUESTS];
    struct {
        enum vhd_result result;
        struct vhd_task *task; /* NULL: the service has stopped */
        int cancelled;         /* 1 if nobody tried */
        int waited;            /* likewise */
    } seen[REQUESTS];
};

static inline const struct vhd_work *client_work(const struct client *client, unsigned i)
{
    return client->all->works[i % 3];
}

static inline void *client_request(void *arg)
{
    struct client *client = arg;
    struct clients *all = client->all;

    for (unsigned i = 0; i < REQUESTS; i++) {
        struct vhd_task *task = NULL;
        client->jobs[i] = job_at_once();
        client->seen[i].cancelled = client->seen[i].waited = 1;
        client->seen[i].result = vhd_service_submit(all->service, client_work(client, i),
                                                    &client->jobs[i], "d", "Do it", &task, NULL);
        COUNT(all->submitted);
        client->seen[i].task = task;
        if (task && (i + client->number) % all->cancel_every == 0)
            client->seen[i].cancelled = vhd_task_cancel(task);
        if (task && (i + client->number) % all->wait_every == 0)
            client->seen[i].waited = vhd_task_wait(task, -1);
    }
    return NULL;
}

/* After the service is gone, each task has ended, and each work has been dropped once. */
static inline void client_judge(const struct client *client, unsigned char *ids)
{
    for (unsigned i = 0; i < REQUESTS; i++) {
        const struct job *job = &client->jobs[i];
        struct vhd_task *task = client->seen[i].task;
        assert_int_equal(job->drops, 1);
        if (client->seen[i].result != VHD_OK) {
            assert_int_equal(client->seen[i].result, VHD_SHUTTING_DOWN);
            assert_null(task);
            assert_int_equal(job->admissions + job->runs, 0);
            continue;
        }
        const struct vhd_task_status status = status_of(task);
        assert_true(status.is_complete);
        assert_in_range(status.id, 1, client->all->clients * REQUESTS);
        assert_int_equal(ids[status.id]++, 0);
        assert_true(client->seen[i].waited == 0 || client->seen[i].waited == 1);
        assert_true(status.state == VHD_TASK_COMPLETED || status.state == VHD_TASK_STOPPED);
        if (client->seen[i].cancelled == 0)
            assert_int_equal(status.state, VHD_TASK_STOPPED);
        assert_in_range(job->runs, status.state == VHD_TASK_COMPLETED, 1);
        assert_in_range(job->admissions, status.is_accepted, client_work(client, i) == &long_work);
        vhd_task_unref(task);
        assert_int_equal(job->drops, 1);
    }
}

static inline void stop_amid_requests(struct clients all)
{
    struct client *clients = calloc(all.clients, sizeof *clients);
    unsigned char *ids = calloc(all.clients * REQUESTS + 1, 1);
    pthread_t threads[CLIENTS_MAX];

    assert_true(clients && ids && all.clients <= CLIENTS_MAX);
    all.service = service_with(all.quick, all.jobs);
    for (unsigned i = 0; i < all.clients; i++) {
        clients[i].all = &all;
        clients[i].number = i;
        assert_int_equal(pthread_create(&threads[i], NULL, client_request, &clients[i]), 0);
    }
    UNTIL(READ(all.submitted) >= all.clients * REQUESTS / 2);
    vhd_service_stop(all.service);
    for (unsigned i = 0; i < all.clients; i++)
        pthread_join(threads[i], NULL);
    vhd_service_free(all.service);
    for (unsigned i = 0; i < all.clients; i++)
        client_judge(&clients[i], ids);
    free(ids);
    free(clients);
}
