/* SPDX-License-Identifier: MIT */
#include "process/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/daemon.h"
#include "process/log.h"
#include "process/mountpoint.h"
#include "process/pidfile.h"

/* Words of the daemon to the helper. An end of file without a word means that it has died. */
enum word { WORD_DETACH = 'd', WORD_END = 'e' };

/* The helper's descriptors: its end of the socket, and the file that ends the connection. */
enum { HELPER_FD = STDERR_FILENO + 1, ABORT_FD };

struct fs_helper {
    pid_t pid;
    int fd;

    /* for the daemon itself, when the helper has died */
    struct fs_mount mount;
    struct fs_pidfile *pidfile;
};

/* Unmount with the setuid program, which users other than root need. */
static int fusermount(const char *mountpoint)
{
    const char *const argv[] = {"fusermount3", "-u", "-q", "-z", "--", mountpoint, NULL};
    pid_t pid;
    int status;

    int err = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
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
static void end_connection(void)
{
    if (write(ABORT_FD, "1", 1) < 0 && errno != EBADF)
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
    else if (umount2(path, is_dead ? MNT_FORCE | MNT_DETACH : MNT_DETACH) < 0)
        err = errno == EPERM ? fusermount(path) : -errno;
    if (err < 0)
        fs_log(LOG_ERR, "cannot unmount \"%s\": %s", path, strerrordesc_np(-err));
    return err;
}

/* Serve the daemon until its WORD_END or its death. Returns the exit status. */
static int helper_run(int fd, const struct fs_mount *mount)
{
    char word;

    for (;;) {
        ssize_t len = read(fd, &word, 1);
        if (len < 0 && errno == EINTR)
            continue;
        if (len != 1) {
            end_connection();
            return detach(mount, true) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        if (word == WORD_END)
            return EXIT_SUCCESS;
        char answer = (char)(detach(mount, false) == 0);
        if (write(fd, &answer, 1) < 0)
            return EXIT_FAILURE;
    }
}

/*
 * Prepare the child. The signals that end the daemon must not end the helper. It keeps nothing else
 * open: not the mount, not the store and its lock, and no pipe whose end the caller waits for.
 */
static void prepare_child(int fd, int abort_fd, bool is_foreground)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    prctl(PR_SET_NAME, "vhdfs-helper");
    if (!is_foreground)
        fs_daemon_close_streams();
    /* Both move away first, because one may have the number that the other needs. */
    fd = fcntl(fd, F_DUPFD, ABORT_FD + 1);
    abort_fd = abort_fd < 0 ? -1 : fcntl(abort_fd, F_DUPFD, ABORT_FD + 1);
    dup2(fd, HELPER_FD);
    if (abort_fd < 0)
        close(ABORT_FD);
    else
        dup2(abort_fd, ABORT_FD);
    close_range(ABORT_FD + 1, ~0U, 0);
}

int fs_helper_start(const struct fs_mount *mount, const struct fs_mount *to_detach,
                    struct fs_pidfile *pidfile, bool is_foreground, struct fs_helper **ret)
{
    AUTO_CLOSE int abort_fd = fs_mount_open_abort(mount);
    int ends[2];

    struct fs_helper *helper = malloc(sizeof *helper);
    if (!helper)
        return -ENOMEM;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        int err = -errno;
        free(helper);
        return err;
    }
    *helper = (struct fs_helper){
        .fd = ends[0],
        .mount = *to_detach,
        .pidfile = pidfile,
    };
    helper->pid = fork();
    if (helper->pid < 0) {
        int err = -errno;
        close(ends[0]);
        close(ends[1]);
        free(helper);
        return err;
    }
    if (helper->pid == 0) {
        prepare_child(ends[1], abort_fd, is_foreground);
        int status = helper_run(HELPER_FD, to_detach);
        fs_pidfile_remove(pidfile);
        _exit(status);
    }
    close(ends[1]);
    *ret = helper;
    return 0;
}

int fs_helper_detach(struct fs_helper *helper)
{
    const char word = WORD_DETACH;
    char is_done = 0;

    if (write(helper->fd, &word, 1) != 1 || read(helper->fd, &is_done, 1) != 1)
        return detach(&helper->mount, false);
    return is_done ? 0 : -EIO;
}

void fs_helper_end(struct fs_helper *helper)
{
    const char word = WORD_END;
    int status = 0;

    /* A helper that was killed has left the pid file. */
    bool is_told = write(helper->fd, &word, 1) == 1;
    if (waitpid(helper->pid, &status, 0) != helper->pid || !is_told || !WIFEXITED(status))
        fs_pidfile_remove(helper->pidfile);
    close(helper->fd);
    free(helper);
}
