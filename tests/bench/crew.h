/*
 * A crew: threads that make disks 0 to count - 1 together, each taking the next number when it has
 * made one, and the time that they take. What making a disk means is the program's affair.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct crew {
    const char *prefix; /* of the disks' paths */
    int64_t size_mb;
    unsigned count;
    unsigned threads; /* 1 to 64 */
};

/*
 * Read the arguments PREFIX SIZE_MB COUNT THREADS.
 *
 * Returns false, with the usage on stderr, when they are something else.
 */
bool crew_parse(int argc, char **argv, struct crew *ret);

/*
 * Make the disks and print the seconds that it took.
 *
 *   ending  of the disks' paths, behind their numbers
 *   make    makes a disk; called by all threads at once. It says on stderr why it returns false
 *
 * Returns main()'s exit status: 0, or 1 when make() returned false, which ends it all.
 */
int crew_run(const struct crew *crew, const char *ending,
             bool (*make)(void *arg, const char *path, int64_t size_mb), void *arg);
