#include "transfer.h"

#include <pthread.h>
#include <stdlib.h>

/* As the page cache has it, so that whole pages are copied. */
#define ALIGNMENT 4096

/* Not constant, for then they would take room in the program's file. */
static char zeros[FS_TRANSFER_MAX];

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_err; /* constant once made */

static void make_key(void)
{
    key_err = pthread_key_create(&key, free);
}

char *fs_transfer_buffer(void)
{
    pthread_once(&once, make_key);
    if (key_err != 0)
        return NULL;
    char *buf = pthread_getspecific(key);
    if (buf)
        return buf;
    buf = aligned_alloc(ALIGNMENT, FS_TRANSFER_MAX);
    if (pthread_setspecific(key, buf) != 0) {
        free(buf);
        return NULL;
    }
    return buf;
}

const char *fs_transfer_zeros(void)
{
    return zeros;
}
