/*
 * The helper: a small process that does what the daemon cannot, or can no longer, do itself. It
 * detaches the mount when told, with the rights that the daemon has given up, and when the daemon
 * has died; and it removes the pid file at the end. It takes no paths from the daemon.
 */
#pragma once

#include <stdbool.h>

struct fs_helper;
struct fs_mount;
struct fs_pidfile;

/*
 * Fork the helper, before there are threads and before rights are given up.
 *
 *   mount          ours, whose connection ends with the daemon
 *   to_detach      the same; or none, where another made it and detaches it
 *   pidfile        to be removed at the end; NULL for none. It stays the caller's
 *   is_foreground  the helper may keep the standard streams
 *
 * Returns 0 or a negative errno.
 */
int fs_helper_start(const struct fs_mount *mount, const struct fs_mount *to_detach,
                    struct fs_pidfile *pidfile, bool is_foreground, struct fs_helper **ret);

/*
 * Have the mount detached, as umount -l does: nobody new gets in, and open files go on.
 *
 * A helper that has died is done without, as far as the daemon's own rights go.
 *
 * Returns 0, or a negative errno; why has been logged.
 */
int fs_helper_detach(struct fs_helper *helper);

/* The mount is gone: have the pid file removed, and let the helper go. */
void fs_helper_end(struct fs_helper *helper);
