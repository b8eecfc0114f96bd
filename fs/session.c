/* SPDX-License-Identifier: MIT */
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
#include "base/clock.h"
#include "exit_sync.h"
#include "process/explain.h"
#include "process/helper.h"
#include "kernel/invalidate.h"
#include "process/log.h"
#include "process/mountpoint.h"
#include "ops.h"
#include "kernel/deferred.h"
#include "process/pidfile.h"
#include "process/resources.h"
#include "kernel/serve.h"
#include "kernel/transfer.h"
#include "tree/events.h"

/* Workers for quick tasks. All of them may wait for one commit of the host's journal. */
#define QUICK_WORKERS 8

/* At the end: how often to ask whether the open disks are synced. */
#define CHECK_AGAIN_MS 20

/* How long a second signal waits for pages of the disks that only the kernel has. */
#define SYNC_AGAIN_MS 5000

struct fs_session {
    struct fs *fs;
    struct fuse_session *fuse;
    const struct fs_options *options; /* the caller's */
    struct fs_mount mount;
    struct fs_helper *helper;
    struct fs_pidfile *pidfile; /* NULL for none */
    sigset_t signals;
    pthread_t signal_thread;
    _Atomic bool is_over;      /* the signal thread must end */
    bool is_unmounted;         /* the kernel has ended the connection */
    struct fs_exit_sync *sync; /* constant while the signal thread runs */

    pthread_mutex_t lock; /* guards the members below; taken before the service's */
    bool is_serving;      /* the service exists, and disks may be open */
};

/* Make libfuse's session and the pid file. Both judge their options. */
static enum fs_exit prepare(struct fs_session *session, struct fs_options *options)
{
    session->fuse = fuse_session_new(&options->fuse, &fs_ops, sizeof fs_ops, session->fs);
    if (!session->fuse)
        return FS_EXIT_USAGE;
    int err = options->pidfile ? fs_pidfile_open(options->pidfile, &session->pidfile) : 0;
    if (err == 0)
        return FS_EXIT_OK;
    fs_explain_path("make the pid file", options->pidfile, err);
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

/*
 * Make the mount point if it is missing. It must be a folder: the root of a mount gets its type.
 *
 * Returns 0, and true in *ret_is_made if it was missing; or a negative errno.
 */
static int make_mountpoint(const char *path, bool *ret_is_made)
{
    struct stat attributes;

    *ret_is_made = mkdir(path, 0777) == 0;
    if (!*ret_is_made && errno != EEXIST)
        return -errno;
    if (stat(path, &attributes) < 0)
        return -errno;
    if (fs_mount_is_dead(path))
        return -ENOTCONN;
    return S_ISDIR(attributes.st_mode) ? 0 : -ENOTDIR;
}

/* One thread takes the signals that end us. So this thread blocks them, and all that it starts. */
static void block_signals(struct fs_session *session)
{
    sigemptyset(&session->signals);
    sigaddset(&session->signals, SIGHUP);
    sigaddset(&session->signals, SIGINT);
    sigaddset(&session->signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &session->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write past RLIMIT_FSIZE then fails with EFBIG */
}

/* Mount on a folder. If that fails, remove a folder that was made for it. */
static enum fs_exit mount_on_folder(struct fs_session *session)
{
    const char *path = session->options->mountpoint;
    bool is_made;

    if (fs_explain_device() < 0)
        return FS_EXIT_MOUNT;
    int err = make_mountpoint(path, &is_made);
    if (err < 0) {
        fs_explain_path("mount on", path, err);
        return FS_EXIT_MOUNT;
    }
    block_signals(session); /* from here on there is something to undo */
    if (fuse_session_mount(session->fuse, path) == 0)
        return FS_EXIT_OK;
    if (is_made)
        rmdir(path);
    fs_explain_mount(session->options);
    return FS_EXIT_MOUNT;
}

enum fs_exit fs_session_mount(struct fs_session *session)
{
    const struct fs_options *options = session->options;

    if (options->given_fd < 0)
        return mount_on_folder(session);
    block_signals(session);
    if (fuse_session_mount(session->fuse, options->mountpoint) == 0)
        return FS_EXIT_OK;
    fs_explain_mount(options);
    return FS_EXIT_MOUNT;
}

/* Wait less than a second for a signal. Returns it, or 0. */
static int signal_within(struct fs_session *session, int ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000L};
    int signal = sigtimedwait(&session->signals, NULL, &pause);
    return signal < 0 ? 0 : signal;
}

/*
 * Wait at most ms until the disks are synced, and log each that is not. A signal ends the wait
 * without a log. Returns the signal, or 0.
 */
static int wait_for_sync(struct fs_session *session, int ms)
{
    const struct timespec until = clock_after(clock_monotonic(), ms);
    int signal = 0;

    while (signal == 0 && !fs_exit_sync_is_done(session->sync) && !clock_has_passed(until))
        signal = signal_within(session, CHECK_AGAIN_MS);
    if (signal == 0)
        fs_exit_sync_log(session->sync);
    return signal;
}

/* Have the mount detached. A daemon whose helper was killed cannot do that. */
static void detach(struct fs_session *session)
{
    const int err = fs_helper_detach(session->helper);

    if (err < 0)
        fs_log(LOG_ERR, "cannot unmount \"%s\"%s", session->options->mountpoint,
               err == -ESRCH ? ": the helper of vhdfs was killed; unmount it with umount" : "");
}

/*
 * Refuse new requests, sync the disks, and detach the mount; unless the end has begun already.
 * Returns the signal that has ended the wait for the sync, or 0.
 */
static int begin_end(struct fs_session *session)
{
    {
        HOLD_LOCK(&session->lock);
        if (!session->is_serving)
            return 0;
        vhd_service_stop(session->fs->service);
        vhd_store_mark_ending(session->fs->store);
        fs_exit_sync_begin(session->sync);
    }
    int signal = wait_for_sync(session, FS_EXIT_SYNC_MS);
    detach(session);
    return signal;
}

static int next_signal(struct fs_session *session)
{
    int signal = 0;

    while (signal <= 0)
        signal = sigwaitinfo(&session->signals, NULL);
    return signal;
}

/* Sync the disks once more, for SYNC_AGAIN_MS at most, and end the process. */
static _Noreturn void end_at_once(struct fs_session *session, int signal)
{
    fs_log(LOG_WARNING, "second signal (%s): ending at once", sigdescr_np(signal));
    pthread_mutex_lock(&session->lock);
    const bool is_serving = session->is_serving;
    if (is_serving)
        fs_exit_sync_begin(session->sync);
    pthread_mutex_unlock(&session->lock);
    if (is_serving)
        wait_for_sync(session, SYNC_AGAIN_MS);
    _exit(FS_EXIT_MOUNT);
}

static bool is_over(struct fs_session *session)
{
    return session->is_over;
}

static void *signal_run(void *arg)
{
    struct fs_session *session = arg;
    int signal = next_signal(session);

    if (!is_over(session)) {
        fs_log(LOG_INFO, "signal (%s): unmounting", sigdescr_np(signal));
        signal = begin_end(session);
        if (signal == 0)
            signal = next_signal(session);
        if (!is_over(session))
            end_at_once(session, signal);
    }
    return NULL;
}

/* Signals count from here on; those that came earlier are still pending. */
static int start_signal_thread(struct fs_session *session)
{
    session->is_serving = true;
    return -pthread_create(&session->signal_thread, NULL, signal_run, session);
}

static void stop_signal_thread(struct fs_session *session)
{
    session->is_over = true;
    pthread_kill(session->signal_thread, SIGTERM);
    pthread_join(session->signal_thread, NULL);
}

/*
 * Find our mount, and describe it to the next vhdfs on this store. A mount that was given to us is
 * not where the options say, and the program that gave it detaches it. So the helper gets none.
 */
static struct fs_mount find_mount(struct fs_session *session)
{
    const struct fs_options *options = session->options;

    session->mount = options->given_fd < 0 ? fs_mount_of(options->mountpoint)
                                           : fs_mount_of_fuse(options->given_fd);
    AUTO_FREE char *path = fs_mount_path(&session->mount);
    vhd_store_describe_owner(session->fs->store, path ? path : options->mountpoint,
                             session->mount.id);
    return options->given_fd < 0 ? session->mount : (struct fs_mount){.id = -1};
}

/*
 * The only user beside root that is let in where the kernel does not judge owners and modes; NULL
 * where it does. It judges in our own mounts. In a given one it does only if the giver asked for
 * that. A kernel that does not show it counts as one that does not.
 */
static const uid_t *unjudged_owner(const struct fs_session *session)
{
    const struct fs_options *options = session->options;

    if (options->given_fd < 0 || fs_mount_is_guarded(&session->mount))
        return NULL;
    fs_log(LOG_WARNING,
           "only root and user %u may use the tree: the mount lacks the option "
           "default_permissions, or the kernel does not show it (Linux 6.17 does)",
           (unsigned)options->user.uid);
    return &options->user.uid;
}

/*
 * Do all that needs rights, start the helper, and give the rights up. There is one thread so far;
 * what holds for it holds for all that it starts.
 */
static int confine(struct fs_session *session)
{
    const struct fs_options *options = session->options;
    struct fs *fs = session->fs;
    const struct fs_mount to_detach = find_mount(session);

    fs_mount_read_ahead(&session->mount, FS_TRANSFER_MAX / 1024);
    const struct fs_helper_duties duties = {
        .mount = &session->mount,
        .to_detach = &to_detach,
        .user = &options->user,
        .pidfile = session->pidfile,
        .store_fd = vhd_store_fd(fs->store),
        .is_read_only = options->is_read_only,
        .is_foreground = options->is_foreground,
    };
    int err = fs_helper_start(&duties, &session->helper);
    if (err < 0)
        return err;
    fs_pidfile_close_file(session->pidfile);
    fs->formatter = fs_helper_formatter(session->helper);
    fs->daemon.log_fd = fs_helper_log(session->helper);
    fs_resources_protect_memory(options->user.uid == geteuid());
    err = fs_user_become(&options->user);
    if (err == 0)
        err = fs_resources_keep_file_rights();
    if (err < 0)
        return err;
    fs_confine(vhd_store_fd(fs->store), options->is_read_only, fs->confined_by);
    return 0;
}

/* Start the threads that the tree needs. */
static int start(struct fs_session *session)
{
    struct fs *fs = session->fs;

    int err = confine(session);
    if (err < 0)
        return err;
    fs->invalidator = fs_invalidator_new(session->fuse);
    err = fs->invalidator ? fs_deferred_new(&fs->deferred) : -ENOMEM;
    if (err == 0)
        err = vhd_service_new(QUICK_WORKERS, session->options->jobs, &fs->service);
    if (err < 0)
        return err;
    vhd_service_listen(fs->service, fs_events_note, fs->events);
    session->sync = fs_exit_sync_new(fs);
    return session->sync ? start_signal_thread(session) : -ENOMEM;
}

/* Stop them in reverse order. The signal thread goes on, because a second signal still counts. */
static void stop(struct fs_session *session)
{
    struct fs *fs = session->fs;

    {
        HOLD_LOCK(&session->lock);
        session->is_serving = false;
    }
    vhd_service_free(fs->service);
    if (session->sync)
        fs_exit_sync_wait(session->sync);
    fs_opened_close_all(&fs->opened);
    fs_deferred_free(fs->deferred);
    fs_invalidator_free(fs->invalidator);
}

static int run(struct fs_session *session)
{
    int err = start(session);
    bool has_signal_thread = err == 0;

    if (err == 0)
        err = fs_serve(session->fuse, unjudged_owner(session));
    session->is_unmounted = has_signal_thread && err == 0;
    vhd_store_mark_ending(session->fs->store);
    stop(session);
    if (has_signal_thread)
        stop_signal_thread(session);
    fs_exit_sync_free(session->sync);
    return err;
}

enum fs_exit fs_session_serve(struct fs_session *session)
{
    fs_pidfile_write(session->pidfile);
    int err = run(session);
    if (err == 0 && session->fs->daemon.ready_fd < 0)
        return FS_EXIT_OK;
    if (err == 0) {
        fs_log(LOG_ERR, "\"%s\" was unmounted before the tree could answer; mount it again",
               session->options->mountpoint);
        return FS_EXIT_MOUNT;
    }
    fs_log(LOG_ERR, "cannot serve \"%s\": %s", session->options->mountpoint,
           strerrordesc_np(abs(err)));
    return FS_EXIT_MOUNT;
}

void fs_session_end(struct fs_session *session)
{
    /* A confined daemon unmounts nothing by itself; libfuse then finds nothing to unmount. */
    if (session->helper && !session->is_unmounted)
        detach(session);
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
