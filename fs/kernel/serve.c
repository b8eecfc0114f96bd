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

enum class { CLASS_MEMORY, CLASS_NAMES, CLASS_LOOK, CLASS_WORK, CLASS_COUNT };

/*
 * Requests of a class at work at once. Few are at a time, unless the host does not answer for some
 * images; those must leave threads for the others.
 */
enum { MEMORY_MAX = 8, NAMES_MAX = 32, LOOK_MAX = 128, WORK_MAX = 256 };

static const unsigned limits[CLASS_COUNT] = {
    [CLASS_MEMORY] = MEMORY_MAX,
    [CLASS_NAMES] = NAMES_MAX,
    [CLASS_LOOK] = LOOK_MAX,
    [CLASS_WORK] = WORK_MAX,
};

enum {
    /* One more than all limits waits for the next request. */
    THREADS_MAX = MEMORY_MAX + NAMES_MAX + LOOK_MAX + WORK_MAX + 1,
    /* Threads that there are from the start, and those kept when nothing is asked: a new one costs
     * as much as a request. */
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
    const uid_t *owner;        /* constant; NULL: the kernel judges who may do what */

    pthread_mutex_t lock; /* guards what follows; a leaf */
    pthread_cond_t ended; /* the last thread has */
    unsigned threads, waiting;
    unsigned at_work[CLASS_COUNT];
    struct queue queues[CLASS_COUNT];
    int err; /* of the read that has failed; 0 for none */
};

/* What a request for a file of this kind asks of the host. */
static enum class class_of(unsigned kind) {
    switch (kind){
        case FS_DISKS : case FS_NEW : case FS_REQUEST : return CLASS_NAMES;
        case FS_DISK_RAW : case FS_DISK_FIXED : return CLASS_WORK;
        default : return kind >= FS_DISK && kind < FS_KIND_COUNT ? CLASS_LOOK : CLASS_MEMORY;
    }
}

static enum class classify(const struct fuse_in_header *header) {
    const enum class class = class_of(fs_ino_kind(header->nodeid));

    switch (header->opcode){
        case FUSE_FORGET : case FUSE_BATCH_FORGET : case FUSE_INTERRUPT : return CLASS_MEMORY;
        case FUSE_STATFS : return CLASS_NAMES;
        case FUSE_GETATTR : return class == CLASS_WORK ? CLASS_LOOK : class;
        case FUSE_RMDIR : case FUSE_RENAME : case FUSE_RENAME2 : return class == CLASS_NAMES
            ? CLASS_WORK
            : class;
        default : return class;
    }
}

/* Is this request of a user for whom nobody judges what he may do? */
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
        fs_log(LOG_WARNING, "cannot answer the kernel: %s", strerrordesc_np(errno));
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

/* Put a request off: its class has enough at work. Returns false when memory is short. */
static bool enqueue(struct server *server, enum class class, const struct fuse_buf *request)
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
 * May a request of this class not begin now? Where no thread can be started, the last one that
 * reads requests serves only those that the host cannot hold up, as long as others are at work.
 */
static bool must_wait(struct server *server, enum class class)
{
    if (server->waiting == 1 && server->threads < THREADS_MAX)
        start_thread(server);
    if (server->at_work[class] >= limits[class])
        return true;
    return server->waiting == 1 && server->threads > 1 && class != CLASS_MEMORY;
}

/* Begin a request that this thread has read. Returns false when it is in the queue instead. */
static bool begin(struct server *server, enum class class, const struct fuse_buf *request)
{
    HOLD_LOCK(&server->lock);
    if (must_wait(server, class) && enqueue(server, class, request))
        return false;
    server->at_work[class]++;
    server->waiting--;
    return true;
}

/* Take the next request that has waited; under the lock. */
static struct queued *dequeue(struct server *server, enum class *ret)
{
    for (int class = 0; class < CLASS_COUNT; class ++) {
        struct queued *queued = STAILQ_FIRST(&server->queues[class]);
        if (!queued || server->at_work[class] >= limits[class])
            continue;
        STAILQ_REMOVE_HEAD(&server->queues[class], link);
        *ret = (enum class) class;
        return queued;
    }
    return NULL;
}

/*
 * End a request, and begin one that has waited, which this thread goes on with.
 *
 *   class  of the one that has ended; receives that of the next
 *
 * Returns NULL where none has waited: the thread is free.
 */
static struct queued *next(struct server *server, enum class *class)
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

static void carry_out(struct server *server, enum class class, const struct fuse_buf *request)
{
    struct queued *queued;

    fuse_session_process_buf(server->fuse, request);
    while ((queued = next(server, &class))) {
        const struct fuse_buf put_off = {.mem = queued->bytes, .size = queued->size};
        fuse_session_process_buf(server->fuse, &put_off);
        free(queued);
    }
}

/* Are more threads waiting than so many? Then this one has left their count. */
static bool is_surplus(struct server *server, unsigned most)
{
    HOLD_LOCK(&server->lock);
    if (server->waiting <= most)
        return false;
    server->waiting--;
    return true;
}

/* There is no memory for a buffer. Returns true when others read requests, and this thread ends. */
static bool give_way(struct server *server)
{
    static const struct timespec pause = {.tv_nsec = 10000000};

    if (is_surplus(server, 1))
        return true;
    nanosleep(&pause, NULL);
    return false;
}

/*
 * Have the memory of a buffer now, and not when a request needs it: that may be the one by which
 * the host gets memory back, as the writes of a file system on a loop device on raw are.
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
 * Read requests and carry them out. Returns 0 at the end, 1 when this thread is one too many, or a
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
        const enum class class = classify(request->mem);
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
