/* SPDX-License-Identifier: MIT */
/*
 * notices lies [-s SEED] [-d FOLDER]: stress plain files, first as they are, then through a layer
 * that lies, with each lie in turn.
 *
 * If this failed: the stress tests would miss lost or damaged data, and a release could destroy a
 * user's disk.
 */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chance.h"
#include "fault.h"
#include "file.h"
#include "liar.h"
#include "trial.h"
#include "worker.h"

enum { SIZE = 8 << 20, DEEDS = 2000 };

static void make_files(const char *folder, char paths[WORKER_DISKS][PATH_MAX])
{
    for (unsigned i = 0; i < WORKER_DISKS; i++) {
        snprintf(paths[i], PATH_MAX, "%s/%u", folder, i);
        int fd = open(paths[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0 || ftruncate(fd, 0) < 0 || ftruncate(fd, SIZE) < 0 || close(fd) < 0)
            err(EXIT_FAILURE, "%s", paths[i]);
    }
}

static int read_target(void *target, void *buf, uint64_t len, uint64_t off)
{
    return ((struct target *)target)->ops->read(target, buf, len, off);
}

/* Stress files with this lie. Exits when a fault is noticed. */
static void stress(char paths[WORKER_DISKS][PATH_MAX], const char *lie, uint64_t seed)
{
    const struct ledger_plan plan = {1, 1, 30, 1 << 20, 2 << 20};
    struct ledger_clock clock = {0};
    struct file_target files[WORKER_DISKS];
    struct liar liars[WORKER_DISKS];
    struct crew crew = {.disk_count = WORKER_DISKS};
    struct worker worker = {.crew = &crew, .seed = seed};

    for (unsigned i = 0; i < WORKER_DISKS; i++) {
        file_target_open(&files[i], paths[i], false, chance_seed(seed, i));
        liars[i] = liar_of(&files[i].target, lie);
        crew.disks[i] =
            (struct stressed){ledger_new(i ? "b" : "a", SIZE, &clock), &liars[i].target, true};
        ledger_cut(crew.disks[i].ledger, &plan, &worker.seed);
    }
    worker_begin(&worker);
    for (int i = 0; i < DEEDS; i++)
        worker_deed(&worker);
    worker_end(&worker);
    for (unsigned i = 0; i < WORKER_DISKS; i++) {
        ledger_conclude(crew.disks[i].ledger, 0, read_target, &files[i].target);
        file_target_close(&files[i]);
    }
}

static bool is_noticed(const char *folder, const char *lie, uint64_t seed)
{
    char paths[WORKER_DISKS][PATH_MAX];
    int status;

    make_files(folder, paths);
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        err(EXIT_FAILURE, "fork");
    if (pid == 0) {
        /* The faults are wanted, so their messages would confuse a reader. */
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        fault_begin(seed);
        stress(paths, lie, seed);
        _exit(EXIT_SUCCESS);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
        errx(EXIT_FAILURE, "%s: status %d", lie, status);
    return WEXITSTATUS(status) == EXIT_FAILURE;
}

static int body(const struct trial_options *options, const char *folder)
{
    const uint64_t seed = chance_seed(options->seed, 0);

    if (is_noticed(folder, "none", seed))
        errx(EXIT_FAILURE, "something is noticed though all is well");
    for (const char *const *lie = liar_lies; *lie; lie++) {
        if (!is_noticed(folder, *lie, seed))
            errx(EXIT_FAILURE, "%s: not noticed", *lie);
        printf("%s: noticed, as it should be\n", *lie);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct trial_options options;

    trial_parse(argc, argv, &options);
    return trial_run(&options, body);
}
