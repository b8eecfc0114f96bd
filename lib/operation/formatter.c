/* SPDX-License-Identifier: MIT */
#include "operation/formatter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "format/mbr.h"

/* How often is_wanted() is asked; and once the child says nothing more, because its end is near. */
#define ASK_AGAIN_MS   100
#define END_IS_NEAR_MS 10

/* The child's descriptor of the file. */
enum { FILE_FD = STDERR_FILENO + 1 };

/* mkfs.fat at work. */
struct child {
    pid_t pid;                            /* also its process group */
    int error_fd;                         /* its standard error; not blocking */
    char line[VHD_FORMATTER_REASON_SIZE]; /* the last line there that is not empty */
    char next[VHD_FORMATTER_REASON_SIZE]; /* the line that has begun */
};

/*
 * Find the program.
 *
 *   ret_path  receives its absolute path
 *
 * Returns false when there is none.
 */
static bool find_program(char ret_path[PATH_MAX])
{
    static const char name[] = "mkfs.fat", more[] = "/usr/sbin:/sbin";
    const char *path = getenv("PATH");
    AUTO_FREE char *folders = NULL;
    char *rest, *folder;

    if (asprintf(&folders, "%s:%s", path ? path : "/usr/bin:/bin", more) < 0)
        return false;
    for (folder = strtok_r(folders, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest)) {
        int len = snprintf(ret_path, PATH_MAX, "%s/%s", folder, name);
        if (*folder == '/' && len < PATH_MAX && access(ret_path, X_OK) == 0)
            return true;
    }
    return false;
}

bool vhd_formatter_is_installed(void)
{
    char path[PATH_MAX];

    return find_program(path);
}

/* A copy of a descriptor whose number is none of the child's. */
static int copy_away(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, FILE_FD + 1);
    return copy < 0 ? -errno : copy;
}

/* Fill in the child's descriptors: the file, its error stream, and nothing else. */
static int list_descriptors(posix_spawn_file_actions_t *actions, int fd, int error_fd)
{
    int err = posix_spawn_file_actions_adddup2(actions, fd, FILE_FD);
    if (err == 0)
        err = posix_spawn_file_actions_adddup2(actions, error_fd, STDERR_FILENO);
    if (err == 0)
        err = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (err == 0)
        err = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (err == 0)
        err = posix_spawn_file_actions_addclosefrom_np(actions, FILE_FD + 1);
    return -err;
}

/* No signal is blocked or ignored in the child, but for SIGXFSZ: a write that is too long fails. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;

    sigemptyset(&none);
    sigfillset(&defaults);
    sigdelset(&defaults, SIGXFSZ);
    int err = posix_spawnattr_setsigmask(attributes, &none);
    if (err == 0)
        err = posix_spawnattr_setsigdefault(attributes, &defaults);
    if (err == 0)
        err = posix_spawnattr_setpgroup(attributes, 0);
    if (err == 0)
        err = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                       POSIX_SPAWN_SETPGROUP);
    return -err;
}

/* Start the program. */
static int spawn(const char *program, char *const argv[], int fd, int error_fd, pid_t *ret)
{
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
    char *const env[] = {path, locale, NULL}; /* the text of its errors is English */
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    int err = -posix_spawn_file_actions_init(&actions);
    if (err < 0)
        return err;
    err = -posix_spawnattr_init(&attributes);
    if (err < 0) {
        posix_spawn_file_actions_destroy(&actions);
        return err;
    }
    err = list_descriptors(&actions, fd, error_fd);
    if (err == 0)
        err = set_attributes(&attributes);
    if (err == 0)
        err = -posix_spawn(ret, program, &actions, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return err;
}

/* Run the program on the file with the arguments that the file system needs. */
static int spawn_for(const char *program, int fd, const struct vhd_fat *fat, int error_fd,
                     pid_t *ret)
{
    char bits[16], cluster[16], offset[32], hidden[16], geometry[32], file[32], label[16],
        blocks[16];

    snprintf(bits, sizeof bits, "%" PRIu32, fat->bits);
    snprintf(cluster, sizeof cluster, "%" PRIu32, fat->cluster_sectors);
    snprintf(offset, sizeof offset, "--offset=%u", VHD_FAT_FIRST_SECTOR);
    snprintf(hidden, sizeof hidden, "%u", VHD_FAT_FIRST_SECTOR);
    snprintf(geometry, sizeof geometry, "%u/%u", VHD_MBR_HEADS, VHD_MBR_SECTORS_PER_TRACK);
    snprintf(file, sizeof file, "/proc/self/fd/%d", FILE_FD);
    snprintf(label, sizeof label, "%s", *fat->label ? fat->label : "NO NAME");
    snprintf(blocks, sizeof blocks, "%" PRIu32, fat->sectors / 2);
    /* The file may be shorter than the file system, so the number of blocks is given. */
    const char *const argv[] = {
        "mkfs.fat", "-F",     bits,   "-s", cluster, "-S", "512",  "-h", hidden,
        "-g",       geometry, offset, "-n", label,   file, blocks, NULL,
    };
    return spawn(program, (char *const *)argv, fd, error_fd, ret);
}

/* Start mkfs.fat on a file. */
static int child_begin(const char *program, int fd, const struct vhd_fat *fat, struct child *ret)
{
    int ends[2];

    AUTO_CLOSE int file = copy_away(fd);
    if (file < 0)
        return file;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    AUTO_CLOSE int read_end = ends[0];
    AUTO_CLOSE int write_end = copy_away(ends[1]);
    close(ends[1]);
    fcntl(read_end, F_SETFL, O_NONBLOCK); /* the child's end blocks, so that its text is whole */
    int err = write_end < 0 ? write_end : spawn_for(program, file, fat, write_end, &ret->pid);
    if (err < 0)
        return err;
    ret->error_fd = read_end;
    read_end = -1;
    return 0;
}

/* End the line that has begun. It counts without the name of the program, unless it is empty. */
static void end_line(struct child *child)
{
    static const char prefix[] = "mkfs.fat: ";
    const char *said = child->next;

    if (strncmp(said, prefix, sizeof prefix - 1) == 0)
        said += sizeof prefix - 1;
    if (*said)
        snprintf(child->line, sizeof child->line, "%s", said);
    memset(child->next, 0, sizeof child->next);
}

/* Read what the child has said so far. */
static void child_hear(struct child *child)
{
    char buf[512];
    ssize_t len;

    while ((len = read(child->error_fd, buf, sizeof buf)) > 0) {
        for (ssize_t i = 0; i < len; i++) {
            const size_t have = strlen(child->next);
            if (buf[i] == '\n')
                end_line(child);
            else if (have + 1 < sizeof child->next)
                child->next[have] = buf[i];
        }
    }
}

/* Wait until the child has ended, or it is no longer wanted. Returns 0 or -ECANCELED. */
static int child_watch(struct child *child, bool (*is_wanted)(void *arg), void *wanted_arg)
{
    struct pollfd polled = {.fd = child->error_fd, .events = POLLIN};
    siginfo_t info = {0};

    while (info.si_pid == 0) {
        if (!is_wanted(wanted_arg))
            return -ECANCELED;
        poll(&polled, 1, polled.fd < 0 ? END_IS_NEAR_MS : ASK_AGAIN_MS);
        if (polled.revents)
            child_hear(child);
        if (polled.revents & POLLHUP)
            polled.fd = -1;
        if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
            break;
    }
    return 0;
}

/* The errno whose text ends a line; -EIO for none. */
static int errno_of(const char *line)
{
    static const int known[] = {ENOSPC, EDQUOT, EFBIG, EROFS, EACCES, EPERM, ENOMEM};
    const size_t len = strlen(line);

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *text = strerrordesc_np(known[i]);
        const size_t text_len = strlen(text);
        if (len >= text_len && strcmp(line + len - text_len, text) == 0)
            return -known[i];
    }
    return -EIO;
}

/* End a child that is still at work, and get its outcome. */
static int child_end(struct child *child, int err, char ret_reason[VHD_FORMATTER_REASON_SIZE])
{
    int status = 0;

    if (err < 0)
        kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child_hear(child);
    end_line(child);
    close(child->error_fd);
    if (err < 0 || status == 0)
        return err;
    if (WIFSIGNALED(status))
        snprintf(ret_reason, VHD_FORMATTER_REASON_SIZE, "killed by a signal (%s)",
                 sigdescr_np(WTERMSIG(status)));
    else if (*child->line)
        snprintf(ret_reason, VHD_FORMATTER_REASON_SIZE, "%s", child->line);
    else
        snprintf(ret_reason, VHD_FORMATTER_REASON_SIZE, "exit status %d", WEXITSTATUS(status));
    return errno_of(ret_reason);
}

static int direct_run(void *arg, int fd, const struct vhd_fat *fat, bool (*is_wanted)(void *arg),
                      void *wanted_arg, char ret_reason[VHD_FORMATTER_REASON_SIZE])
{
    struct child child = {.error_fd = -1};
    char program[PATH_MAX];
    (void)arg;

    *ret_reason = 0;
    if (!find_program(program))
        return -ENOENT;
    int err = child_begin(program, fd, fat, &child);
    if (err < 0) {
        snprintf(ret_reason, VHD_FORMATTER_REASON_SIZE, "cannot start \"%.200s\": %s", program,
                 strerrordesc_np(-err));
        return err == -ENOENT ? -EIO : err;
    }
    err = child_watch(&child, is_wanted, wanted_arg);
    return child_end(&child, err, ret_reason);
}

const struct vhd_formatter vhd_formatter_direct = {.run = direct_run};
