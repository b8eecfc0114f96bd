/* SPDX-License-Identifier: MIT */
/*
 * The operations that libfuse calls. Each resolves its node, calls the node's row, and replies.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

/* The operations; a session's user data is its struct fs. */
extern const struct fuse_lowlevel_ops fs_ops;
