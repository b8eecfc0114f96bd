/*
 * A disk as the mount has it in use: one open disk for all files that are open of it, and what the
 * kernel may have in its page cache of them (page_cache.h).
 *
 * An open disk has one mode, direct or cached. The first raw file chooses it: O_WRONLY and O_DIRECT
 * choose direct, all else cached. It stays until the last raw file is closed, whoever joins. So the
 * kernel's pages are used by all programs or by none, and what one writes is what every one reads.
 *
 * Another program may replace or change the image while it is open here. A file that is opened
 * then gets a new open disk, of the image of that name. The files of the former one keep it until
 * they are closed, and as long as they may use the kernel's pages, the new one is direct.
 *
 * Every function may be called from any thread. A program that opens, closes or truncates a disk
 * waits for others that do so with the same disk. A look does not wait.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "disk/disk.h"
#include "tree/fs.h"

struct fs_disk;
struct fs_open_disk;

/* Which disk it is: its name of the moment, and the kernel's nodes of its files. */
struct fs_disk_ref {
    const char *name;
    uint64_t raw, fixed;
};

/* Returns NULL when memory is short. */
struct fs_disk *fs_disk_new(void);

/* Release a disk that no file is open of; NULL is allowed. */
void fs_disk_free(struct fs_disk *disk);

/* What a look at a disk finds. */
struct fs_disk_look {
    uint64_t size;          /* bytes of the disk; 0 where its image does not tell */
    struct stat attributes; /* of the image */
};

/*
 * Look at a disk, open or not.
 *
 *   name  the disk's name
 *
 * Returns 0, -ENOENT when there is no such disk, or another negative errno of fstat(2).
 */
int fs_disk_look(struct fs_disk *disk, struct fs *fs, const char *name, struct fs_disk_look *ret);

/*
 * Is the disk open, and its image another or changed since? While another thread opens or closes it
 * the answer is no: the open that follows a look confirms the image.
 *
 *   attributes  of the file that has the name now
 */
bool fs_disk_is_another(struct fs_disk *disk, const struct stat *attributes);

/* How a program opens a disk. */
struct fs_access {
    bool is_raw;    /* as raw, whose pages the kernel may keep; else as fixed.vhd, say */
    bool is_writer; /* for writing */
    bool is_direct; /* past the kernel's pages, if it is the first */
    bool is_mapper; /* so that a mapping may change the kernel's pages: O_RDWR */
};

/*
 * Open a disk, or join the one that is open.
 *
 * Waits for other threads that open, close or truncate the same disk.
 *
 * Returns VHD_OK, or with a sentence in *ret_why:
 *   VHD_IN_USE          another program has changed or replaced the image, which is open here; or
 *                       the kernel does not drop its pages within FS_INVALIDATE_MS
 *   VHD_NO_DESCRIPTORS  no thread can be started to have the kernel drop its pages
 *   as vhd_disk_open() and vhd_disk_make_writable() else
 */
enum vhd_result fs_disk_open(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref,
                             const struct fs_access *access, struct fs_open_disk **ret,
                             struct vhd_verdict *ret_why);

/*
 * Undo it; the last one closes the disk.
 *
 *   is_flushed  as fs_open_disk_set_flushed() was last told of this file
 */
void fs_disk_close(struct fs_disk *disk, const struct fs_disk_ref *ref, struct fs_open_disk *open,
                   const struct fs_access *access, bool is_flushed);

/* The disk to read and write; and its mode, of raw files. Both stay as long as it is open. */
struct vhd_disk *fs_open_disk_content(const struct fs_open_disk *open);
bool fs_open_disk_is_direct(const struct fs_open_disk *open);

/*
 * A raw file has been flushed, as close(2) does before its release comes, or is used again.
 */
void fs_open_disk_set_flushed(struct fs_disk *disk, struct fs_open_disk *open, bool is_flushed);

/*
 * The kernel is about to read into pages of a file that is in direct use.
 */
void fs_disk_add_stray(struct fs_disk *disk, bool is_fixed);

/*
 * The content has changed (is_fixed: and was flushed). Have the kernel drop strays of raw
 * (is_fixed: of fixed.vhd) before the change is answered. Costs nothing where there are none.
 */
void fs_disk_drop_strays(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref,
                         bool is_fixed);

/*
 * Discard the whole content, as truncation to 0 does. The kernel's pages go first; no file is
 * opened meanwhile.
 *
 *   asked  the open disk of the file that is truncated; NULL when it is asked by the path
 *
 * Returns as fs_disk_open(), VHD_IN_USE also when mappings keep the pages, or when the image is no
 * longer that of asked: then nothing has been discarded.
 */
enum vhd_result fs_disk_discard_all(struct fs_disk *disk, struct fs *fs,
                                    const struct fs_disk_ref *ref, const struct fs_open_disk *asked,
                                    struct vhd_verdict *ret_why);

/* A discard or a copy has failed half-way: the kernel drops the pages of what has changed. */
void fs_disk_drop_pages(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref);

/* Is it open for writing, and: so that a mapping may have more than was written? */
bool fs_disk_has_writer(struct fs_disk *disk);
bool fs_open_disk_has_mapper(struct fs_disk *disk, const struct fs_open_disk *open);

/* The disk, closed, has just been renamed by us: that has changed nothing. */
void fs_disk_renamed(struct fs_disk *disk, struct fs *fs, const char *new_name);

/*
 * Change owner or mode of the image, by a function: that is no change by others.
 *
 * Returns what change() returns: 0 or a negative errno.
 */
int fs_disk_change_attributes(struct fs_disk *disk, struct fs *fs, const char *name,
                              int (*change)(void *arg), void *arg);
