/* SPDX-License-Identifier: MIT */
#include "process/helper_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/helper_message.h"
#include "process/log.h"
#include "process/options.h"

/* Unmount with the setuid program, which users other than root need. It gets the usual signals. */
static int fusermount(const char *mountpoint)
{
    const char *const argv[] = {"fusermount3", "-u", "-q", "-z", "--", mountpoint, NULL};
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t pid;
    int status;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int err = posix_spawnp(&pid, argv[0], NULL, &attributes, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attributes);
    if (err != 0)
        return -err;
    if (waitpid(pid, &status, 0) != pid || status != 0)
        return -EPERM;
    return 0;
}

/*
 * The daemon has died: end the connection. One of its threads may wait in the kernel for a reply
 * that never comes (invalidate.h), and keep the connection open.
 */
static void end_connection(int abort_fd)
{
    if (abort_fd >= 0 && write(abort_fd, "1", 1) < 0)
        fs_log(LOG_WARNING, "cannot end the connection to the kernel: %s", strerrordesc_np(errno));
}

/*
 * Detach our mount, unless it is gone already. If another mount covers it, this is -EBUSY.
 *
 *   is_dead  the daemon has died: the connection ends with the mount
 */
static int detach(const struct fs_mount *mount, bool is_dead)
{
    AUTO_FREE char *path = fs_mount_path(mount);
    int err = 0;

    if (!path)
        return 0;
    const struct fs_mount top = fs_mount_of(path);
    if (top.id == mount->id && !fs_mount_is(&top, mount))
        return 0; /* ours is gone, and this one has its id */
    if (top.id != mount->id)
        err = -EBUSY;
    else if (umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH | (is_dead ? MNT_FORCE : 0)) < 0)
        err = errno == EPERM ? fusermount(path) : -errno;
    if (err < 0)
        fs_log(LOG_ERR, "cannot unmount \"%s\": %s", path, strerrordesc_np(-err));
    return err;
}

/* Has the daemon neither died nor closed its end of the socket for the answer? */
static bool is_wanted(void *arg)
{
    const int *socket = arg;
    char byte;

    return recv(*socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void answer(int socket, const struct fs_helper_answer *answer)
{
    /* If the daemon does not listen any more, nobody misses it. */
    (void)send(socket, answer, sizeof *answer, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/*
 * Is this a file that the daemon itself may write to? mkfs.fat opens it once more, and with rights
 * that a confined daemon lacks. A descriptor of O_PATH, which needs no rights, is none.
 */
static bool is_writable_image(const struct fs_worker *worker, int fd)
{
    struct stat attributes;

    const int flags = fcntl(fd, F_GETFL);
    return !worker->is_read_only && flags >= 0 && !(flags & O_PATH) &&
           (flags & O_ACCMODE) == O_RDWR && fstat(fd, &attributes) == 0 &&
           S_ISREG(attributes.st_mode) && attributes.st_dev == worker->device;
}

/*
 * Run mkfs.fat with the rights of the daemon, which may be fewer than ours: a daemon that was
 * taken over gains nothing here.
 */
static _Noreturn void job_run(const struct fs_worker *worker, const int fds[MESSAGE_FDS],
                              const struct vhd_fat *fat)
{
    int socket = fds[MESSAGE_ANSWER];
    struct fs_helper_answer done = {0};

    close(worker->socket);
    if (worker->abort_fd >= 0)
        close(worker->abort_fd);
    done.err = fs_user_become(worker->user);
    if (done.err == 0)
        done.err =
            vhd_formatter_direct.run(NULL, fds[MESSAGE_FILE], fat, is_wanted, &socket, done.reason);
    answer(socket, &done);
    _exit(EXIT_SUCCESS);
}

/* The worker at work. */
struct state {
    const struct fs_worker *worker;
    sigset_t during; /* of fs_worker_catch_children() */
    unsigned jobs;
};

/* Start a job in a process of its own, so that the worker serves the daemon meanwhile. */
static void job_start(struct state *state, const int fds[MESSAGE_FDS], const struct vhd_fat *fat)
{
    struct fs_helper_answer refusal = {.err = -EPERM, .reason = "this is no file of the store"};

    if (is_writable_image(state->worker, fds[MESSAGE_FILE]) &&
        memchr(fat->label, 0, sizeof fat->label)) {
        const pid_t pid = state->jobs < FS_JOBS_MAX ? fork() : -1;
        if (pid == 0)
            job_run(state->worker, fds, fat);
        if (pid > 0) {
            state->jobs++;
            return;
        }
        refusal.err = -EAGAIN;
        snprintf(refusal.reason, sizeof refusal.reason, "no process can be started for it");
    }
    answer(fds[MESSAGE_ANSWER], &refusal);
}

static void child_ended(int signal)
{
    (void)signal;
}

void fs_worker_catch_children(sigset_t *ret_during)
{
    const struct sigaction action = {.sa_handler = child_ended};
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigaction(SIGCHLD, &action, NULL);
    sigprocmask(SIG_BLOCK, &child, ret_during);
    sigdelset(ret_during, SIGCHLD);
}

/* Wait for a message, and reap ended jobs meanwhile. SIGCHLD interrupts nothing but this wait. */
static void wait_for_message(struct state *state)
{
    struct pollfd polled = {.fd = state->worker->socket, .events = POLLIN};

    while (ppoll(&polled, 1, NULL, &state->during) <= 0) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            state->jobs--;
    }
}

/*
 * Receive a message.
 *
 *   ret_fds  receives its descriptors, which the caller closes; -1 for none
 *
 * Returns its length, 0 when the daemon has died, or -1 when there is no memory for it.
 */
static ssize_t receive(int fd, struct fs_helper_message *ret, int ret_fds[MESSAGE_FDS])
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
    } control;
    struct iovec iov = {ret, sizeof *ret};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    ssize_t len;

    ret_fds[MESSAGE_ANSWER] = ret_fds[MESSAGE_FILE] = -1;
    do
        len = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return errno == ECONNRESET ? 0 : -1;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(ret_fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
    return len;
}

/* Do what a message asks for. Returns false after the daemon's last one. */
static bool serve(struct state *state, const struct fs_helper_message *message,
                  const int fds[MESSAGE_FDS])
{
    const struct fs_worker *worker = state->worker;
    struct fs_helper_answer done = {0};

    switch (message->word) {
    case WORD_FORMAT:
        job_start(state, fds, &message->fat);
        return true;
    case WORD_DETACH:
        done.err = detach(&worker->mount, false);
        break;
    case WORD_END:
        fs_pidfile_remove(worker->pidfile);
        break;
    default:
        return true;
    }
    answer(fds[MESSAGE_ANSWER], &done);
    return message->word != WORD_END;
}

int fs_worker_run(const struct fs_worker *worker)
{
    struct state state = {.worker = worker};
    bool goes_on = true;

    fs_worker_catch_children(&state.during);
    while (goes_on) {
        struct fs_helper_message message = {0};
        int fds[MESSAGE_FDS];

        wait_for_message(&state);
        const ssize_t len = receive(worker->socket, &message, fds);
        if (len == 0) {
            end_connection(worker->abort_fd);
            const int err = detach(&worker->mount, true);
            fs_pidfile_remove(worker->pidfile);
            return err == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        if (len == sizeof message && fds[MESSAGE_ANSWER] >= 0)
            goes_on = serve(&state, &message, fds);
        for (size_t i = 0; i < MESSAGE_FDS; i++) {
            if (fds[i] >= 0)
                close(fds[i]);
        }
    }
    return EXIT_SUCCESS;
}
