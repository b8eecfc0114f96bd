/*
 * Emptying: what opening with O_TRUNC, and truncate(2) to 0, do to a disk. Its content is
 * discarded, its size stays.
 *
 * As the size stays, the kernel would keep its pages. It is told to drop them, which must not be
 * done by a thread that serves it; so each emptying has a thread of its own, and is answered when
 * the pages are gone.
 */
#pragma once

#include "node.h"

struct fs_emptier;

/*
 *   fuse  the session whose kernel is told; outlives the emptier
 *
 * Returns NULL when memory is short.
 */
struct fs_emptier *fs_emptier_new(struct fuse_session *fuse);

/* Wait for all that are under way. NULL is allowed. */
void fs_emptier_free(struct fs_emptier *emptier);

/*
 * Answer that something which changes an open disk has failed with this errno, positive, when part
 * of it has been done: the kernel drops its pages only where all went well.
 */
void fs_fail_in_part(struct fs_emptier *emptier, const struct fs_handle *handle, fuse_req_t req,
                     int err);

/* Empty the disk of a node, and answer the request with its attributes, or why not. */
void fs_empty(struct fs_emptier *emptier, struct fs *fs, const struct fs_node *node,
              fuse_req_t req);
