#include "emptying.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "content.h"
#include "handle.h"
#include "ino.h"
#include "refuse.h"

struct fs_emptier {
    struct fuse_session *fuse; /* constant */
    pthread_mutex_t lock;      /* a leaf; guards what follows */
    pthread_cond_t idle;
    unsigned at_work;
};

struct emptying {
    struct fs_emptier *emptier;
    struct fs *fs;
    struct fs_node node; /* referenced */
    struct fs_content *content;
    fuse_req_t req;
    fuse_ino_t id; /* the kernel's node */
    int err;       /* what to answer, when something else has been done in part; else 0 */
    sem_t is_dropped;
};

/*
 * How long the kernel may take to drop its pages before it is answered, where some can be dirty: it
 * writes none of those before it has had the answer, and drops no others meanwhile.
 */
#define PATIENCE_MS 100

struct fs_emptier *fs_emptier_new(struct fuse_session *fuse)
{
    struct fs_emptier *emptier = calloc(1, sizeof *emptier);
    if (!emptier)
        return NULL;
    emptier->fuse = fuse;
    pthread_mutex_init(&emptier->lock, NULL);
    pthread_cond_init(&emptier->idle, NULL);
    return emptier;
}

void fs_emptier_free(struct fs_emptier *emptier)
{
    if (!emptier)
        return;
    pthread_mutex_lock(&emptier->lock);
    while (emptier->at_work > 0)
        pthread_cond_wait(&emptier->idle, &emptier->lock);
    pthread_mutex_unlock(&emptier->lock);
    pthread_cond_destroy(&emptier->idle);
    pthread_mutex_destroy(&emptier->lock);
    free(emptier);
}

static void *drop_run(void *arg)
{
    struct emptying *emptying = arg;

    fuse_lowlevel_notify_inval_inode(emptying->emptier->fuse, emptying->id, 0, 0);
    sem_post(&emptying->is_dropped);
    return NULL;
}

static void answer(struct emptying *emptying)
{
    if (emptying->err)
        fuse_reply_err(emptying->req, emptying->err);
    else
        fs_reply_attr(emptying->fs, &emptying->node, emptying->req);
}

/*
 * Have the kernel drop its pages, and answer. Where a mapping can have made some dirty, the kernel
 * is asked by another thread: it may have to be answered before it can go on.
 */
static void drop_and_answer(struct emptying *emptying)
{
    const struct timespec until = clock_after(clock_monotonic(), PATIENCE_MS);
    pthread_t thread;

    if (!fs_content_has_mapper(emptying->content)) {
        drop_run(emptying);
        answer(emptying);
        return;
    }
    fs_content_doubt(emptying->content, true);
    bool is_behind = pthread_create(&thread, NULL, drop_run, emptying) == 0;
    while (is_behind && sem_clockwait(&emptying->is_dropped, CLOCK_MONOTONIC, &until) < 0 &&
           errno == EINTR)
        ;
    answer(emptying);
    if (is_behind)
        pthread_join(thread, NULL);
    else
        drop_run(emptying);
    fs_content_doubt(emptying->content, false);
}

static void empty(struct emptying *emptying)
{
    struct fs *fs = emptying->fs;
    const char *name = fs_name_text(emptying->node.name);
    struct fs_content_opened opened = {0};
    struct vhd_verdict verdict;

    if (fs_content_open(emptying->content, fs, name, FS_CONTENT_WRITE, &opened, &verdict) !=
        VHD_OK) {
        fuse_reply_err(emptying->req, -fs_refuse(fs, "disks", name, &verdict));
        return;
    }
    emptying->id = fs_ino_with_generation(emptying->id, opened.generation);
    int err = vhd_disk_discard(opened.disk, vhd_disk_size(opened.disk), 0);
    if (err < 0)
        emptying->err = -err; /* a part may have been discarded */
    drop_and_answer(emptying);
    fs_content_close(emptying->content, fs, name, FS_CONTENT_WRITE);
}

static void finish(struct emptying *emptying)
{
    struct fs_emptier *emptier = emptying->emptier;

    fs_node_put(emptying->fs, &emptying->node);
    sem_destroy(&emptying->is_dropped);
    free(emptying);

    HOLD_LOCK(&emptier->lock);
    if (--emptier->at_work == 0)
        pthread_cond_signal(&emptier->idle);
}

static void *empty_run(void *arg)
{
    struct emptying *emptying = arg;

    if (emptying->err)
        drop_and_answer(emptying);
    else
        empty(emptying);
    finish(emptying);
    return NULL;
}

/* Start a thread that nobody joins. Returns 0 or a negative errno. */
static int start(struct emptying *emptying)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int err = -pthread_create(&thread, &attributes, empty_run, emptying);
    pthread_attr_destroy(&attributes);
    return err;
}

/* Begin; id and err as in the structure. */
static void begin(struct fs_emptier *emptier, struct fs *fs, const struct fs_node *node,
                  fuse_req_t req, fuse_ino_t id, int err)
{
    struct fs_content *content = fs_name_content(fs->names, node->name);
    struct emptying *emptying = content ? malloc(sizeof *emptying) : NULL;
    if (!emptying) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    *emptying = (struct emptying){
        .emptier = emptier,
        .fs = fs,
        .node = {node->row, fs_name_ref(fs->names, node->name)},
        .content = content,
        .req = req,
        .id = id,
        .err = err,
    };
    sem_init(&emptying->is_dropped, 0, 0);
    {
        HOLD_LOCK(&emptier->lock);
        emptier->at_work++;
    }
    int started = start(emptying);
    if (started < 0) {
        fuse_reply_err(req, err ? err : -started);
        finish(emptying);
    }
}

void fs_empty(struct fs_emptier *emptier, struct fs *fs, const struct fs_node *node, fuse_req_t req)
{
    begin(emptier, fs, node, req, fs_node_id(node), 0);
}

void fs_fail_in_part(struct fs_emptier *emptier, const struct fs_handle *handle, fuse_req_t req,
                     int err)
{
    begin(emptier, handle->fs, &handle->node, req, handle->id, err);
}
