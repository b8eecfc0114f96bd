/*
 * The pid file. It exists as long as the daemon runs, so a script can wait for the daemon's end.
 */
#pragma once

struct fs_pidfile;

/*
 * Make or open the file, before the daemon goes to the background and to another directory. Its
 * content stays until fs_pidfile_write().
 *
 * Returns 0, -ENOMEM, or a negative errno of open(2) or realpath(3).
 */
int fs_pidfile_open(const char *path, struct fs_pidfile **ret);

/*
 * Write the id of the calling process. Another vhdfs with the same file may have removed it
 * meanwhile; then it is made again. A failure is logged. NULL is allowed, here and below.
 */
void fs_pidfile_write(struct fs_pidfile *pidfile);

/*
 * Remove the file, if we made or wrote it and it names no other process by now. A failure is
 * logged.
 */
void fs_pidfile_remove(struct fs_pidfile *pidfile);

/* Release it; the file stays. */
void fs_pidfile_close(struct fs_pidfile *pidfile);
