/* SPDX-License-Identifier: MIT */
/*
 * The place of our mount. An id identifies it, because a folder above it may be renamed and another
 * mount may cover it. Only fs_mount_is_dead() sends a request to the file system that is mounted:
 * it may not have started yet, or be dead.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A mount. The kernel gives its id to another mount later, but never its unique id. Linux has the
 * unique id since 6.8; before that, it is 0.
 */
struct fs_mount {
    int id; /* -1: none, or unknown */
    uint64_t unique_id;
};

/* The mount on top of a path; its id is -1 where the path cannot be opened. */
struct fs_mount fs_mount_of(const char *path);

/* Are both the same mount? If one lacks the unique id, the reusable ids decide. */
bool fs_mount_is(const struct fs_mount *mount, const struct fs_mount *other);

/*
 * The path of the mount with this id, to be freed; NULL when there is none. Another mount may have
 * the id by now, or cover it: compare with fs_mount_of() of the path.
 */
char *fs_mount_path(const struct fs_mount *mount);

/*
 * The store of a vhdfs that is mounted on exactly this path, to be freed; NULL when no vhdfs is on
 * top there. This reads the kernel's mount table alone.
 *
 *   path  absolute, without symlinks
 */
char *fs_mount_store(const char *path);

/*
 * Is a path on a dead mount? The kernel answers stat(2) of one from memory, but never statfs(2):
 * ENOTCONN once the connection is gone, ECONNABORTED for a request that it cuts off.
 */
bool fs_mount_is_dead(const char *path);

/* The mount point of the file system that holds a path, to be freed; NULL when it is unknown. */
char *fs_mount_above(const char *path);

/*
 * The mount that a descriptor of /dev/fuse serves. Its id is -1 where the kernel does not show it,
 * or the mount is not visible here.
 */
struct fs_mount fs_mount_of_fuse(int fd);

/*
 * Set how far the kernel reads ahead in files of the mount, in KiB. Without the right to set it,
 * the kernel reads less.
 */
void fs_mount_read_ahead(const struct fs_mount *mount, unsigned kib);

/* Does the kernel judge owners and modes in this mount (default_permissions)? */
bool fs_mount_is_guarded(const struct fs_mount *mount);

/*
 * Open the kernel's file that ends the connection of a mount. A write to it ends the connection,
 * and all requests that wait for the daemon fail. It stands for this connection alone, also after
 * the mount has left the mount table.
 *
 * Returns a descriptor to be closed, or -1 where we cannot open such a file.
 *
 * Source: Linux, Documentation/filesystems/fuse.rst, "Control filesystem".
 */
int fs_mount_open_abort(const struct fs_mount *mount);
