/* SPDX-License-Identifier: MIT */
/*
 * A crew: threads that make disks 0 to count - 1 together, and the time for it. Each thread takes
 * the next number after it has made a disk. The program says how to make one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct crew {
    const char *prefix; /* of the paths */
    int64_t size_mb;
    unsigned count;
    unsigned threads; /* 1 to 64 */
};

/*
 * Read the arguments PREFIX SIZE_MB COUNT THREADS.
 *
 * Returns false after printing the usage, if they are something else.
 */
bool crew_parse(int argc, char **argv, struct crew *ret);

/*
 * Make the disks and print the seconds.
 *
 *   ending  of the paths, behind the number
 *   make    makes a disk. Several threads call it at once. It prints the reason before it returns
 *           false
 *
 * Returns the exit status for main(): 0, or 1 after make() has returned false, which ends the run.
 */
int crew_run(const struct crew *crew, const char *ending,
             bool (*make)(void *arg, const char *path, int64_t size_mb), void *arg);
