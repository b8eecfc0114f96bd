/*
 * Claims on an image: locks that say how it is used, in the bytes in which QEMU looks for them. So
 * neither another vhdfs, on another store with a hard link to the image, nor a QEMU opens it in a
 * way that does not go with ours, and we do not open it under them. A claim is of the open file
 * description and goes with its last descriptor.
 *
 * Source: QEMU, block/file-posix.c, "RAW_LOCK_PERM_BASE"; tried with QEMU 7.2.
 */
#pragma once

enum vhd_claim {
    VHD_CLAIM_NONE,
    VHD_CLAIM_READ,  /* others may read too, none may write: also for each parent of a chain */
    VHD_CLAIM_WRITE, /* nobody else has it open */
};

/*
 * Claim an image.
 *
 *   fd      open in any way
 *   held    what this description has claimed already; after a failure it still has
 *   wanted  more than that
 *
 * Returns 0, -EBUSY when somebody uses it in a way that does not go with this, or another negative
 * errno of fcntl(2).
 */
int vhd_claim(int fd, enum vhd_claim held, enum vhd_claim wanted);

/* Give back what one claim has beyond another. */
void vhd_claim_lower(int fd, enum vhd_claim held, enum vhd_claim wanted);
