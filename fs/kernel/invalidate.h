/* SPDX-License-Identifier: MIT */
/*
 * Invalidation: the kernel drops its pages of a file.
 *
 * The kernel first waits for pages in use: for the reply to a read that fills a page, or for the
 * write of a page that a mapping has changed. Those replies may need the threads that serve. So
 * each invalidation has a thread of its own, and its caller waits for it only for a time.
 *
 * The kernel writes a page that a mapping has changed during a truncation only after the reply to
 * the truncation. The thread hangs until then and cannot be killed. It has a descriptor table of
 * its own, with the connection to the kernel alone. So the death of all other threads still closes
 * the socket to the helper, which then ends the connection.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <stdbool.h>

struct fs_invalidator;

/*
 * Make an invalidator.
 *
 *   fuse  the session; it outlives the invalidator
 *
 * Returns NULL when memory is short.
 */
struct fs_invalidator *fs_invalidator_new(struct fuse_session *fuse);

/* Wait for all invalidations under way, and release it. NULL is allowed. */
void fs_invalidator_free(struct fs_invalidator *invalidator);

/*
 * Have the kernel drop all pages and attributes of a node. It first sends the pages that a mapping
 * has changed, and waits for each reply.
 *
 *   id    the node's; a node that the kernel does not know has no pages
 *   size  bytes of the file, about
 *   ms    how long to wait while the kernel makes no progress; a large cache may take longer
 *
 * Returns 0; -ETIMEDOUT after that time, when the kernel may still do it later; -ENOMEM; or
 * the negative errno of pthread_create(3).
 */
int fs_invalidate(struct fs_invalidator *invalidator, fuse_ino_t id, uint64_t size, int ms);
