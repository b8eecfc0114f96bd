/* SPDX-License-Identifier: MIT */
/*
 * A daemon that somebody has taken over: loaded into vhdfs by LD_PRELOAD, this replaces the first
 * call by which a worker makes a disk. It tries what an attacker would, and reports each outcome in
 * $TAKEOVER_REPORT, a file of the store: "what: done", or the name of the errno.
 *
 * $TAKEOVER_VICTIM is a folder outside the store, writable for the daemon's user, with a file
 * "secret". $TAKEOVER_PROCESS is another process of that user.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <uuid.h>

#include "process/helper_message.h"

static FILE *report;

/* Report an outcome: of a call that returned a negative value and set errno, or not. */
static void tell(const char *what, long result)
{
    fprintf(report, "%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "done");
}

/* The path of a file in the victim's folder, valid until the next call. */
static const char *victim(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/%s", getenv("TAKEOVER_VICTIM"), name);
    return path;
}

static const char *in_store(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s", getenv("TAKEOVER_REPORT"));
    strcpy(strrchr(path, '/') + 1, name);
    return path;
}

static void try_files(void)
{
    char byte = 'x';

    tell("read /etc/passwd", open("/etc/passwd", O_RDONLY));
    tell("read a secret", open(victim("secret"), O_RDONLY));
    tell("read through the store", open(in_store("../victim/secret"), O_RDONLY));
    tell("write outside", open(victim("secret"), O_WRONLY));
    tell("make a file outside", open(victim("new"), O_WRONLY | O_CREAT, 0600));
    tell("list a folder", open("/", O_RDONLY | O_DIRECTORY));
    tell("truncate outside", truncate(victim("secret"), 0));
    tell("attribute outside", setxattr(victim("secret"), "user.a", "x", 1, 0));
    tell("remove outside", unlink(victim("secret")));
    tell("link into the store", link(victim("secret"), in_store("stolen")));
    tell("move into the store", rename(victim("secret"), in_store("stolen")));
    tell("move out of the store", rename(in_store("bait"), victim("bait")));
    tell("symlink in the store", symlink("/etc/passwd", in_store("way-out")));
    tell("device in the store", mknod(in_store("device"), S_IFCHR | 0600, 0x0103));
    tell("folder outside", mkdir(victim("folder"), 0700));
    tell("memory", open("/proc/self/mem", O_RDWR));
    tell("setting of the kernel", open("/proc/sys/kernel/core_pattern", O_WRONLY));
    /* What it may do, or the report would not come about. */
    const int fd = open(in_store("allowed"), O_RDWR | O_CREAT, 0600);
    tell("write in the store", fd < 0 ? -1 : write(fd, &byte, 1));
    tell("read /proc", open("/proc/self/status", O_RDONLY));
}

/* The helper has rights that we lack. The first socket of ours that takes a message leads to it. */
static int ask_helper(int file)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
    } control = {0};
    struct fs_helper_message message = {
        .word = WORD_FORMAT,
        .fat = {.bits = 16, .cluster_sectors = 4, .sectors = 65536},
    };
    struct iovec iov = {&message, sizeof message};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof control};
    struct fs_helper_answer answer;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    const int fds[MESSAGE_FDS] = {ends[1], file};
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
    const struct timeval second = {.tv_sec = 2};
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    errno = ENOTCONN;
    for (int fd = 3; fd < ends[0]; fd++) {
        if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof message &&
            recv(ends[0], &answer, sizeof answer, 0) == sizeof answer) {
            errno = -answer.err;
            return answer.err;
        }
    }
    return -1;
}

static void try_the_helper(void)
{
    tell("format without rights", ask_helper(open(victim("secret"), O_PATH)));
    tell("format what is read", ask_helper(open("/proc/self/status", O_RDONLY)));
    tell("format a folder", ask_helper(open(in_store("."), O_RDONLY)));
}

static void try_programs(void)
{
    char name[] = "true";
    char *const argv[] = {name, NULL};
    char *const env[] = {NULL};

    tell("execve", execve("/bin/true", argv, env));
    tell("execveat", syscall(SYS_execveat, STDIN_FILENO, "", argv, env, AT_EMPTY_PATH));
    pid_t pid;
    errno = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, env);
    tell("posix_spawn", errno ? -1 : 0);
}

static void try_sockets(void)
{
    int ends[2];

    tell("socket of TCP", socket(AF_INET, SOCK_STREAM, 0));
    tell("socket of UDP", socket(AF_INET6, SOCK_DGRAM, 0));
    tell("socket of the machine", socket(AF_UNIX, SOCK_STREAM, 0));
    tell("socket of the kernel", socket(AF_NETLINK, SOCK_RAW, 0));
    tell("pair of another family", socketpair(AF_INET, SOCK_STREAM, 0, ends));
    tell("pair for datagrams", socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return;
    const struct sockaddr_un address = {AF_UNIX, "/dev/log"};
    tell("connect", connect(ends[0], (const struct sockaddr *)&address, sizeof address));
    tell("bind", bind(ends[0], (const struct sockaddr *)&address, sizeof(sa_family_t)));
}

static void try_processes(void)
{
    const pid_t other = (pid_t)atoi(getenv("TAKEOVER_PROCESS"));
    char byte;
    const struct iovec local = {&byte, 1}, remote = {&byte, 1};

    tell("kill", kill(other, SIGKILL));
    tell("tgkill", syscall(SYS_tgkill, other, other, SIGKILL));
    tell("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, other, SIGTERM, NULL));
    tell("pidfd_open", syscall(SYS_pidfd_open, other, 0));
    tell("ptrace", ptrace(PTRACE_ATTACH, other, NULL, NULL));
    tell("process_vm_readv", process_vm_readv(other, &local, 1, &remote, 1, 0));
    tell("memory of another", open("/proc/1/mem", O_RDWR));
    tell("fcntl F_SETOWN", fcntl(STDIN_FILENO, F_SETOWN, other));
    tell("fcntl F_SETSIG", fcntl(STDIN_FILENO, F_SETSIG, SIGKILL));
    tell("setpriority", setpriority(PRIO_PROCESS, (id_t)other, 19));
    tell("sched_setaffinity", syscall(SYS_sched_setaffinity, other, 0, NULL));
    tell("prlimit64", prlimit(other, RLIMIT_CPU, &(const struct rlimit){1, 1}, NULL));
    tell("shmget", shmget(IPC_PRIVATE, 4096, 0600));
    tell("mq_open", syscall(SYS_mq_open, "queue", O_RDWR, 0, NULL));
}

static void try_the_kernel(void)
{
    struct io_uring_params params = {0};

    tell("mount", mount("none", victim(""), "tmpfs", 0, NULL));
    tell("umount2", umount2(victim(""), MNT_DETACH));
    tell("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
    tell("chroot", chroot("/"));
    tell("unshare", unshare(CLONE_NEWUSER));
    tell("clone", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
    tell("clone3", syscall(SYS_clone3, NULL, 0));
    tell("setns", setns(STDIN_FILENO, 0));
    tell("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, O_RDONLY));
    tell("io_uring_setup", syscall(SYS_io_uring_setup, 1, &params));
    tell("open_tree_attr", syscall(467, AT_FDCWD, victim(""), 1, NULL, 0));
    tell("inotify_init1", syscall(SYS_inotify_init1, 0));
    tell("TIOCSTI", ioctl(STDIN_FILENO, TIOCSTI, "x"));
    tell("fanotify_init", syscall(SYS_fanotify_init, 0, O_RDONLY));
    tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
    tell("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    tell("userfaultfd", syscall(SYS_userfaultfd, 0));
    tell("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
    tell("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    tell("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
    tell("new rights", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? (errno = EPERM, -1) : 0);
}

/* From here on, functions replace those of a library. */
#pragma GCC visibility push(default)

void uuid_generate_random(uuid_t out)
{
    void (*real)(uuid_t) = __extension__(void (*)(uuid_t)) dlsym(RTLD_NEXT, "uuid_generate_random");

    report = fopen(getenv("TAKEOVER_REPORT"), "we");
    if (report) {
        try_files();
        try_the_helper();
        try_programs();
        try_sockets();
        try_processes();
        try_the_kernel();
        fclose(report);
    }
    real(out);
}

#pragma GCC visibility pop
