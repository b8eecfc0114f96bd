/* SPDX-License-Identifier: MIT */
/*
 * Opening a file of a directory, and nothing else.
 */
#pragma once

#include <sys/types.h>

/*
 * Open a file by its name in a directory, as openat(2) does; but no name leads out of the
 * directory, or through a symlink. What is mounted on a name in it counts as in it.
 *
 *   dir_fd  of the directory
 *   name    a single name in it; "." for the directory itself
 *   flags   of open(2); O_CLOEXEC is added
 *   mode    of a new file, with O_CREAT or O_TMPFILE
 *
 * Returns a descriptor, or -1 with errno of openat2(2): ELOOP for a symlink, EXDEV for ".." and a
 * path.
 */
int open_beneath(int dir_fd, const char *name, int flags, mode_t mode);
