/* SPDX-License-Identifier: MIT */
#include "process/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/daemon.h"
#include "process/helper_message.h"
#include "process/helper_worker.h"
#include "process/log.h"
#include "process/mountpoint.h"

/* How often the daemon asks whether a format is still wanted, and how long a cancelled one gets. */
#define ASK_AGAIN_MS 100
#define CANCEL_MS    500

/* How long the daemon waits for the answer to another word. The end of the daemon waits for it. */
#define ANSWER_MS 5000

/* How long the watcher waits before it starts another worker. */
#define RESTART_MS 100

/*
 * The descriptors of the helper's processes: the end of the daemon's socket, both ends of the
 * log's, and the file that ends the connection.
 */
enum { SOCKET_FD = STDERR_FILENO + 1, LOG_READ_FD, LOG_WRITE_FD, ABORT_FD, FIRST_UNUSED_FD };

struct fs_helper {
    int fd;     /* to the worker */
    int log_fd; /* to the watcher */
};

/* What the helper's processes know. */
struct helper {
    struct fs_worker worker;
    pid_t daemon;
    bool is_foreground;
};

/* Keep these descriptors, under the numbers from SOCKET_FD on, and the standard streams alone. */
static void keep_descriptors(const int fds[FIRST_UNUSED_FD - SOCKET_FD])
{
    int moved[FIRST_UNUSED_FD - SOCKET_FD];

    /* All move away first, because one may have the number that another needs. */
    for (int i = 0; i < FIRST_UNUSED_FD - SOCKET_FD; i++)
        moved[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_UNUSED_FD);
    for (int i = 0; i < FIRST_UNUSED_FD - SOCKET_FD; i++) {
        if (moved[i] < 0)
            close(SOCKET_FD + i);
        else
            dup3(moved[i], SOCKET_FD + i, O_CLOEXEC);
    }
    close_range(FIRST_UNUSED_FD, ~0U, 0);
}

/*
 * Prepare the process. The signals that end the daemon must not end the helper, and it leaves the
 * terminal, whose signals reach all processes at once. It keeps nothing else open: not the mount,
 * not the store and its lock, and no pipe whose end the caller waits for.
 */
static void prepare(const int fds[FIRST_UNUSED_FD - SOCKET_FD], bool is_foreground)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    setsid();
    prctl(PR_SET_NAME, "vhdfs-helper");
    if (!is_foreground)
        fs_daemon_close_streams();
    keep_descriptors(fds);
}

/* Log the daemon's messages until the worker has ended. Returns its status, of waitpid(2). */
static int forward_log(const struct helper *helper, pid_t worker, const sigset_t *during)
{
    struct pollfd polled = {.fd = LOG_READ_FD, .events = POLLIN};
    int status = 0;

    while (waitpid(worker, &status, WNOHANG) == 0) {
        if (ppoll(&polled, 1, NULL, during) > 0 && !fs_log_forward(LOG_READ_FD, helper->daemon))
            polled.fd = -1; /* no more comes */
    }
    while (poll(&polled, 1, 0) > 0 && fs_log_forward(LOG_READ_FD, helper->daemon))
        ;
    return status;
}

/*
 * The watcher: log, and start another worker if one is killed. If the watcher itself is killed, the
 * worker goes on. Returns the exit status.
 */
static int watch(const struct helper *helper)
{
    const struct timespec pause = {.tv_nsec = RESTART_MS * 1000000L};
    sigset_t during;

    fs_worker_catch_children(&during);
    for (;;) {
        const pid_t worker = fork();
        if (worker <= 0) {
            /* Without a second process, this one works. */
            if (worker == 0)
                close(LOG_READ_FD);
            if (!helper->is_foreground)
                fs_log_to_syslog(LOG_WRITE_FD);
            return fs_worker_run(&helper->worker);
        }
        const int status = forward_log(helper, worker, &during);
        if (WIFEXITED(status))
            return WEXITSTATUS(status);
        nanosleep(&pause, NULL);
    }
}

/* Make both sockets: to the worker and to the watcher. The first ends are the daemon's. */
static int make_sockets(int ret_work[2], int ret_log[2])
{
    if (socketpair(AF_UNIX, FS_HELPER_SOCKET, 0, ret_work) < 0)
        return -errno;
    if (socketpair(AF_UNIX, FS_HELPER_SOCKET, 0, ret_log) == 0)
        return 0;
    const int err = -errno;
    close(ret_work[0]);
    close(ret_work[1]);
    return err;
}

int fs_helper_start(const struct fs_helper_duties *duties, struct fs_helper **ret)
{
    AUTO_CLOSE int abort_fd = fs_mount_open_abort(duties->mount);
    const pid_t daemon = getpid();
    int work_ends[2] = {-1, -1}, log_ends[2] = {-1, -1};
    struct stat store;

    AUTO_FREE struct fs_helper *helper = malloc(sizeof *helper);
    if (!helper)
        return -ENOMEM;
    int err = fstat(duties->store_fd, &store) < 0 ? -errno : make_sockets(work_ends, log_ends);
    if (err < 0)
        return err;
    AUTO_CLOSE int their_socket = work_ends[1];
    AUTO_CLOSE int their_log = log_ends[1];
    const pid_t pid = fork();
    *helper = (struct fs_helper){work_ends[0], log_ends[0]};
    if (pid < 0) {
        err = -errno;
        close(helper->fd);
        close(helper->log_fd);
        return err;
    }
    if (pid == 0) {
        const int kept[] = {their_socket, their_log, log_ends[0], abort_fd};
        prepare(kept, duties->is_foreground);
        const struct helper theirs = {
            .worker =
                {
                    .socket = SOCKET_FD,
                    .abort_fd = abort_fd < 0 ? -1 : ABORT_FD,
                    .mount = *duties->to_detach,
                    .pidfile = duties->pidfile,
                    .user = duties->user,
                    .device = store.st_dev,
                    .is_read_only = duties->is_read_only,
                },
            .daemon = daemon,
            .is_foreground = duties->is_foreground,
        };
        _exit(watch(&theirs));
    }
    *ret = TAKE(helper);
    return 0;
}

int fs_helper_log(const struct fs_helper *helper)
{
    return helper->log_fd;
}

/*
 * Send a message with the end of a new socket for the answer.
 *
 *   file  the file of WORD_FORMAT; -1 for none
 *
 * Returns our end, or a negative errno of socketpair(2) or sendmsg(2): -EPIPE if the helper is
 * gone.
 */
static int ask(const struct fs_helper *helper, const struct fs_helper_message *message, int file)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)message, sizeof *message};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = CMSG_SPACE(file < 0 ? sizeof(int) : MESSAGE_FDS * sizeof(int)),
    };
    int ends[2];

    if (socketpair(AF_UNIX, FS_HELPER_SOCKET, 0, ends) < 0)
        return -errno;
    const int fds[MESSAGE_FDS] = {[MESSAGE_ANSWER] = ends[1], [MESSAGE_FILE] = file};
    const size_t size = file < 0 ? sizeof(int) : sizeof fds;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(&control.header), fds, size);
    const int err = sendmsg(helper->fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
    close(ends[1]);
    if (err == 0)
        return ends[0];
    close(ends[0]);
    return err == -ECONNRESET ? -EPIPE : err;
}

/* A message without padding that could show our memory. */
static struct fs_helper_message message_of(enum fs_helper_word word)
{
    struct fs_helper_message message;

    memset(&message, 0, sizeof message);
    message.word = (char)word;
    return message;
}

/*
 * Send a word, and wait for the answer. If a worker is killed at it, another one gets the word.
 *
 * Returns the answer's errno; -ESRCH if the helper is gone; or -ETIMEDOUT.
 */
static int request(const struct fs_helper *helper, enum fs_helper_word word)
{
    const struct fs_helper_message message = message_of(word);

    for (;;) {
        struct fs_helper_answer answer;
        AUTO_CLOSE int socket = ask(helper, &message, -1);
        if (socket < 0)
            return socket == -EPIPE ? -ESRCH : socket;
        struct pollfd polled = {.fd = socket, .events = POLLIN};
        if (poll(&polled, 1, ANSWER_MS) <= 0)
            return -ETIMEDOUT;
        if (recv(socket, &answer, sizeof answer, 0) == sizeof answer)
            return answer.err;
    }
}

int fs_helper_detach(struct fs_helper *helper)
{
    return request(helper, WORD_DETACH);
}

/* Wait for a job's answer as long as it is wanted. Returns what vhd_formatter's run() does. */
static int await_answer(int job, bool (*wanted)(void *arg), void *wanted_arg,
                        char ret_reason[VHD_FORMATTER_REASON_SIZE])
{
    struct pollfd polled = {.fd = job, .events = POLLIN};
    struct fs_helper_answer answer;

    while (poll(&polled, 1, ASK_AGAIN_MS) <= 0) {
        if (wanted(wanted_arg))
            continue;
        /* The job sees the end of the file and ends mkfs.fat. Its space is free then. */
        shutdown(job, SHUT_WR);
        poll(&polled, 1, CANCEL_MS);
        return -ECANCELED;
    }
    if (recv(job, &answer, sizeof answer, 0) != sizeof answer) {
        snprintf(ret_reason, VHD_FORMATTER_REASON_SIZE, "the process that runs it has died");
        return -EIO;
    }
    memcpy(ret_reason, answer.reason, sizeof answer.reason);
    return answer.err;
}

/* The run() of the helper's formatter. */
static int format(void *arg, int fd, const struct vhd_fat *fat, bool (*wanted)(void *arg),
                  void *wanted_arg, char ret_reason[VHD_FORMATTER_REASON_SIZE])
{
    struct fs_helper_message message = message_of(WORD_FORMAT);

    *ret_reason = 0;
    message.fat = *fat;
    AUTO_CLOSE int job = ask(arg, &message, fd);
    if (job == -EPIPE) {
        snprintf(ret_reason, VHD_FORMATTER_REASON_SIZE,
                 "the helper of vhdfs was killed; mount the store again");
        return -EIO;
    }
    return job < 0 ? job : await_answer(job, wanted, wanted_arg, ret_reason);
}

struct vhd_formatter fs_helper_formatter(struct fs_helper *helper)
{
    return (struct vhd_formatter){format, helper};
}

void fs_helper_end(struct fs_helper *helper)
{
    const int err = request(helper, WORD_END);

    if (err < 0)
        fs_log(LOG_ERR, "the helper of vhdfs does not answer (%s); the pid file may stay",
               strerrordesc_np(-err));
    close(helper->fd);
    close(helper->log_fd);
    free(helper);
}
