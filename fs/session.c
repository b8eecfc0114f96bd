#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "log.h"
#include "ops.h"
#include "parking.h"
#include "pidfile.h"

/* Threads that answer the kernel: more gain nothing, and none is ended when idle. */
#define SERVING_THREADS 8

/* Workers for quick tasks: so many creations can wait for one commit of the host's journal. */
#define QUICK_WORKERS 8

struct fs_session {
    struct fs *fs;
    struct fuse_session *fuse;
    const char *mountpoint;
    struct fs_pidfile *pidfile; /* NULL for none */
    sigset_t signals;
    pthread_t signal_thread;
    bool is_over; /* atomic: the signal thread is to end */
};

/* Fill in a session up to the mount itself, which is last. */
static enum fs_exit prepare(struct fs_session *session, struct fs_options *options)
{
    session->mountpoint = options->mountpoint;
    if (options->pidfile) {
        int err = fs_pidfile_open(options->pidfile, &session->pidfile);
        if (err < 0) {
            fprintf(stderr, "vhdfs: cannot make the pid file \"%s\": %s\n", options->pidfile,
                    strerrordesc_np(-err));
            return FS_EXIT_USAGE;
        }
    }
    session->fuse = fuse_session_new(&options->fuse, &fs_ops, sizeof fs_ops, session->fs);
    if (!session->fuse)
        return FS_EXIT_USAGE;
    return fuse_session_mount(session->fuse, options->mountpoint) == 0 ? FS_EXIT_OK : FS_EXIT_MOUNT;
}

enum fs_exit fs_session_mount(struct fs *fs, struct fs_options *options, struct fs_session **ret)
{
    struct fs_session *session = calloc(1, sizeof *session);
    if (!session)
        return FS_EXIT_MOUNT;
    session->fs = fs;
    enum fs_exit status = prepare(session, options);
    if (status == FS_EXIT_OK) {
        *ret = session;
        return status;
    }
    if (session->fuse)
        fuse_session_destroy(session->fuse);
    fs_pidfile_close(session->pidfile);
    free(session);
    return status;
}

/*
 * Detach the mount, as umount -l does: nobody new gets in, and open files go on. Who is not root
 * needs the setuid helper for it.
 */
static void detach(const char *mountpoint)
{
    const char *const argv[] = {"fusermount3", "-u", "-q", "-z", "--", mountpoint, NULL};
    pid_t pid;
    int status;

    if (umount2(mountpoint, MNT_DETACH) == 0)
        return;
    int err = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
    if (err != 0)
        fs_log(LOG_ERR, "cannot unmount \"%s\": %s", mountpoint, strerrordesc_np(err));
    else if (waitpid(pid, &status, 0) == pid && status != 0)
        fs_log(LOG_ERR, "cannot unmount \"%s\": fusermount3 failed", mountpoint);
}

static void *signal_run(void *arg)
{
    struct fs_session *session = arg;
    int signal, count = 0;

    while (sigwait(&session->signals, &signal) == 0) {
        if (__atomic_load_n(&session->is_over, __ATOMIC_ACQUIRE))
            break;
        if (count++ > 0) {
            fs_log(LOG_WARNING, "%s again: ending at once", sigdescr_np(signal));
            fs_pidfile_close(session->pidfile);
            _exit(FS_EXIT_MOUNT);
        }
        fs_log(LOG_INFO, "%s: unmounting", sigdescr_np(signal));
        vhd_service_stop(session->fs->service);
        detach(session->mountpoint);
    }
    return NULL;
}

/* The signals that end us are for one thread alone; it, and all others, block them. */
static int start_signal_thread(struct fs_session *session)
{
    sigemptyset(&session->signals);
    sigaddset(&session->signals, SIGHUP);
    sigaddset(&session->signals, SIGINT);
    sigaddset(&session->signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &session->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write past the limit answers EFBIG instead */
    return -pthread_create(&session->signal_thread, NULL, signal_run, session);
}

static void stop_signal_thread(struct fs_session *session)
{
    __atomic_store_n(&session->is_over, true, __ATOMIC_RELEASE);
    pthread_kill(session->signal_thread, SIGTERM);
    pthread_join(session->signal_thread, NULL);
}

static int serve(struct fs_session *session)
{
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    if (!config)
        return -ENOMEM;
    fuse_loop_cfg_set_max_threads(config, SERVING_THREADS);
    fuse_loop_cfg_set_idle_threads(config, SERVING_THREADS);
    int err = fuse_session_loop_mt(session->fuse, config);
    fuse_loop_cfg_destroy(config);
    return err;
}

/* Start the threads that the tree needs, serve, and stop them in reverse order. */
static int run(struct fs_session *session)
{
    struct fs *fs = session->fs;

    int err = start_signal_thread(session);
    if (err < 0)
        return err;
    err = fs_parking_new(&fs->parking);
    if (err == 0)
        err = vhd_service_new(QUICK_WORKERS, &fs->service);
    if (err == 0)
        err = serve(session);
    vhd_service_free(fs->service);
    fs_parking_free(fs->parking);
    fs->service = NULL;
    fs->parking = NULL;
    stop_signal_thread(session);
    return err;
}

enum fs_exit fs_session_serve(struct fs_session *session)
{
    fs_pidfile_write(session->pidfile);
    int err = run(session);
    if (err != 0)
        fs_log(LOG_ERR, "cannot serve \"%s\": %s", session->mountpoint, strerrordesc_np(abs(err)));
    fuse_session_unmount(session->fuse);
    fuse_session_destroy(session->fuse);
    fs_pidfile_close(session->pidfile);
    free(session);
    return err == 0 ? FS_EXIT_OK : FS_EXIT_MOUNT;
}
