/* SPDX-License-Identifier: MIT */
#include "process/resources.h"

#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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

int fs_resources_keep_file_rights(void)
{
    static const unsigned kept[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
                                    CAP_FSETID, CAP_IPC_LOCK,     CAP_SYS_RESOURCE};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3] = {{0}};
    uint64_t keeps = 0;

    if (syscall(SYS_capget, &header, rights) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        keeps |= UINT64_C(1) << kept[i];
    /* What no program that this one starts can have. It needs a capability itself, so it is first.
     */
    for (unsigned i = 0; rights[0].effective & 1U << CAP_SETPCAP && i < 64; i++) {
        if (!(keeps >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EINVAL)
            return -errno;
    }
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        rights[i].permitted &= (uint32_t)(keeps >> 32 * i);
        rights[i].effective &= rights[i].permitted;
        rights[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, rights) < 0 ? -errno : 0;
}

void fs_resources_keep_no_buffers(void)
{
    /* Those of copies have 1 MiB and more. A threshold that is set no longer grows. */
    (void)mallopt(M_MMAP_THRESHOLD, 512 << 10);
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
