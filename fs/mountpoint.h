/*
 * Where our mount is. It is known by its id, since a folder above it may be renamed and another may
 * be mounted over it. Nothing here asks anything of the file system that is mounted, which may not
 * have started yet, or be dead.
 */
#pragma once

/* The id of the mount on top of a path, or -1. */
int fs_mount_id(const char *path);

/* Where the mount of an id is now: a path to be freed, or NULL when there is no such mount. */
char *fs_mount_path(int id);

/*
 * Have the kernel read ahead so much of files in that mount, where we may tell it so; where not, it
 * reads less.
 */
void fs_mount_read_ahead(int id, unsigned kib);
