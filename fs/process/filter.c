/* SPDX-License-Identifier: MIT */
#include "process/filter.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/helper_message.h"

/* The processor's name for the kernel. The numbers of system calls depend on it. */
#if defined(__x86_64__)
#    define ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#    define ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__) && __BYTE_ORDER == __LITTLE_ENDIAN
#    define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#    define ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER == __LITTLE_ENDIAN
#    define ARCH AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#    define ARCH AUDIT_ARCH_S390X
#else
#    define ARCH 0 /* unknown here */
#endif

/* System calls that a processor, or the headers of Debian 12, do not have. */
#define MISSING (-1)
#ifndef SYS_kexec_file_load
#    define SYS_kexec_file_load MISSING
#endif
#ifndef SYS_accept
#    define SYS_accept MISSING
#endif
#ifndef SYS_umount
#    define SYS_umount MISSING
#endif
#ifndef SYS_truncate64
#    define SYS_truncate64 MISSING
#endif
#ifndef SYS_inotify_init
#    define SYS_inotify_init MISSING
#endif
#ifndef SYS_clock_settime64
#    define SYS_clock_settime64 MISSING
#endif
#ifndef SYS_mount_setattr
#    define SYS_mount_setattr 442
#endif
#ifndef SYS_quotactl_fd
#    define SYS_quotactl_fd 443
#endif

/*
 * The last system call of Linux 6.12. What later ones do is unknown here; without them, programs do
 * what they did before.
 */
#define LAST_KNOWN 462

/* The address sanitizer seeks leaks at the end, and traces its own process for that. */
#ifdef __has_feature /* of clang; gcc has a macro */
#    if __has_feature(address_sanitizer)
#        define SEEKS_LEAKS
#    endif
#elif defined __SANITIZE_ADDRESS__
#    define SEEKS_LEAKS
#endif

/* Refused with any arguments. */
static const int refused[] = {
    /* programs */
    SYS_execve,
    SYS_execveat,
#ifndef SEEKS_LEAKS
    SYS_ptrace,
#endif
    /* sockets, but for the pair below */
    SYS_socket,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    /* other processes */
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_kcmp,
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_sched_setaffinity,
    SYS_sched_setattr,
    SYS_sched_setparam,
    SYS_sched_setscheduler,
    SYS_migrate_pages,
    SYS_move_pages,
    /* memory and messages of other processes, which no folder holds */
    SYS_shmget,
    SYS_shmat,
    SYS_shmctl,
    SYS_semget,
    SYS_semctl,
    SYS_msgget,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_msgctl,
    SYS_mq_open,
    SYS_mq_unlink,
    /* mounts and roots */
    SYS_mount,
    SYS_umount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_setns,
    SYS_unshare,
    SYS_swapon,
    SYS_swapoff,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_acct,
    /* files past the rules of Landlock, or of its first versions */
    SYS_open_by_handle_at,
    SYS_fanotify_init,
    SYS_inotify_init,
    SYS_inotify_init1,
    SYS_truncate,
    SYS_truncate64,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    /* the kernel */
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_reboot,
    SYS_syslog,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_settime64,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_personality,
};

#define NEW_NAMESPACES                                                                             \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

/* The kernel takes the flags of clone(2) in another place there. */
#ifdef __s390x__
#    define CLONE_FLAGS 1
#else
#    define CLONE_FLAGS 0
#endif

/* A value that some bits of an argument have. */
struct argument {
    int number;     /* of the system call */
    unsigned place; /* 0 to 5; the low 32 bits count */
    uint32_t mask;
    uint32_t value;
};

/* Refused unless each of these holds. */
static const struct argument needed[] = {
    {SYS_clone, CLONE_FLAGS, NEW_NAMESPACES, 0},
    /* To the helper. A datagram could go to any other socket. */
    {SYS_socketpair, 0, ~0U, AF_UNIX},
    {SYS_socketpair, 1, ~0U, FS_HELPER_SOCKET},
    {SYS_kill, 1, ~0U, 0},      /* does a process exist? */
    {SYS_prlimit64, 0, ~0U, 0}, /* our own limits */
};

/* Refused if one of these holds. */
static const struct argument forbidden[] = {
    /* The kernel would send a signal of our choice to a process of our choice. */
    {SYS_fcntl, 1, ~0U, F_SETSIG},
    {SYS_fcntl, 1, ~0U, F_SETOWN},
    {SYS_fcntl, 1, ~0U, F_SETOWN_EX},
#ifdef SYS_fcntl64
    {SYS_fcntl64, 1, ~0U, F_SETSIG},
    {SYS_fcntl64, 1, ~0U, F_SETOWN},
    {SYS_fcntl64, 1, ~0U, F_SETOWN_EX},
#endif
    /* A shell would read what is put into its terminal. */
    {SYS_ioctl, 1, ~0U, TIOCSTI},
    {SYS_ioctl, 1, ~0U, TIOCLINUX},
/* The C library of some processors makes sockets by this call. */
#ifdef SYS_socketcall
    {SYS_socketcall, 0, ~0U, SYS_SOCKET},
    {SYS_socketcall, 0, ~0U, SYS_BIND},
    {SYS_socketcall, 0, ~0U, SYS_CONNECT},
    {SYS_socketcall, 0, ~0U, SYS_LISTEN},
    {SYS_socketcall, 0, ~0U, SYS_ACCEPT},
    {SYS_socketcall, 0, ~0U, SYS_ACCEPT4},
#endif
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Instructions of refuse(), of refuse_argument(), and around them. */
enum { REFUSAL = 2, ARGUMENT_REFUSAL = 6, AROUND = 12 };

/* A program for the kernel. An instruction that jumps says how many it passes over. */
struct program {
    struct sock_filter code[AROUND + REFUSAL * (1 + COUNT(refused)) +
                            ARGUMENT_REFUSAL * (1 + COUNT(needed) + COUNT(forbidden))];
    unsigned short len;
};

static void add(struct program *program, struct sock_filter instruction)
{
    program->code[program->len++] = instruction;
}

static void load(struct program *program, size_t offset)
{
    add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* Compare what was loaded, and pass over instructions if the outcome is so, or if it is not. */
static void compare(struct program *program, uint16_t how, uint32_t value, uint8_t skip_if,
                    uint8_t skip_if_not)
{
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | how | BPF_K, value, skip_if, skip_if_not));
}

static void answer(struct program *program, uint32_t action)
{
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void refuse(struct program *program, int number, int err)
{
    if (number == MISSING)
        return;
    compare(program, BPF_JEQ, (uint32_t)number, 0, 1);
    answer(program, SECCOMP_RET_ERRNO | (uint32_t)err);
}

/* Refuse a system call if an argument has a value, or if it has not. */
static void refuse_argument(struct program *program, const struct argument *argument, bool if_equal)
{
    const size_t low = __BYTE_ORDER == __LITTLE_ENDIAN ? 0 : sizeof(uint32_t);

    compare(program, BPF_JEQ, (uint32_t)argument->number, 0, 5);
    load(program, offsetof(struct seccomp_data, args[argument->place]) + low);
    add(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, argument->mask));
    compare(program, BPF_JEQ, argument->value, !if_equal, if_equal);
    answer(program, SECCOMP_RET_ERRNO | EPERM);
    load(program, offsetof(struct seccomp_data, nr));
}

/* Judge the processor, and leave the number loaded. */
static void begin(struct program *program)
{
    /* The numbers of another processor, such as i386 on x86_64, mean other calls. */
    load(program, offsetof(struct seccomp_data, arch));
    compare(program, BPF_JEQ, ARCH, 1, 0);
    answer(program, SECCOMP_RET_KILL_PROCESS);
    load(program, offsetof(struct seccomp_data, nr));
    compare(program, BPF_JGT, LAST_KNOWN, 0, 1);
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
}

int fs_filter_install(void)
{
    /* Landlock forbids signals to other processes since Linux 6.12 alone. */
    const struct argument own = {SYS_tgkill, 0, ~0U, (uint32_t)getpid()};
    struct program program = {.len = 0};

    if (ARCH == 0)
        return -ENOSYS;
    begin(&program);
    for (size_t i = 0; i < COUNT(refused); i++)
        refuse(&program, refused[i], EPERM);
    for (size_t i = 0; i < COUNT(needed); i++)
        refuse_argument(&program, &needed[i], false);
    for (size_t i = 0; i < COUNT(forbidden); i++)
        refuse_argument(&program, &forbidden[i], true);
    refuse_argument(&program, &own, false);
    /* The kernel cannot judge its flags, which are in memory. The C library then calls clone. */
    refuse(&program, SYS_clone3, ENOSYS);
    answer(&program, SECCOMP_RET_ALLOW);

    const struct sock_fprog argument = {program.len, program.code};
    /* There is no secret in memory that justifies slower code on kernels before 5.16. */
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                   &argument) < 0
               ? -errno
               : 0;
}
