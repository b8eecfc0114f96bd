/* SPDX-License-Identifier: MIT */
#include "trial.h"

#include <err.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn static void tell_usage(const char *program)
{
    fprintf(stderr,
            "usage: %s SCENARIO [-s SEED] [-t SECONDS] [-r ROUNDS] [-d FOLDER] [-g HOST] "
            "[-e EXPECTED]\n",
            program);
    exit(2);
}

void trial_parse(int argc, char **argv, struct trial_options *ret)
{
    const char *seconds = getenv("VHD_STRESS_SECONDS");
    struct timespec now;
    int option;

    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct trial_options){
        .seed = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30,
        .seconds = seconds && *seconds ? strtoull(seconds, NULL, 10) : 2,
        .rounds = 2,
    };
    while ((option = getopt(argc, argv, "s:t:r:d:g:e:")) != -1) {
        if (option == 's')
            ret->seed = strtoull(optarg, NULL, 10);
        else if (option == 't')
            ret->seconds = strtoull(optarg, NULL, 10);
        else if (option == 'r')
            ret->rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'd')
            ret->folder = optarg;
        else if (option == 'g')
            ret->host = optarg;
        else if (option == 'e')
            ret->expected = optarg;
        else
            tell_usage(argv[0]);
    }
    if (optind != argc - 1)
        tell_usage(argv[0]);
    ret->scenario = argv[optind];
}

static int remove_one(const char *path, const struct stat *attributes, int type, struct FTW *ftw)
{
    (void)attributes, (void)type, (void)ftw;
    return remove(path);
}

int trial_run(const struct trial_options *options,
              int (*body)(const struct trial_options *options, const char *folder))
{
    const char *base = options->folder ? options->folder : getenv("TMPDIR");
    char folder[PATH_MAX];
    int status;

    snprintf(folder, sizeof folder, "%s/vhdfs-stress-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder))
        err(EXIT_FAILURE, "%s", folder);
    printf("seed %" PRIu64 "\n", options->seed);
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        err(EXIT_FAILURE, "fork");
    if (pid == 0)
        exit(body(options, folder));
    if (waitpid(pid, &status, 0) != pid)
        err(EXIT_FAILURE, "waitpid");
    if (status != 0 && getenv("VHD_STRESS_KEEP"))
        fprintf(stderr, "kept: %s\n", folder);
    else
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (WIFSIGNALED(status))
        fprintf(stderr, "FAULT with seed %" PRIu64 ": ended by signal %d\n", options->seed,
                WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

bool trial_mount_small(const char *folder, uint64_t bytes)
{
    char size[64];

    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
        printf("SKIPPED: needs root and mounts of its own, for a small file system\n");
        return false;
    }
    snprintf(size, sizeof size, "size=%" PRIu64, bytes);
    if (mount("none", folder, "tmpfs", 0, size) < 0)
        err(EXIT_FAILURE, "a small file system on %s", folder);
    return true;
}
