/*
 * A draft: a file of a store that no reader sees until it is complete and durable. Killed or cut
 * off at any moment, it either is not there or is swept by the store's next owner.
 *
 * Where the file system can (O_TMPFILE), a draft has no name at all; elsewhere it has one that
 * begins with VHD_DRAFT_PREFIX, and its lock says that somebody is at work on it.
 */
#pragma once

#include <stdbool.h>

#include "store/store.h"

struct vhd_draft {
    int fd;        /* open for reading and writing; -1 when there is none */
    char name[64]; /* empty where it has none */
};

/* A draft that is not open yet. */
#define VHD_DRAFT_NONE ((struct vhd_draft){.fd = -1})

/*
 * Begin a draft.
 *
 *   is_named  give it a name although the file system could do without: for tests
 *
 * Returns 0, or the negative errno of open(2): -EACCES, -EROFS, -ENOSPC, ...
 */
int vhd_draft_begin(const struct vhd_store *store, bool is_named, struct vhd_draft *ret);

/*
 * Make what has been written durable, give it its name, never in place of another, and make that
 * durable too.
 *
 *   file  the name in the store
 *
 * Returns 0: it is there, whole, whatever happens next. Or, and then nothing is there:
 *   -EEXIST      there is such a file already
 *   -EOPNOTSUPP  the file system can neither link nor rename without replacing
 *   another negative errno of fsync(2), linkat(2) or renameat2(2)
 */
int vhd_draft_publish(const struct vhd_store *store, struct vhd_draft *draft, const char *file);

/*
 * Take back what vhd_draft_publish() has just published, if it is still that file.
 *
 * Returns 0, or the negative errno of unlink(2) or fsync(2): the file may then still be there.
 */
int vhd_draft_withdraw(const struct vhd_store *store, const struct vhd_draft *draft,
                       const char *file);

/* Close a draft; one that was not published is gone. A draft that is none is allowed. */
void vhd_draft_end(const struct vhd_store *store, struct vhd_draft *draft);
