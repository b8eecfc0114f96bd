/* SPDX-License-Identifier: MIT */
/*
 * The helper: a small process that keeps the rights which the daemon gives up. It detaches the
 * mount when the daemon asks for it or has died, and removes the pid file at the end. It takes no
 * paths from the daemon.
 */
#pragma once

#include <stdbool.h>

struct fs_helper;
struct fs_mount;
struct fs_pidfile;

/*
 * Fork the helper, before there are threads and before rights are given up.
 *
 *   mount          ours; its connection ends with the daemon
 *   to_detach      the same; or none (id -1), where the program that made it detaches it
 *   pidfile        removed at the end; NULL for none. It stays the caller's
 *   is_foreground  the helper keeps the standard streams
 *
 * Returns 0, -ENOMEM, or the negative errno of socketpair(2) or fork(2).
 */
int fs_helper_start(const struct fs_mount *mount, const struct fs_mount *to_detach,
                    struct fs_pidfile *pidfile, bool is_foreground, struct fs_helper **ret);

/*
 * Have the mount detached, as umount -l does: no program enters it any more, and open files go on.
 * If the helper has died, the daemon detaches it, as far as its own rights go.
 *
 * Returns 0, or a negative errno, with the cause in the log.
 */
int fs_helper_detach(struct fs_helper *helper);

/* Have the pid file removed, and wait for the helper's end. The mount is gone by then. */
void fs_helper_end(struct fs_helper *helper);
