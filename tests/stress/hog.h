/* SPDX-License-Identifier: MIT */
/*
 * A hog stands for another program on the host. It allocates all free space, frees some, and
 * allocates it again.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct hog {
    pthread_t thread;
    uint64_t seed;
    int fd;
    bool is_over; /* atomic */
};

/* Start to fill the file system of a folder. */
void hog_begin(struct hog *hog, const char *folder, uint64_t seed);

/* Stop, and free everything. */
void hog_end(struct hog *hog);
