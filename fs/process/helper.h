/* SPDX-License-Identifier: MIT */
/*
 * The helper: two small processes that keep the rights which the daemon gives up.
 *
 * The worker detaches the mount when the daemon asks for it or has died, and removes the pid file
 * at the end. It takes no paths from the daemon. It also starts mkfs.fat, which the daemon may not.
 * Each mkfs.fat has a process of its own between it and the worker, so several work at once and
 * delay nothing. The daemon sends the file as a descriptor, and numbers; mkfs.fat runs with the
 * daemon's rights.
 *
 * The watcher, a child of the daemon and the parent of the worker, hands the daemon's messages to
 * syslog. If the worker is killed, it starts another one. If the watcher is killed, only the log
 * ends: no later message arrives.
 */
#pragma once

#include <stdbool.h>

#include "operation/formatter.h"

struct fs_helper;
struct fs_user;
struct fs_mount;
struct fs_pidfile;

struct fs_helper_duties {
    const struct fs_mount *mount;     /* ours; its connection ends with the daemon */
    const struct fs_mount *to_detach; /* the same; or none, where its maker detaches it */
    const struct fs_user *user;       /* whose rights the daemon will have */
    struct fs_pidfile *pidfile;       /* removed at the end; NULL for none. It stays the caller's */
    int store_fd;       /* of the store's directory; only files beside it are formatted */
    bool is_read_only;  /* the store does not change */
    bool is_foreground; /* the helper keeps the standard streams */
};

/*
 * Fork the helper, before there are threads and before rights are given up.
 *
 *   duties  copied by the fork
 *
 * Returns 0, -ENOMEM, or a negative errno of fstat(2), socketpair(2) or fork(2).
 */
int fs_helper_start(const struct fs_helper_duties *duties, struct fs_helper **ret);

/* The socket for fs_log_to_syslog(). It is valid as long as the helper's handle. */
int fs_helper_log(const struct fs_helper *helper);

/*
 * Have the mount detached, as umount -l does: no program enters it any more, and open files go on.
 * Nothing happens to a mount that is gone.
 *
 * Returns 0; -ESRCH if both processes of the helper were killed; -ETIMEDOUT after five seconds, if
 * they do not run; or another negative errno, of umount2(2), with the cause in the log.
 */
int fs_helper_detach(struct fs_helper *helper);

/*
 * A formatter whose mkfs.fat is started by the helper. It is valid as long as the helper's handle.
 * A cancel or the daemon's death kills mkfs.fat.
 */
struct vhd_formatter fs_helper_formatter(struct fs_helper *helper);

/* Have the pid file removed, and wait for that, five seconds at most. The helper ends. */
void fs_helper_end(struct fs_helper *helper);
