/* SPDX-License-Identifier: MIT */
/*
 * Truncation of raw. The disk keeps its size, whatever a program asks for.
 */
#pragma once

#include "tree/handle.h"
#include "tree/node.h"

/*
 * Truncate raw, and reply. To 0: the content is discarded. To a size from which on all reads as
 * zeros: nothing happens. To any other size: a refusal.
 *
 *   handle  the open file that is truncated; NULL when the caller gave a path
 */
void fs_raw_truncate(struct fs *fs, const struct fs_node *node, fuse_req_t req, off_t size,
                     struct fs_handle *handle);
