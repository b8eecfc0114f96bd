/* SPDX-License-Identifier: MIT */
/*
 * Claims on an image: locks that announce its use, on the bytes that QEMU tests. So QEMU, and a
 * vhdfs on another store with a hard link to the image, respect our use, and we respect theirs. A
 * claim belongs to the open file description and ends with its last descriptor.
 *
 * Source: QEMU, block/file-posix.c, "RAW_LOCK_PERM_BASE"; tried with QEMU 7.2.
 */
#pragma once

enum vhd_claim {
    VHD_CLAIM_NONE,
    VHD_CLAIM_READ,  /* shared by readers, excludes writers; also for each parent */
    VHD_CLAIM_WRITE, /* alone: excludes all other claims */
};

/*
 * Claim an image. A short wait and two more tries let one of two simultaneous callers win.
 *
 *   fd      open for reading
 *   held    the claim of this description; it stays after a failure
 *   wanted  more than that
 *
 * Returns 0, -EBUSY if another user's claim does not allow it, or another negative errno of
 * fcntl(2).
 */
int vhd_claim(int fd, enum vhd_claim held, enum vhd_claim wanted);

/* Lower a claim from held to wanted. */
void vhd_claim_lower(int fd, enum vhd_claim held, enum vhd_claim wanted);
