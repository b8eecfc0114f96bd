/*
 * A hog: another program on the host that takes all the room there is, gives some back, and takes
 * it again.
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

/* Begin to take room in the file system of a folder. */
void hog_begin(struct hog *hog, const char *folder, uint64_t seed);

/* End, and give everything back. */
void hog_end(struct hog *hog);
