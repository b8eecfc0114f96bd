/* SPDX-License-Identifier: MIT */
/*
 * The reserve: descriptors of this process that no open disk gets. So users can still read the info
 * of disks, make and delete them, when very many are open.
 */
#pragma once

#include <stdint.h>

/* The most descriptors in reserve. Under a low limit it is an eighth of that. */
#define VHD_RESERVE_MOST 64u

struct vhd_reserve {
    uint64_t limit; /* descriptors that this process may have, the soft RLIMIT_NOFILE */
    uint64_t kept;  /* those of them in reserve */
};

/* Read the present limit and compute the reserve. If the limit cannot be read, the reserve is 0. */
struct vhd_reserve vhd_reserve_now(void);

/*
 * Judge a descriptor that stays open as long as a disk.
 *
 *   fd  just opened; or a negative errno, which is returned as it is
 *
 * Returns fd, or -EMFILE after closing an fd inside the reserve.
 */
int vhd_reserve_spare(int fd);
