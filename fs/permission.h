/*
 * What the caller of a request may do with files that the daemon opens in its place.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "fs.h"

/*
 * May the caller read a file of the store, by its owner, group and mode? The options uid=, gid= and
 * umask= stand in for these, as they do in the tree. The caller's supplementary groups count; root,
 * and the user that the daemon runs as, may always.
 */
bool fs_may_read(const struct fs *fs, fuse_req_t req, const struct stat *file);
