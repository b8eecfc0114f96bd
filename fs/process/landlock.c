/* SPDX-License-Identifier: MIT */
#include "process/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Debian 12's header has ABI 2. These are of later ones. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#    define LANDLOCK_ACCESS_FS_TRUNCATE (UINT64_C(1) << 14) /* ABI 3 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#    define LANDLOCK_ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#    define LANDLOCK_ACCESS_NET_BIND_TCP    (UINT64_C(1) << 0) /* ABI 4 */
#    define LANDLOCK_ACCESS_NET_CONNECT_TCP (UINT64_C(1) << 1)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#    define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0) /* ABI 6 */
#    define LANDLOCK_SCOPE_SIGNAL               (UINT64_C(1) << 1)
#endif

/* struct landlock_ruleset_attr as of ABI 6. An older kernel takes its beginning. */
struct ruleset {
    uint64_t access_fs;
    uint64_t access_net;
    uint64_t scoped;
};

/* What each ABI can forbid; a rule gives some of it back. */
static struct ruleset ruleset_of(int abi)
{
    struct ruleset ruleset = {.access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};

    if (abi >= 2)
        ruleset.access_fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        ruleset.access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= 4)
        ruleset.access_net = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
    if (abi >= 5)
        ruleset.access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    if (abi >= 6)
        ruleset.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
    return ruleset;
}

static size_t ruleset_size(int abi)
{
    return abi >= 6   ? sizeof(struct ruleset)
           : abi >= 4 ? offsetof(struct ruleset, scoped)
                      : offsetof(struct ruleset, access_net);
}

/* Returns 0 or a negative errno of landlock_add_rule(2). */
static int allow_below(int ruleset_fd, int folder_fd, uint64_t access)
{
    const struct landlock_path_beneath_attr rule = {access, folder_fd};

    return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
               ? -errno
               : 0;
}

int fs_landlock_restrict(int store_fd, bool is_read_only)
{
    const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |
                             LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;

    const int abi =
        (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0)
        return -errno;
    const struct ruleset ruleset = ruleset_of(abi);
    AUTO_CLOSE int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, ruleset_size(abi), 0);
    if (fd < 0)
        return -errno;
    int err =
        allow_below(fd, store_fd, (reading | (is_read_only ? 0 : writing)) & ruleset.access_fs);
    if (err < 0)
        return err;
    /* A process without /proc works without the callers' signals and groups. */
    AUTO_CLOSE int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc >= 0)
        err = allow_below(fd, proc, reading);
    if (err < 0)
        return err;
    return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : abi;
}
