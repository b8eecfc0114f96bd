/* SPDX-License-Identifier: MIT */
#include "process/caller.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

/* The lines of /proc/TID/status that count here; see proc(5). */
struct status {
    pid_t process;
    uint64_t pending; /* signals, for the thread or for its process */
    bool has_pending;
};

/* Read the status of a thread. Returns 0 or a negative errno. */
static int read_status(pid_t tid, struct status *ret)
{
    char path[32], line[128];
    uint64_t mask;

    *ret = (struct status){.process = tid};
    snprintf(path, sizeof path, "/proc/%d/status", tid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "Tgid: %d", &ret->process);
        if (sscanf(line, "SigPnd: %" SCNx64, &mask) == 1 ||
            sscanf(line, "ShdPnd: %" SCNx64, &mask) == 1) {
            ret->pending |= mask;
            ret->has_pending = true;
        }
    }
    fclose(file);
    return 0;
}

enum fs_caller fs_caller_check(pid_t tid)
{
    const uint64_t stopping =
        BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGTERM) | BIT(SIGKILL);
    struct status status;

    if (tid == 0)
        return FS_CALLER_UNKNOWN;
    int err = read_status(tid, &status);
    /* A thread that /proc lacks may only be hidden there (hidepid), so kill(2) decides. */
    if ((err == -ENOENT || err == -ESRCH) && kill(tid, 0) < 0 && errno == ESRCH)
        return FS_CALLER_STOPPED;
    if (err < 0 || !status.has_pending)
        return FS_CALLER_UNKNOWN;
    return status.pending & stopping ? FS_CALLER_STOPPED : FS_CALLER_WAITS;
}

pid_t fs_caller_process(pid_t tid)
{
    struct status status;
    return tid != 0 && read_status(tid, &status) == 0 ? status.process : tid;
}
