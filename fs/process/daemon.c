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
int fs_daemon_fork(int *ret_ready_fd)
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
    if (chdir("/") < 0)
        return -errno;
    *ret_ready_fd = ends[1];
    return 0;
}

static void tell_service_manager(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");

    if (!path || strlen(path) >= sizeof address.sun_path)
        return;
    size_t len = strlen(path);
    memcpy(address.sun_path, path, len);
    if (*path == '@')
        address.sun_path[0] = 0; /* the abstract namespace */
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&address,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        fs_log(LOG_WARNING, "cannot report to the service manager: %s", strerrordesc_np(errno));
}

void fs_daemon_close_streams(void)
{
    AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
}

void fs_daemon_ready(int ready_fd)
{
    tell_service_manager();
    if (ready_fd < 0)
        return;
    fs_log_to_syslog();
    fs_daemon_close_streams();
    if (write(ready_fd, "", 1) < 0)
        fs_log(LOG_WARNING, "cannot report to the process that started vhdfs: %s",
               strerrordesc_np(errno));
    close(ready_fd);
}
