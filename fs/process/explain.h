/* SPDX-License-Identifier: MIT */
/*
 * Messages for a mount that fails: the cause, and what to do. libfuse and fusermount3 only name the
 * call that failed.
 */
#pragma once

struct fs_options;

/*
 * Can /dev/fuse be opened? If not, prints the cause on stderr.
 *
 * Returns 0, or the negative errno of open(2).
 */
int fs_explain_device(void);

/* Print on stderr why libfuse could not mount, as far as the cause still shows. */
void fs_explain_mount(const struct fs_options *options);

/*
 * Print on stderr that a path cannot be used.
 *
 *   doing  "mount on", "use the store"
 *   err    negative errno; for -ENOTCONN the message names the dead mount
 */
void fs_explain_path(const char *doing, const char *path, int err);
