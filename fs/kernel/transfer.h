/*
 * Transfers between the kernel and a disk: how large they are, and what their bytes lie in.
 */
#pragma once

#include <stddef.h>

/*
 * Bytes of a request that the kernel is asked to keep to. Readers inside the kernel do not always
 * do so; such a transfer has a buffer of its own.
 */
#define FS_TRANSFER_MAX (1 << 20)

struct fs_transfer {
    char *buf; /* so many bytes as were asked for, aligned to pages */
    char *own; /* of this transfer alone, to be freed; NULL where the thread's is used */
};

/*
 * Begin a transfer of so many bytes.
 *
 * Returns 0 or -ENOMEM. Either way it is to be ended.
 */
int fs_transfer_begin(struct fs_transfer *transfer, size_t size);
void fs_transfer_end(struct fs_transfer *transfer);

/*
 * So many zeros, as many as the transfer was begun with: what holes are answered with, since to
 * read them from the image costs.
 */
const char *fs_transfer_zeros(struct fs_transfer *transfer, size_t size);
