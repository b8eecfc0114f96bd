/*
 * Why mounting fails, in words that say what to do. libfuse and fusermount3 say what they tried.
 */
#pragma once

struct fs_options;

/*
 * Can /dev/fuse be opened? Tells on stderr why not.
 *
 * Returns 0, or the negative errno of open(2).
 */
int fs_explain_device(void);

/* Tell on stderr why libfuse could not mount, as far as it can be found out now. */
void fs_explain_mount(const struct fs_options *options);

/*
 * Tell on stderr that a path cannot be used.
 *
 *   doing  "mount on", "use the store"
 *   err    negative errno; -ENOTCONN means a dead mount, which is named
 */
void fs_explain_path(const char *doing, const char *path, int err);
