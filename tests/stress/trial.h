/* SPDX-License-Identifier: MIT */
/*
 * A temporary folder for a run, and the options of a run. The run is a process of its own, so the
 * folder is removed even if it crashes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct trial_options {
    const char *scenario;
    const char *folder;   /* parent of the temporary folder; NULL for TMPDIR */
    const char *host;     /* a folder on the file system that fills up now and then, or NULL */
    const char *expected; /* a folder for the expected content at the end, or NULL */
    uint64_t seed;
    uint64_t seconds; /* least duration */
    unsigned rounds;  /* least number; exact if seconds is 0 */
};

/*
 * Read SCENARIO [-s SEED] [-t SECONDS] [-r ROUNDS] [-d FOLDER] [-g HOST] [-e EXPECTED]. Defaults:
 * the seed is the time, the seconds are VHD_STRESS_SECONDS or two.
 *
 * Prints the usage and exits on other arguments.
 */
void trial_parse(int argc, char **argv, struct trial_options *ret);

/*
 * Run body in a child process with a folder of its own, and remove the folder.
 *
 *   body  returns an exit status
 *
 * Returns the exit status for main(). If VHD_STRESS_KEEP is set, the folder of a failed run
 * remains.
 */
int trial_run(const struct trial_options *options,
              int (*body)(const struct trial_options *options, const char *folder));

/*
 * Mount a small file system on a folder, visible to this process alone. Returns false, after a line
 * for the log, if the process may not.
 */
bool trial_mount_small(const char *folder, uint64_t bytes);
