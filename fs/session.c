#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "emptying.h"
#include "helper.h"
#include "log.h"
#include "mountpoint.h"
#include "ops.h"
#include "parking.h"
#include "pidfile.h"
#include "salvage.h"
#include "serve.h"
#include "transfer.h"

/* Workers for quick tasks: so many creations can wait for one commit of the host's journal. */
#define QUICK_WORKERS 8

/* How often the disks that are open at the end are looked at, whether they are written to. */
#define LOOK_AGAIN_MS 100

struct fs_session {
    struct fs *fs;
    struct fuse_session *fuse;
    const struct fs_options *options; /* the caller's */
    struct fs_mount mount;
    struct fs_helper *helper;
    struct fs_pidfile *pidfile; /* NULL for none */
    sigset_t signals;
    pthread_t signal_thread;
    bool is_over;               /* atomic: the signal thread is to end */
    struct fs_salvage *salvage; /* the signal thread's alone; NULL for none */

    pthread_mutex_t lock; /* guards what follows; outside the service's */
    bool is_serving;      /* the service is there to be stopped */
};

/* Make the session and the pid file, whose options are judged by that. */
static enum fs_exit prepare(struct fs_session *session, struct fs_options *options)
{
    session->fuse = fuse_session_new(&options->fuse, &fs_ops, sizeof fs_ops, session->fs);
    if (!session->fuse)
        return FS_EXIT_USAGE;
    int err = options->pidfile ? fs_pidfile_open(options->pidfile, &session->pidfile) : 0;
    if (err == 0)
        return FS_EXIT_OK;
    fprintf(stderr, "vhdfs: cannot make the pid file \"%s\": %s\n", options->pidfile,
            strerrordesc_np(-err));
    return FS_EXIT_USAGE;
}

enum fs_exit fs_session_new(struct fs *fs, struct fs_options *options, struct fs_session **ret)
{
    struct fs_session *session = calloc(1, sizeof *session);
    if (!session)
        return FS_EXIT_MOUNT;
    session->fs = fs;
    session->options = options;
    pthread_mutex_init(&session->lock, NULL);
    enum fs_exit status = prepare(session, options);
    if (status == FS_EXIT_OK)
        *ret = session;
    else
        fs_session_end(session);
    return status;
}

/* Make the mount point if it is missing. Anything but a folder would hide what it is. */
static int make_mountpoint(const char *path)
{
    struct stat attributes;

    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return -errno;
    if (stat(path, &attributes) < 0)
        return -errno;
    return S_ISDIR(attributes.st_mode) ? 0 : -ENOTDIR;
}

/* The signals that end us are for one thread alone; it, and all that are started, block them. */
static void block_signals(struct fs_session *session)
{
    sigemptyset(&session->signals);
    sigaddset(&session->signals, SIGHUP);
    sigaddset(&session->signals, SIGINT);
    sigaddset(&session->signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &session->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write past the limit answers EFBIG instead */
}

enum fs_exit fs_session_mount(struct fs_session *session)
{
    const char *path = session->options->mountpoint;

    int err = make_mountpoint(path);
    if (err < 0) {
        fprintf(stderr, "vhdfs: cannot mount on \"%s\": %s\n", path, strerrordesc_np(-err));
        return FS_EXIT_MOUNT;
    }
    block_signals(session); /* from here on there is something to undo */
    return fuse_session_mount(session->fuse, path) == 0 ? FS_EXIT_OK : FS_EXIT_MOUNT;
}

/*
 * Take nothing new and let nobody in any more, unless the end has begun already. Disks that are
 * written to are opened before and synced after that: then what was written meanwhile is in it.
 */
static void begin_end(struct fs_session *session)
{
    {
        HOLD_LOCK(&session->lock);
        if (!session->is_serving)
            return;
        vhd_service_stop(session->fs->service);
    }
    session->salvage =
        fs_salvage_open(session->fs, &session->mount, fuse_session_fd(session->fuse));
    if (fs_helper_detach(session->helper) < 0)
        fs_log(LOG_ERR, "cannot unmount \"%s\"", session->options->mountpoint);
    if (session->salvage)
        fs_salvage_sync(session->salvage);
}

static void end_salvage(struct fs_session *session)
{
    fs_salvage_close(TAKE(session->salvage));
}

/* Wait for a signal, and let go of the disks that we hold once nobody writes to them. */
static int next_signal(struct fs_session *session)
{
    static const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
    int signal = -1;

    while (session->salvage && signal < 0) {
        signal = sigtimedwait(&session->signals, NULL, &pause);
        if (signal < 0 && !fs_salvage_settle(session->salvage))
            end_salvage(session);
    }
    while (signal < 0)
        signal = sigwaitinfo(&session->signals, NULL);
    return signal;
}

/* End at once, but for what the kernel still holds of the disks. */
static _Noreturn void end_at_once(struct fs_session *session)
{
    if (session->salvage)
        fs_salvage_sync(session->salvage);
    end_salvage(session);
    _exit(FS_EXIT_MOUNT);
}

static void *signal_run(void *arg)
{
    struct fs_session *session = arg;

    for (unsigned count = 0;; count++) {
        int signal = next_signal(session);
        if (__atomic_load_n(&session->is_over, __ATOMIC_ACQUIRE))
            break;
        if (count > 0) {
            fs_log(LOG_WARNING, "%s again: ending at once", sigdescr_np(signal));
            end_at_once(session);
        }
        fs_log(LOG_INFO, "%s: unmounting", sigdescr_np(signal));
        begin_end(session);
    }
    end_salvage(session);
    return NULL;
}

/* From here on signals are answered; those that came earlier are still pending. */
static int start_signal_thread(struct fs_session *session)
{
    session->is_serving = true;
    return -pthread_create(&session->signal_thread, NULL, signal_run, session);
}

static void stop_signal_thread(struct fs_session *session)
{
    __atomic_store_n(&session->is_over, true, __ATOMIC_RELEASE);
    pthread_kill(session->signal_thread, SIGTERM);
    pthread_join(session->signal_thread, NULL);
}

/* Do what needs rights that are given up then, and have the helper ready. */
static int confine(struct fs_session *session)
{
    const struct fs_options *options = session->options;

    session->mount = fs_mount_of(options->mountpoint);
    fs_mount_read_ahead(&session->mount, FS_TRANSFER_MAX / 1024);
    int err = fs_helper_start(&session->mount, session->pidfile, options->is_foreground,
                              &session->helper);
    return err < 0 ? err : fs_user_become(&options->user);
}

/* Start the threads that the tree needs. */
static int start(struct fs_session *session)
{
    struct fs *fs = session->fs;

    int err = confine(session);
    if (err < 0)
        return err;
    fs->emptier = fs_emptier_new(session->fuse);
    err = fs->emptier ? fs_parking_new(&fs->parking) : -ENOMEM;
    if (err == 0)
        err = vhd_service_new(QUICK_WORKERS, &fs->service);
    if (err < 0)
        return err;
    return start_signal_thread(session);
}

/* Stop them in reverse order; all but the signal thread, since a second signal still counts. */
static void stop(struct fs_session *session)
{
    struct fs *fs = session->fs;

    {
        HOLD_LOCK(&session->lock);
        session->is_serving = false;
    }
    vhd_service_free(fs->service);
    fs_emptier_free(fs->emptier);
    fs_opened_close_all(&fs->opened);
    fs_parking_free(fs->parking);
}

static int run(struct fs_session *session)
{
    int err = start(session);
    bool has_signal_thread = err == 0;

    if (err == 0)
        err = fs_serve(session->fuse);
    stop(session);
    if (has_signal_thread)
        stop_signal_thread(session);
    return err;
}

enum fs_exit fs_session_serve(struct fs_session *session)
{
    fs_pidfile_write(session->pidfile);
    int err = run(session);
    if (err == 0)
        return FS_EXIT_OK;
    fs_log(LOG_ERR, "cannot serve \"%s\": %s", session->options->mountpoint,
           strerrordesc_np(abs(err)));
    return FS_EXIT_MOUNT;
}

void fs_session_end(struct fs_session *session)
{
    if (session->fuse) {
        fuse_session_unmount(session->fuse);
        fuse_session_destroy(session->fuse);
    }
    if (session->helper)
        fs_helper_end(session->helper);
    else
        fs_pidfile_remove(session->pidfile);
    fs_pidfile_close(session->pidfile);
    pthread_mutex_destroy(&session->lock);
    free(session);
}
