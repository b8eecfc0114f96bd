/*
 * The pid file: it is there as long as the daemon is, so a script can wait for its end.
 */
#pragma once

struct fs_pidfile;

/*
 * Make the file, before the daemon goes to the background and to another directory.
 *
 * Returns 0, or a negative errno.
 */
int fs_pidfile_open(const char *path, struct fs_pidfile **ret);

/* Write the calling process's id into it; what fails is logged. NULL is allowed, here and below. */
void fs_pidfile_write(struct fs_pidfile *pidfile);

/* Remove the file; what fails is logged. */
void fs_pidfile_remove(struct fs_pidfile *pidfile);

/* Release it; the file stays. */
void fs_pidfile_close(struct fs_pidfile *pidfile);
