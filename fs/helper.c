#include "helper.h"

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
#include "daemon.h"
#include "log.h"
#include "pidfile.h"

/* What the daemon tells the helper. An end of file without a word: it has died. */
enum word { WORD_DETACH = 'd', WORD_END = 'e' };

/* Where the helper keeps its end of the connection. */
#define HELPER_FD (STDERR_FILENO + 1)

struct fs_helper {
    pid_t pid;
    int fd;

    /* what the daemon does itself when the helper has died */
    int mount_id;
    struct fs_pidfile *pidfile;
};

/*
 * The id of the mount on top of a path, or -1. Opening a path as such asks nothing of the file
 * system there, be it not started yet or dead.
 */
static int mount_id(const char *path)
{
    char name[48], line[128];
    int id = -1;

    AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
    FILE *info = fd < 0 ? NULL : fopen(name, "re");
    if (!info)
        return -1;
    while (id < 0 && fgets(line, sizeof line, info)) {
        if (sscanf(line, "mnt_id: %d", &id) != 1)
            id = -1;
    }
    fclose(info);
    return id;
}

/* Unmount with the setuid program, for who is not root. */
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

/* Take the escapes out of a path in mountinfo: a blank is \040 there. */
static void unescape(char *path)
{
    char *out = path;

    for (const char *in = path; *in; out++) {
        if (in[0] == '\\' && in[1] && in[2] && in[3]) {
            *out = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = 0;
}

/*
 * Where the mount of this id is now: a folder above it may have been renamed.
 *
 * Returns a path to be freed, or NULL when there is no such mount any more.
 *
 * Source: proc(5), /proc/pid/mountinfo: the id is the first field, the mount point the fifth.
 */
static char *mount_path(int id)
{
    AUTO_FREE char *line = NULL;
    char *path = NULL;
    size_t room = 0;

    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts)
        return NULL;
    while (!path && getline(&line, &room, mounts) >= 0) {
        char *rest = line, *fields[5] = {NULL};
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            fields[i] = strsep(&rest, " ");
        if (fields[4] && strtol(fields[0], NULL, 10) == id)
            path = strdup(fields[4]);
    }
    fclose(mounts);
    if (path)
        unescape(path);
    return path;
}

/* Detach our mount, unless it is gone already. Another that covers it is left alone. */
static int detach(int id)
{
    AUTO_FREE char *path = id < 0 ? NULL : mount_path(id);
    int err = 0;

    if (!path)
        return 0;
    if (mount_id(path) != id)
        err = -EBUSY;
    else if (umount2(path, MNT_DETACH) < 0)
        err = errno == EPERM ? fusermount(path) : -errno;
    if (err < 0)
        fs_log(LOG_ERR, "cannot unmount \"%s\": %s", path, strerrordesc_np(-err));
    return err;
}

/* Serve the daemon until it says that it ends, or has died. Returns the exit status. */
static int helper_run(int fd, int id)
{
    char word;

    for (;;) {
        ssize_t len = read(fd, &word, 1);
        if (len < 0 && errno == EINTR)
            continue;
        if (len != 1)
            return detach(id) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        if (word == WORD_END)
            return EXIT_SUCCESS;
        char answer = (char)(detach(id) == 0);
        if (write(fd, &answer, 1) < 0)
            return EXIT_FAILURE;
    }
}

/*
 * In the child: what ends the daemon must not end the helper, and nothing else is kept open,
 * neither the mount, nor the store and its lock, nor what the caller waits for the end of.
 */
static void settle(int fd, bool is_foreground)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    prctl(PR_SET_NAME, "vhdfs-helper");
    if (!is_foreground)
        fs_daemon_close_streams();
    dup2(fd, HELPER_FD);
    close_range(HELPER_FD + 1, ~0U, 0);
}

int fs_helper_start(const char *mountpoint, struct fs_pidfile *pidfile, bool is_foreground,
                    struct fs_helper **ret)
{
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
        .mount_id = mount_id(mountpoint),
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
        settle(ends[1], is_foreground);
        int status = helper_run(HELPER_FD, helper->mount_id);
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
        return detach(helper->mount_id);
    return is_done ? 0 : -EIO;
}

void fs_helper_end(struct fs_helper *helper)
{
    const char word = WORD_END;
    int status = 0;

    /* Killed, it has left to us what it was for. */
    bool is_told = write(helper->fd, &word, 1) == 1;
    if (waitpid(helper->pid, &status, 0) != helper->pid || !is_told || !WIFEXITED(status))
        fs_pidfile_remove(helper->pidfile);
    close(helper->fd);
    free(helper);
}
