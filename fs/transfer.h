/*
 * Transfers between the kernel and a disk: how large they are, and what their bytes lie in.
 */
#pragma once

#include <stddef.h>

/* Bytes of one request at most; libfuse 3.14 takes no larger ones. */
#define FS_TRANSFER_MAX (1 << 20)

/*
 * A buffer of FS_TRANSFER_MAX bytes, the calling thread's own until it ends. NULL when memory is
 * short.
 */
char *fs_transfer_buffer(void);

/* FS_TRANSFER_MAX zeros: what holes are answered with, since to read them from the image costs. */
const char *fs_transfer_zeros(void);
