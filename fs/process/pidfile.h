/* SPDX-License-Identifier: MIT */
/*
 * The pid file. The daemon removes it at its end, so a script can wait for that.
 */
#pragma once

struct fs_pidfile;

/*
 * Make the file, or open one that is there. fs_pidfile_write() replaces its content, so a start
 * that fails leaves an older file as it was.
 *
 *   path  relative or absolute; kept as an absolute one, because the daemon changes its directory
 *   ret   receives the file, to be released by fs_pidfile_close(); only on success
 *
 * Returns 0, -ENOMEM, or a negative errno of open(2) or fs_path_resolve().
 */
int fs_pidfile_open(const char *path, struct fs_pidfile **ret);

/*
 * Write the id of the calling process. Another vhdfs with the same file may have removed it
 * meanwhile; then it is made again. A failure is logged. NULL is allowed, here and below.
 */
void fs_pidfile_write(struct fs_pidfile *pidfile);

/*
 * Close the file after it is written. A daemon that was taken over could change it otherwise, and
 * the administrator would kill what it names. The helper removes it by its path.
 */
void fs_pidfile_close_file(struct fs_pidfile *pidfile);

/*
 * Remove the file, if we made or wrote it and it names no other process by now. A failure is
 * logged.
 */
void fs_pidfile_remove(struct fs_pidfile *pidfile);

/* Release it; the file stays. */
void fs_pidfile_close(struct fs_pidfile *pidfile);
