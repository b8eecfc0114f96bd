/* SPDX-License-Identifier: MIT */
#include "tracer.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS_MAX = 16 };

/* The present call of each thread, because the stop after a call does not name it. */
struct threads {
    int count;
    struct thread {
        pid_t tid;
        struct tracer_stop at;
    } list[THREADS_MAX];
};

static struct thread *thread_of(struct threads *threads, pid_t tid)
{
    for (int i = 0; i < threads->count; i++) {
        if (threads->list[i].tid == tid)
            return &threads->list[i];
    }
    if (threads->count == THREADS_MAX)
        errx(EXIT_BROKEN, "more than %d threads", THREADS_MAX);
    threads->list[threads->count] = (struct thread){.tid = tid};
    return &threads->list[threads->count++];
}

static void skip(const char *why)
{
    printf("SKIPPED: %s\n", why);
    exit(EXIT_SKIPPED);
}

static pid_t start(int (*child)(void *arg), void *child_arg)
{
    int status;

    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        err(EXIT_BROKEN, "fork");
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(EXIT_SKIPPED);
        raise(SIGSTOP); /* visits begin after this stop */
        _exit(child(child_arg));
    }
    if (waitpid(pid, &status, __WALL) < 0)
        err(EXIT_BROKEN, "waitpid");
    if (!WIFSTOPPED(status))
        skip("this host does not allow tracing");
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL, options) < 0)
        err(EXIT_BROKEN, "PTRACE_SETOPTIONS");
    return pid;
}

/* Let a thread continue. It may be gone, if another thread has ended the process. */
static void resume(pid_t tid, int signal)
{
    if (ptrace(PTRACE_SYSCALL, tid, NULL, (long)signal) < 0 && errno != ESRCH)
        err(EXIT_BROKEN, "PTRACE_SYSCALL");
}

/* The signal to deliver; none for stops that the tracer itself causes, such as a new thread's. */
static int signal_of(int status)
{
    int signal = WSTOPSIG(status);
    return status >> 16 != 0 || signal == SIGSTOP ? 0 : signal;
}

/* Fill in the stop of a thread. Returns false if the thread is gone. */
static bool read_stop(struct thread *thread, pid_t pid)
{
    struct __ptrace_syscall_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof info, &info) < 0) {
        if (errno == ESRCH)
            return false;
        if (errno == EIO)
            skip("this kernel does not tell a system call's arguments, as Linux 5.3 does");
        err(EXIT_BROKEN, "PTRACE_GET_SYSCALL_INFO");
    }
    thread->at.pid = pid;
    thread->at.is_entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    thread->at.result = 0;
    if (thread->at.is_entry) {
        thread->at.call = info.entry.nr;
        memcpy(thread->at.args, info.entry.args, sizeof thread->at.args);
    } else {
        thread->at.result = info.exit.rval;
    }
    return true;
}

/* Kill the child with all its threads. */
static void cut(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(-1, NULL, __WALL) >= 0 || errno == EINTR)
        continue;
}

bool tracer_run(int (*child)(void *arg), void *child_arg, tracer_visit *visit, void *visit_arg)
{
    struct threads threads = {.count = 0};
    pid_t pid = start(child, child_arg);

    resume(pid, 0);
    for (;;) {
        int status;
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0)
            err(EXIT_BROKEN, "waitpid");
        if (!WIFSTOPPED(status)) {
            if (tid != pid)
                continue;
            if (status != 0)
                errx(EXIT_BROKEN, "the child ended with wait status 0x%x", (unsigned)status);
            return true;
        }
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            resume(tid, signal_of(status));
            continue;
        }
        struct thread *thread = thread_of(&threads, tid);
        if (read_stop(thread, pid) && !visit(visit_arg, &thread->at)) {
            cut(pid);
            return false;
        }
        resume(tid, 0);
    }
}
