/*
 * Where our mount is. It is known by its id, since a folder above it may be renamed and another may
 * be mounted over it. Only fs_mount_is_dead() asks anything of the file system that is mounted,
 * which may not have started yet, or be dead.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A mount. Its id is given to another once it is gone; the unique one never is, but Linux has that
 * since 6.8 only: it is 0 before.
 */
struct fs_mount {
    int id; /* -1: none, or it could not be told */
    uint64_t unique_id;
};

/* The mount on top of a path. */
struct fs_mount fs_mount_of(const char *path);

bool fs_mount_is(const struct fs_mount *mount, const struct fs_mount *other);

/*
 * Where the mount of this id is now: a path to be freed, or NULL when there is none. Whether it is
 * the same mount, and on top there, fs_mount_of() tells.
 */
char *fs_mount_path(const struct fs_mount *mount);

/*
 * The store that a vhdfs mounted on exactly this path shows, to be freed; NULL when no vhdfs is on
 * top there. Only the kernel's mount table is asked.
 *
 *   path  absolute, without symlinks
 */
char *fs_mount_store(const char *path);

/*
 * Is a path on a dead mount? The kernel answers stat(2) of one from memory, but never statfs(2):
 * ENOTCONN once the connection is gone, ECONNABORTED for a request that it cuts off.
 */
bool fs_mount_is_dead(const char *path);

/* Where the file system that holds a path is mounted, to be freed; NULL when nobody knows. */
char *fs_mount_above(const char *path);

/*
 * The mount that a descriptor of /dev/fuse serves. Its id is -1 where the kernel does not tell, or
 * where the mount is not visible here.
 */
struct fs_mount fs_mount_of_fuse(int fd);

/*
 * Have the kernel read ahead so much of files in that mount, where we may tell it so; where not, it
 * reads less.
 */
void fs_mount_read_ahead(const struct fs_mount *mount, unsigned kib);

/* Does the kernel judge owners and modes in this mount (default_permissions)? */
bool fs_mount_is_guarded(const struct fs_mount *mount);

/*
 * Open the kernel's file that ends the connection of a mount when something is written to it: all
 * that waits for its daemon is answered with an error then. It goes on standing for this connection
 * alone, also when the mount has left the mount table.
 *
 * Returns a descriptor to be closed, or -1 where there is no such file for us.
 *
 * Source: Linux, Documentation/filesystems/fuse.rst, "Control filesystem".
 */
int fs_mount_open_abort(const struct fs_mount *mount);
