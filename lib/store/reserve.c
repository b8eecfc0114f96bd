/* SPDX-License-Identifier: MIT */
#include "store/reserve.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

struct vhd_reserve vhd_reserve_now(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return (struct vhd_reserve){.limit = UINT64_MAX};
    const uint64_t eighth = limit.rlim_cur / 8;
    return (struct vhd_reserve){
        .limit = limit.rlim_cur,
        .kept = eighth < VHD_RESERVE_MOST ? eighth : VHD_RESERVE_MOST,
    };
}

int vhd_reserve_spare(int fd)
{
    const struct vhd_reserve reserve = vhd_reserve_now();

    /* The kernel gives out the lowest free number, so all lower ones are in use. */
    if (fd < 0 || (uint64_t)fd < reserve.limit - reserve.kept)
        return fd;
    close(fd);
    return -EMFILE;
}
