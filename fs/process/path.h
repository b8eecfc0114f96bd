/* SPDX-License-Identifier: MIT */
/*
 * Paths as a command line gives them.
 */
#pragma once

#include <stdbool.h>

/* The descriptor N of a path "/dev/fd/N"; -1 for any other path. */
int fs_path_fd(const char *path);

/* The same if N is above 2 and an open descriptor of /dev/fuse; else -1. */
int fs_path_fuse_fd(const char *path);

/*
 * The path without symlinks; its last component may be missing. A path that leads nowhere is only
 * made absolute: the code that opens it reports the fault.
 *
 * Returns a path to be freed; or NULL and errno: ENOENT when the current folder is gone, ENOMEM, or
 * another one of getcwd(3).
 */
char *fs_path_resolve(const char *path);

/* Is a path the other one, or below it? Both are absolute; symlinks are not followed. */
bool fs_path_is_inside(const char *inner, const char *outer);
