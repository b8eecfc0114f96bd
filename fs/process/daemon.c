/* SPDX-License-Identifier: MIT */
#include "process/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/log.h"
#include "process/options.h"

/* The parent: wait for a byte of the child, or for its end. */
static _Noreturn void wait_for_child(int fd)
{
    sigset_t none;
    char word;
    ssize_t len;

    sigemptyset(&none); /* blocked for the child; they may stop the parent */
    sigprocmask(SIG_SETMASK, &none, NULL);

    do
        len = read(fd, &word, 1);
    while (len < 0 && errno == EINTR);
    _exit(len == 1 ? FS_EXIT_OK : FS_EXIT_MOUNT);
}

/*
 * The child leaves the caller's terminal and directory. It keeps the standard streams until the
 * tree answers, so that the caller sees a failure before that.
 */
int fs_daemon_fork(struct fs_daemon *daemon)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        int err = -errno;
        close(ends[0]);
        close(ends[1]);
        return err;
    }
    if (pid > 0) {
        close(ends[1]);
        wait_for_child(ends[0]);
    }
    close(ends[0]);
    setsid();
    daemon->ready_fd = ends[1];
    daemon->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return daemon->null_fd < 0 || chdir("/") < 0 ? -errno : 0;
}

static void warn_of_service_manager(void)
{
    fs_log(LOG_WARNING, "cannot report to the service manager: %s", strerrordesc_np(errno));
}

void fs_daemon_connect(struct fs_daemon *daemon)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");

    if (!path || strlen(path) >= sizeof address.sun_path)
        return;
    const size_t len = strlen(path);
    memcpy(address.sun_path, path, len);
    if (*path == '@')
        address.sun_path[0] = 0; /* the abstract namespace */
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
        warn_of_service_manager();
        return;
    }
    daemon->notify_fd = fd;
    fd = -1;
}

/* Lead the standard streams to this file. */
static void lead_streams_to(int to)
{
    for (int fd = STDIN_FILENO; to >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(to, fd);
}

void fs_daemon_close_streams(void)
{
    AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    lead_streams_to(null);
}

/* Close and unset one of the descriptors. */
static void drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void fs_daemon_ready(struct fs_daemon *daemon)
{
    if (daemon->notify_fd >= 0 && send(daemon->notify_fd, "READY=1", 7, MSG_NOSIGNAL) < 0)
        warn_of_service_manager();
    drop(&daemon->notify_fd);
    if (daemon->ready_fd < 0)
        return;
    fs_log_to_syslog(daemon->log_fd);
    lead_streams_to(daemon->null_fd);
    drop(&daemon->null_fd);
    if (write(daemon->ready_fd, "", 1) < 0)
        fs_log(LOG_WARNING, "cannot report to the process that started vhdfs: %s",
               strerrordesc_np(errno));
    drop(&daemon->ready_fd);
}
