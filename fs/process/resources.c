/* SPDX-License-Identifier: MIT */
#include "process/resources.h"

#include <linux/capability.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef PR_SET_IO_FLUSHER
#    define PR_SET_IO_FLUSHER 57 /* since Linux 5.6 */
#endif

bool fs_has_capability(unsigned capability)
{
    unsigned long long effective = 0;
    char line[128];

    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status)) {
        if (sscanf(line, "CapEff: %llx", &effective) == 1)
            break;
    }
    if (status)
        fclose(status);
    return effective >> capability & 1;
}

void fs_resources_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * Pages are locked only without a limit, or with the right that lifts it for good. Below a limit,
 * MCL_FUTURE makes mmap and pthread_create fail as soon as address space, not memory, passes the
 * limit: one thread's stack already fills the usual 8 MiB. Without MCL_FUTURE, the heap and all
 * later stacks stay out, and the first stack cannot grow at the limit. A user with such a limit
 * cannot attach loop devices, and loop devices make the kernel wait for us.
 */
static void lock_pages(bool keeps_rights)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit limit;

    /* The limit stays lifted when rights are given up. */
    bool is_unlimited = setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0 ||
                        (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
    if (is_unlimited || (keeps_rights && fs_has_capability(CAP_IPC_LOCK)))
        mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

void fs_resources_protect_memory(bool keeps_rights)
{
    prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    lock_pages(keeps_rights);
}
