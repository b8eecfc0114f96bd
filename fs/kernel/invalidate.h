/*
 * Having the kernel drop its pages of a file.
 *
 * The kernel waits then for pages that others hold: a page that is being read in until the read is
 * answered, a page that a mapping has changed until it has been written. So no thread asks for it
 * that others may need for those answers: each request has a thread of its own, and whoever waits
 * for it waits for a time.
 *
 * A page that a mapping has changed during a truncation is not written before the truncation is
 * answered. The thread hangs until then and cannot be killed. It has a table of descriptors of its
 * own, which holds the connection to the kernel and nothing else: so the death of all other
 * threads still closes the pipe to the helper, which ends the connection.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <stdbool.h>

struct fs_invalidator;

/*
 *   fuse  the session whose kernel is asked; outlives the invalidator
 *
 * Returns NULL when memory is short.
 */
struct fs_invalidator *fs_invalidator_new(struct fuse_session *fuse);

/* Wait for all that are under way. NULL is allowed. */
void fs_invalidator_free(struct fs_invalidator *invalidator);

/* How long the kernel may take to drop its pages. */
enum { FS_INVALIDATE_MS = 2000 };

/*
 * Have the kernel drop all pages and attributes of a node.
 *
 *   id  the kernel's; one that it does not know has no pages
 *
 * Returns 0; -ETIMEDOUT after FS_INVALIDATE_MS: the kernel may still do it later; -ENOMEM; or the
 * negative errno of pthread_create(3).
 */
int fs_invalidate(struct fs_invalidator *invalidator, fuse_ino_t id);
