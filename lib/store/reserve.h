/*
 * The reserve: descriptors of this process that no open disk gets, so that looking at disks, making
 * and deleting them works however many are open.
 */
#pragma once

#include <stdint.h>

/* Descriptors that are kept free at most; under a low limit it is an eighth of that. */
#define VHD_RESERVE_MOST 64u

struct vhd_reserve {
    uint64_t limit; /* descriptors that this process can have, the soft RLIMIT_NOFILE */
    uint64_t kept;  /* of them, those in reserve */
};

/* Tell the limit as it is now, and what is kept of it. */
struct vhd_reserve vhd_reserve_now(void);

/*
 * Judge a descriptor that will stay open as long as a disk is.
 *
 *   fd  just opened; or a negative errno, which is returned as it is
 *
 * Returns fd; or -EMFILE, with fd closed, where it lies in the reserve.
 */
int vhd_reserve_spare(int fd);
