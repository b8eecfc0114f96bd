/* SPDX-License-Identifier: MIT */
#include "hog.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chance.h"
#include "wait.h"

static uint64_t length_of(int fd)
{
    struct stat attributes;

    if (fstat(fd, &attributes) < 0)
        err(EXIT_FAILURE, "the hog's file");
    return (uint64_t)attributes.st_size;
}

/* Allocate all free space, to the last page. */
static void take(int fd)
{
    for (uint64_t piece = 64 << 20; piece >= 4096;) {
        if (fallocate(fd, 0, (off_t)length_of(fd), (off_t)piece) < 0)
            piece /= 2;
    }
}

static void *eat(void *arg)
{
    struct hog *hog = arg;

    while (!__atomic_load_n(&hog->is_over, __ATOMIC_RELAXED)) {
        take(hog->fd);
        wait_ms(chance_below(&hog->seed, 40));
        uint64_t keep = chance_below(&hog->seed, length_of(hog->fd) + 1);
        if (ftruncate(hog->fd, (off_t)keep) < 0)
            err(EXIT_FAILURE, "the hog's file");
        wait_ms(chance_below(&hog->seed, 40));
    }
    return NULL;
}

void hog_begin(struct hog *hog, const char *folder, uint64_t seed)
{
    hog->seed = seed;
    hog->is_over = false;
    hog->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (hog->fd < 0 || pthread_create(&hog->thread, NULL, eat, hog) != 0)
        err(EXIT_FAILURE, "the hog in %s", folder);
}

void hog_end(struct hog *hog)
{
    __atomic_store_n(&hog->is_over, true, __ATOMIC_RELAXED);
    pthread_join(hog->thread, NULL);
    close(hog->fd);
}
