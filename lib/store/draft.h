/* SPDX-License-Identifier: MIT */
/*
 * A draft: a file of a store that no reader sees until it is complete and durable. After a crash it
 * has no name, or the store's next owner sweeps it.
 *
 * A draft has no name where the file system has O_TMPFILE. Elsewhere its name begins with
 * VHD_DRAFT_PREFIX, and its lock tells a sweep that it is in use.
 */
#pragma once

#include <stdbool.h>

#include "store/store.h"

struct vhd_draft {
    int fd;        /* open for reading and writing; -1 for none */
    char name[64]; /* empty if it has no name */
};

/* A draft that is not open yet. */
#define VHD_DRAFT_NONE ((struct vhd_draft){.fd = -1})

/*
 * Begin a draft.
 *
 *   is_named  give it a name although the file system has O_TMPFILE: for tests
 *
 * Returns 0, or the negative errno of open(2), fcntl(2) or fstat(2): -EACCES, -EROFS, -ENOSPC, ...
 */
int vhd_draft_begin(const struct vhd_store *store, bool is_named, struct vhd_draft *ret);

/*
 * Begin the draft of a snapshot's child, always with a name. The image that the child is based on
 * gets a second name while the draft exists (verb/snapshot.h). After a crash the sweep removes
 * both, because the draft's name holds the inode number of that image, and its header the name.
 *
 *   fd  of that image
 *
 * Returns as vhd_draft_begin().
 */
int vhd_draft_begin_snapshot(const struct vhd_store *store, int fd, struct vhd_draft *ret);

/*
 * Take the draft's permissions from group and others that a mode does not let read.
 *
 *   mode  of a file whose content the draft may hold in part
 *
 * Returns 0, or the negative errno of fstat(2) or fchmod(2).
 */
int vhd_draft_limit_readers(const struct vhd_draft *draft, mode_t mode);

/*
 * Sync a draft, give it a name that no other file has, and sync the directory.
 *
 *   file  the name in the store
 *
 * Returns 0 when the file is durable under its name. After a failure the name is not ours, unless
 * its removal failed too:
 *   -EEXIST      a file of this name exists
 *   -EOPNOTSUPP  the file system can neither link nor rename without replacing
 *   another negative errno of fsync(2), linkat(2) or renameat2(2)
 */
int vhd_draft_publish(const struct vhd_store *store, struct vhd_draft *draft, const char *file);

/*
 * Give a draft the owner, group and permissions of the file that it will replace.
 *
 * Returns 0, or the negative errno of fstat(2), fchown(2) or fchmod(2): -EPERM where only another
 * user could do that.
 */
int vhd_draft_copy_attributes(const struct vhd_draft *draft, int fd);

/*
 * Sync a draft, give it the name of a file in place of that one, and sync the directory. A crash
 * leaves the old file or the whole draft under the name, and the next sweep removes the other.
 *
 *   file  the name in the store
 *   fd    the file that has the name: no other is replaced
 *
 * Returns 0 when the draft is durable under the name. After a failure the old file has the name,
 * unless only the last sync has failed:
 *   -ESTALE  another program has given the name to another file
 *   another negative errno of fsync(2), linkat(2), fstatat(2) or rename(2)
 */
int vhd_draft_replace(const struct vhd_store *store, struct vhd_draft *draft, const char *file,
                      int fd);

/*
 * Remove the file that vhd_draft_publish() has just published, unless another has its name now.
 *
 * Returns 0, or the negative errno of fstatat(2), unlink(2) or fsync(2): the file may still be
 * there.
 */
int vhd_draft_withdraw(const struct vhd_store *store, const struct vhd_draft *draft,
                       const char *file);

/* Close a draft, which deletes it if it was not published. VHD_DRAFT_NONE is allowed. */
void vhd_draft_end(const struct vhd_store *store, struct vhd_draft *draft);
