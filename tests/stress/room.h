/*
 * A folder for a run, made before it and removed after it, whatever becomes of it: the run is a
 * process of its own. And the options of a run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct room_options {
    const char *scenario;
    const char *folder;   /* where to work; NULL for where temporary files go */
    const char *host;     /* a folder whose file system is to be full now and then, or NULL */
    const char *expected; /* a folder for what the disks hold in the end, or NULL */
    uint64_t seed;
    uint64_t seconds; /* how long to go on */
    unsigned rounds;  /* at least; and with seconds 0 exactly */
};

/*
 * Read SCENARIO [-s SEED] [-t SECONDS] [-r ROUNDS] [-d FOLDER] [-g HOST] [-e EXPECTED]. Without a
 * seed it is the time; without seconds it is VHD_STRESS_SECONDS of the environment, or two.
 *
 * Ends the program with the usage when they are something else.
 */
void room_parse(int argc, char **argv, struct room_options *ret);

/*
 * Have a process do it with a folder of its own, and clear the folder away.
 *
 *   body  returns an exit status
 *
 * Returns main()'s exit status. VHD_STRESS_KEEP in the environment keeps the folder of a run that
 * found a fault.
 */
int room_run(const struct room_options *options,
             int (*body)(const struct room_options *options, const char *folder));

/* Mount a small file system on a folder, seen by this process alone; false where it may not. */
bool room_mount_small(const char *folder, uint64_t bytes);
