/*
 * The pid file: it is there as long as the daemon is, so a script can wait for its end.
 */
#pragma once

struct fs_pidfile;

/*
 * Make or open the file, before the daemon goes to the background and to another directory. What
 * is in it stays until it is written.
 *
 * Returns 0, or a negative errno of open(2).
 */
int fs_pidfile_open(const char *path, struct fs_pidfile **ret);

/*
 * Write the calling process's id into it, and make it again if another vhdfs, which used the same
 * file, has removed it since. A failure is logged. NULL is allowed, here and below.
 */
void fs_pidfile_write(struct fs_pidfile *pidfile);

/*
 * Remove the file, if it has been made or written here and names no other process by now. A failure
 * is logged.
 */
void fs_pidfile_remove(struct fs_pidfile *pidfile);

/* Release it; the file stays. */
void fs_pidfile_close(struct fs_pidfile *pidfile);
