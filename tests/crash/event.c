/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "maker.h"

const char *event_name(enum event event)
{
    static const char *const names[EVENT_COUNT] = {
        [EVENT_OTHER] = "other",
        [EVENT_OPEN] = "open",
        [EVENT_MAKE_FOLDER] = "make-folder",
        [EVENT_SYNC_PARENT] = "sync-parent",
        [EVENT_CREATE] = "create",
        [EVENT_RESERVE] = "reserve",
        [EVENT_WRITE] = "write",
        [EVENT_SYNC_FILE] = "sync-file",
        [EVENT_LINK] = "link",
        [EVENT_RENAME] = "rename",
        [EVENT_UNLINK] = "unlink",
        [EVENT_SYNC_FOLDER] = "sync-folder",
        [EVENT_CLOSE] = "close",
        [EVENT_REPORT] = "report",
    };
    return names[event];
}

/* Classify an fsync by the file of its descriptor in the child. */
static enum event event_of_sync(const struct tracer_stop *stop, const struct maker *maker)
{
    char path[64];
    struct stat synced, folder;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)stop->pid, (int)stop->args[0]);
    if (stat(path, &synced) < 0)
        err(EXIT_BROKEN, "%s", path);
    if (!S_ISDIR(synced.st_mode))
        return EVENT_SYNC_FILE;
    bool is_store = stat(maker->folder, &folder) == 0 && folder.st_dev == synced.st_dev &&
                    folder.st_ino == synced.st_ino;
    return is_store ? EVENT_SYNC_FOLDER : EVENT_SYNC_PARENT;
}

static enum event event_of_open(uint64_t flags)
{
    return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? EVENT_CREATE : EVENT_OPEN;
}

/* The flags of openat2(2), which are in the child's memory. */
static uint64_t flags_of_openat2(const struct tracer_stop *stop)
{
    struct open_how how;
    const struct iovec here = {&how, sizeof how};
    const struct iovec there = {(void *)(uintptr_t)stop->args[2], sizeof how};

    if (process_vm_readv(stop->pid, &here, 1, &there, 1, 0) != sizeof how)
        err(EXIT_BROKEN, "cannot read the child's memory");
    return how.flags;
}

enum event event_of(const struct tracer_stop *stop, const struct maker *maker)
{
    switch (stop->call) {
    case SYS_openat:
        return event_of_open(stop->args[2]);
    case SYS_openat2:
        return event_of_open(flags_of_openat2(stop));
    case SYS_write:
        return (int)stop->args[0] == maker->report_fd ? EVENT_REPORT : EVENT_WRITE;
    case SYS_pwrite64:
    case SYS_pwritev:
    case SYS_pwritev2:
    case SYS_ftruncate:
        return EVENT_WRITE;
    case SYS_fallocate:
        return EVENT_RESERVE;
    case SYS_fsync:
    case SYS_fdatasync:
        return event_of_sync(stop, maker);
    case SYS_linkat:
        return EVENT_LINK;
    case SYS_renameat:
    case SYS_renameat2:
        return EVENT_RENAME;
    case SYS_unlinkat:
        return EVENT_UNLINK;
    case SYS_close:
        return EVENT_CLOSE;
    case SYS_mkdirat:
#ifdef SYS_mkdir
    case SYS_mkdir:
#endif
        return EVENT_MAKE_FOLDER;
#ifdef SYS_open
    case SYS_open:
        return event_of_open(stop->args[1]);
    case SYS_link:
        return EVENT_LINK;
    case SYS_rename:
        return EVENT_RENAME;
    case SYS_unlink:
        return EVENT_UNLINK;
#endif
    default:
        return EVENT_OTHER;
    }
}
