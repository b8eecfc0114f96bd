/* SPDX-License-Identifier: MIT */
#include "kernel/serve.h"

#include <errno.h>
#include <linux/fuse.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/thread.h"
#include "tree/ino.h"
#include "process/log.h"
#include "tree/node.h"
#include "kernel/transfer.h"

enum request_class { CLASS_MEMORY, CLASS_NAMES, CLASS_INFO, CLASS_WORK, CLASS_COUNT };

/*
 * Limits of the requests at work, for each class. Few run at a time, unless the host hangs on some
 * images; those must leave threads for the others.
 */
enum { MEMORY_MAX = 8, NAMES_MAX = 32, INFO_MAX = 128, WORK_MAX = 256 };

static const unsigned limits[CLASS_COUNT] = {
    [CLASS_MEMORY] = MEMORY_MAX,
    [CLASS_NAMES] = NAMES_MAX,
    [CLASS_INFO] = INFO_MAX,
    [CLASS_WORK] = WORK_MAX,
};

enum {
    /* One more than all limits: that one waits for the next request. */
    THREADS_MAX = MEMORY_MAX + NAMES_MAX + INFO_MAX + WORK_MAX + 1,
    /* Threads at the start, and the most idle ones that stay: a new one costs as much as a
     * request. */
    WAITING_MIN = 4,
    WAITING_MAX = 16,
    PAGE = 4096,
};

/* A request above its class's limit, with the bytes that the kernel has sent. */
struct queued {
    STAILQ_ENTRY(queued) link;
    size_t size;
    char bytes[];
};

STAILQ_HEAD(queue, queued);

struct server {
    struct fuse_session *fuse; /* constant */
    const uid_t *owner;        /* constant; NULL: the kernel judges all users */

    pthread_mutex_t lock; /* guards the members below; a leaf */
    pthread_cond_t ended; /* the last thread has ended */
    unsigned threads, waiting;
    unsigned at_work[CLASS_COUNT];
    struct queue queues[CLASS_COUNT];
    int err; /* of the read that has failed; 0 for none */
};

/* The class of most requests for a file of this kind. */
static enum request_class class_of(unsigned kind)
{
    switch (kind) {
    case FS_DISKS:
    case FS_NEW:
    case FS_REQUEST:
        return CLASS_NAMES;
    case FS_DISK_RAW:
    case FS_DISK_FIXED:
        return CLASS_WORK;
    default:
        return kind >= FS_DISK && kind < FS_KIND_COUNT ? CLASS_INFO : CLASS_MEMORY;
    }
}

static enum request_class classify(const struct fuse_in_header *header)
{
    const enum request_class class = class_of(fs_ino_kind(header->nodeid));

    switch (header->opcode) {
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        return CLASS_MEMORY;
    case FUSE_STATFS:
        return CLASS_NAMES;
    case FUSE_GETATTR:
        return class == CLASS_WORK ? CLASS_INFO : class;
    case FUSE_RMDIR:
    case FUSE_RENAME:
    case FUSE_RENAME2:
        return class == CLASS_NAMES ? CLASS_WORK : class;
    default:
        return class;
    }
}

/* Does this request come from a user that gets EACCES? See fs_serve(). */
static bool is_strangers(const struct server *server, const struct fuse_in_header *header)
{
    if (!server->owner || header->uid == 0 || header->uid == *server->owner)
        return false;
    return header->opcode != FUSE_FORGET && header->opcode != FUSE_BATCH_FORGET &&
           header->opcode != FUSE_INTERRUPT && header->opcode != FUSE_INIT;
}

/* Refuse a request before libfuse sees it. */
static void refuse(const struct server *server, const struct fuse_in_header *header)
{
    const struct fuse_out_header reply = {
        .len = sizeof reply,
        .error = -EACCES,
        .unique = header->unique,
    };
    if (write(fuse_session_fd(server->fuse), &reply, sizeof reply) < 0 && errno != ENOENT)
        fs_log(LOG_WARNING, "cannot reply to the kernel: %s", strerrordesc_np(errno));
}

static void *serve_run(void *arg);

/* Start a thread, with the lock held. Returns 0 or a negative errno. */
static int start_thread(struct server *server)
{
    int err = thread_start_detached(serve_run, server);
    if (err == 0) {
        server->threads++;
        server->waiting++;
    }
    return err;
}

/* Put a request into the queue of its class. Returns false when memory is short. */
static bool enqueue(struct server *server, enum request_class class, const struct fuse_buf *request)
{
    struct queued *queued = malloc(sizeof *queued + request->size);
    if (!queued)
        return false;
    queued->size = request->size;
    memcpy(queued->bytes, request->mem, request->size);
    STAILQ_INSERT_TAIL(&server->queues[class], queued, link);
    return true;
}

/*
 * Must a request of this class wait? If no thread can be started, the last reader runs only
 * requests that the host cannot hold up, as long as others are at work.
 */
static bool must_wait(struct server *server, enum request_class class)
{
    if (server->waiting == 1 && server->threads < THREADS_MAX)
        start_thread(server);
    if (server->at_work[class] >= limits[class])
        return true;
    return server->waiting == 1 && server->threads > 1 && class != CLASS_MEMORY;
}

/* Begin a request that this thread has read. Returns false when it went into the queue instead. */
static bool begin(struct server *server, enum request_class class, const struct fuse_buf *request)
{
    HOLD_LOCK(&server->lock);
    if (must_wait(server, class) && enqueue(server, class, request))
        return false;
    server->at_work[class]++;
    server->waiting--;
    return true;
}

/* Take the next request off a queue, or NULL. Under the lock. */
static struct queued *dequeue(struct server *server, enum request_class *ret)
{
    for (int class = 0; class < CLASS_COUNT; class ++) {
        struct queued *queued = STAILQ_FIRST(&server->queues[class]);
        if (!queued || server->at_work[class] >= limits[class])
            continue;
        STAILQ_REMOVE_HEAD(&server->queues[class], link);
        *ret = (enum request_class) class;
        return queued;
    }
    return NULL;
}

/*
 * End a request, and begin the next one of a queue for this thread.
 *
 *   class  of the request that has ended; receives that of the next
 *
 * Returns NULL where no request waits: the thread is free.
 */
static struct queued *next(struct server *server, enum request_class *class)
{
    HOLD_LOCK(&server->lock);
    server->at_work[*class]--;
    struct queued *queued = dequeue(server, class);
    if (queued)
        server->at_work[*class]++;
    else
        server->waiting++;
    return queued;
}

static void carry_out(struct server *server, enum request_class class,
                      const struct fuse_buf *request)
{
    struct queued *queued;

    fuse_session_process_buf(server->fuse, request);
    while ((queued = next(server, &class))) {
        const struct fuse_buf put_off = {.mem = queued->bytes, .size = queued->size};
        fuse_session_process_buf(server->fuse, &put_off);
        free(queued);
    }
}

/* Do more threads wait than the most that may? Then this one no longer counts as waiting. */
static bool is_surplus(struct server *server, unsigned most)
{
    HOLD_LOCK(&server->lock);
    if (server->waiting <= most)
        return false;
    server->waiting--;
    return true;
}

/* Memory for a buffer is short. Returns true when other threads read requests, so this one ends. */
static bool give_way(struct server *server)
{
    static const struct timespec pause = {.tv_nsec = 10000000};

    if (is_surplus(server, 1))
        return true;
    nanosleep(&pause, NULL);
    return false;
}

/*
 * Touch all pages of a buffer, so that no request has to wait for memory. That request may be the
 * write of a loop device on raw by which the host frees memory.
 */
static void touch(void *buf)
{
    volatile char *bytes = buf;
    const size_t size = malloc_usable_size(buf);

    for (size_t at = 0; at < size; at += PAGE) {
        const char byte = bytes[at];
        bytes[at] = byte;
    }
}

/*
 * Read requests and carry them out. Returns 0 at the end, 1 when too many threads wait, or a
 * negative errno.
 */
static int serve(struct server *server, struct fuse_buf *request)
{
    bool is_touched = false;

    while (!fuse_session_exited(server->fuse)) {
        int size = fuse_session_receive_buf(server->fuse, request);
        if (size == -EINTR || size == -EAGAIN)
            continue;
        if (size == -ENOMEM && give_way(server))
            return 1;
        if (size == -ENOMEM)
            continue;
        if (size <= 0)
            return size == -ENODEV ? 0 : size;
        if (!is_touched)
            touch(request->mem);
        is_touched = true;
        if (is_strangers(server, request->mem)) {
            refuse(server, request->mem);
            continue;
        }
        const enum request_class class = classify(request->mem);
        if (!begin(server, class, request))
            continue;
        carry_out(server, class, request);
        if (is_surplus(server, WAITING_MAX))
            return 1;
    }
    return 0;
}

static void *serve_run(void *arg)
{
    struct server *server = arg;
    struct fuse_buf request = {0};
    struct fs_transfer transfer;

    if (fs_transfer_begin(&transfer, FS_TRANSFER_MAX) == 0)
        touch(transfer.buf);
    fs_transfer_end(&transfer);

    int err = serve(server, &request);
    free(request.mem);
    if (err < 0)
        fuse_session_exit(server->fuse);

    HOLD_LOCK(&server->lock);
    if (err < 0 && server->err == 0)
        server->err = err;
    if (err <= 0)
        server->waiting--;
    if (--server->threads == 0)
        pthread_cond_signal(&server->ended);
    return NULL;
}

int fs_serve(struct fuse_session *fuse, const uid_t *owner)
{
    struct server server = {
        .fuse = fuse,
        .owner = owner,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .ended = PTHREAD_COND_INITIALIZER,
    };

    for (int class = 0; class < CLASS_COUNT; class ++)
        STAILQ_INIT(&server.queues[class]);
    pthread_mutex_lock(&server.lock);
    int err = start_thread(&server);
    for (int more = 1; err == 0 && more < WAITING_MIN; more++)
        (void)start_thread(&server); /* one is enough to serve */
    while (server.threads > 0)
        pthread_cond_wait(&server.ended, &server.lock);
    pthread_mutex_unlock(&server.lock);
    return err < 0 ? err : server.err;
}
