/* SPDX-License-Identifier: MIT */
#include "kernel/transfer.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As in the page cache, so that the kernel copies whole pages. */
#define ALIGNMENT 4096

/* Not constant, because constant zeros would take space in the program's file. */
static char zeros[FS_TRANSFER_MAX];

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_err; /* constant once set */

static void make_key(void)
{
    key_err = pthread_key_create(&key, free);
}

/* The calling thread's buffer, its own until it ends. NULL when memory is short. */
static char *thread_buffer(void)
{
    pthread_once(&once, make_key);
    if (key_err != 0)
        return NULL;
    char *buf = pthread_getspecific(key);
    if (buf)
        return buf;
    buf = aligned_alloc(ALIGNMENT, FS_TRANSFER_MAX);
    if (buf && pthread_setspecific(key, buf) != 0) {
        free(buf);
        return NULL;
    }
    return buf;
}

int fs_transfer_begin(struct fs_transfer *transfer, size_t size)
{
    *transfer = (struct fs_transfer){0};
    if (size <= FS_TRANSFER_MAX) {
        transfer->buf = thread_buffer();
    } else if (size <= SIZE_MAX - ALIGNMENT) {
        transfer->own = aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        transfer->buf = transfer->own;
    }
    return transfer->buf ? 0 : -ENOMEM;
}

void fs_transfer_end(struct fs_transfer *transfer)
{
    free(transfer->own);
}

const char *fs_transfer_zeros(struct fs_transfer *transfer, size_t size)
{
    if (size <= sizeof zeros)
        return zeros;
    return memset(transfer->buf, 0, size);
}
