/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int __real_fsync(int fd);
int __real_linkat(int old_dir, const char *old, int dir, const char *name, int flags);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_fsync(int fd);
int __wrap_linkat(int old_dir, const char *old, int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __real_open_beneath(int dir, const char *name, int flags, mode_t mode);
int __wrap_open_beneath(int dir, const char *name, int flags, mode_t mode);

static unsigned behaviour;
static const char *in_place;

/* Calls that are delayed and not done yet. */
static int late_sync_fd = -1;
static int late_unlink_dir = -1;
static char late_unlink_name[256];

void host_behave(unsigned wanted, const char *file)
{
    behaviour = wanted;
    in_place = file;
}

unsigned host_mutation(const char *name)
{
    static const struct {
        const char *name;
        unsigned behaviour;
    } mutations[] = {
        {"no-file-sync", HOST_NO_FILE_SYNC},
        {"late-file-sync", HOST_LATE_FILE_SYNC},
        {"no-folder-sync", HOST_NO_FOLDER_SYNC},
        {"no-parent-sync", HOST_NO_PARENT_SYNC},
        {"late-unlink", HOST_LATE_UNLINK},
        {"no-unlink", HOST_NO_UNLINK},
        {"in-place", HOST_IN_PLACE},
        {"no-first-sync", HOST_NO_FIRST_SYNC},
        {"no-second-sync", HOST_NO_SECOND_SYNC},
        {"no-third-sync", HOST_NO_THIRD_SYNC},
    };
    for (size_t i = 0; i < sizeof mutations / sizeof *mutations; i++) {
        if (strcmp(mutations[i].name, name) == 0)
            return mutations[i].behaviour;
    }
    return 0;
}

static bool behaves(unsigned wanted)
{
    return behaviour & wanted;
}

/* Is this the folder above a store? No other folder contains a "store". */
static bool is_parent(int fd)
{
    struct stat inside;
    return fstatat(fd, "store", &inside, 0) == 0;
}

static int sync_folder(int fd)
{
    static const unsigned left_out[] = {HOST_NO_FIRST_SYNC, HOST_NO_SECOND_SYNC,
                                        HOST_NO_THIRD_SYNC};
    static unsigned count;

    if (count < sizeof left_out / sizeof *left_out && behaves(left_out[count++]))
        return 0;
    if (behaves(HOST_NO_FOLDER_SYNC) || (behaves(HOST_NO_PARENT_SYNC) && is_parent(fd)))
        return 0;
    int result = __real_fsync(fd);
    if (result == 0 && late_unlink_dir >= 0) {
        result = __real_unlinkat(late_unlink_dir, late_unlink_name, 0);
        late_unlink_dir = -1;
    }
    return result;
}

int __wrap_fsync(int fd)
{
    struct stat attributes;

    if (behaviour == 0)
        return __real_fsync(fd);
    if (fstat(fd, &attributes) == 0 && S_ISDIR(attributes.st_mode))
        return sync_folder(fd);
    if (behaves(HOST_LATE_FILE_SYNC))
        late_sync_fd = fd;
    return behaves(HOST_NO_FILE_SYNC | HOST_LATE_FILE_SYNC) ? 0 : __real_fsync(fd);
}

int __wrap_linkat(int old_dir, const char *old, int dir, const char *name, int flags)
{
    if (behaves(HOST_LINKLESS)) {
        errno = EPERM;
        return -1;
    }
    int result = behaves(HOST_IN_PLACE) ? 0 : __real_linkat(old_dir, old, dir, name, flags);
    if (result == 0 && late_sync_fd >= 0)
        result = __real_fsync(late_sync_fd);
    return result;
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
    if (behaves(HOST_LATE_UNLINK)) {
        late_unlink_dir = dir;
        snprintf(late_unlink_name, sizeof late_unlink_name, "%s", name);
    }
    return behaves(HOST_NO_UNLINK | HOST_LATE_UNLINK) ? 0 : __real_unlinkat(dir, name, flags);
}

int __wrap_open_beneath(int dir, const char *name, int flags, mode_t mode)
{
    bool is_nameless = (flags & O_TMPFILE) == O_TMPFILE;

    if (is_nameless && behaves(HOST_LINKLESS)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (is_nameless && behaves(HOST_IN_PLACE)) {
        name = in_place;
        flags = (flags & ~O_TMPFILE) | O_CREAT | O_EXCL;
    }
    return __real_open_beneath(dir, name, flags, mode);
}
