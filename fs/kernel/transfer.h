/* SPDX-License-Identifier: MIT */
/*
 * Transfers between the kernel and a disk: their largest size, and their buffers.
 */
#pragma once

#include <stddef.h>

/*
 * The most bytes of a request, as agreed with the kernel. Readers inside the kernel may ask for
 * more; such a transfer has a buffer of its own.
 */
#define FS_TRANSFER_MAX (1 << 20)

struct fs_transfer {
    char *buf; /* of the size asked for, aligned to pages */
    char *own; /* the same if it is of this transfer alone; NULL if it is the thread's */
};

/*
 * Begin a transfer of size bytes, and end it. The buffer is not cleared.
 *
 * Returns 0 or -ENOMEM. The caller ends the transfer in both cases.
 */
int fs_transfer_begin(struct fs_transfer *transfer, size_t size);
void fs_transfer_end(struct fs_transfer *transfer);

/*
 * Zeros for the reply to a read of a hole, which cost less than a read of the image.
 *
 *   size  at most the size of the transfer
 */
const char *fs_transfer_zeros(struct fs_transfer *transfer, size_t size);
