/* SPDX-License-Identifier: MIT */
#include "crew.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THREADS_MAX 64

/* The threads share it. */
struct run {
    const struct crew *crew;
    const char *ending;
    bool (*make)(void *arg, const char *path, int64_t size_mb);
    void *arg;
    unsigned next;   /* atomic */
    bool has_failed; /* atomic */
};

bool crew_parse(int argc, char **argv, struct crew *ret)
{
    if (argc == 5) {
        *ret = (struct crew){
            .prefix = argv[1],
            .size_mb = strtoll(argv[2], NULL, 10),
            .count = (unsigned)strtoul(argv[3], NULL, 10),
            .threads = (unsigned)strtoul(argv[4], NULL, 10),
        };
        if (ret->count > 0 && ret->threads > 0 && ret->threads <= THREADS_MAX)
            return true;
    }
    fprintf(stderr, "usage: %s PREFIX SIZE_MB COUNT THREADS\n", argv[0]);
    return false;
}

static void *work(void *arg)
{
    struct run *run = arg;
    const struct crew *crew = run->crew;
    char path[PATH_MAX];

    while (!__atomic_load_n(&run->has_failed, __ATOMIC_RELAXED)) {
        unsigned number = __atomic_fetch_add(&run->next, 1, __ATOMIC_RELAXED);
        if (number >= crew->count)
            break;
        snprintf(path, sizeof path, "%s%u%s", crew->prefix, number, run->ending);
        if (!run->make(run->arg, path, crew->size_mb))
            __atomic_store_n(&run->has_failed, true, __ATOMIC_RELAXED);
    }
    return NULL;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int crew_run(const struct crew *crew, const char *ending,
             bool (*make)(void *arg, const char *path, int64_t size_mb), void *arg)
{
    struct run run = {.crew = crew, .ending = ending, .make = make, .arg = arg};
    pthread_t threads[THREADS_MAX];
    unsigned started = 0;

    double begin = seconds();
    while (started < crew->threads && pthread_create(&threads[started], NULL, work, &run) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    double end = seconds();
    if (started < crew->threads) {
        fprintf(stderr, "cannot start %u threads\n", crew->threads);
        return 1;
    }
    if (run.has_failed)
        return 1;
    printf("%.6f\n", end - begin);
    return 0;
}
