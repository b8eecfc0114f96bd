/* SPDX-License-Identifier: MIT */
/*
 * A disk in use: one open disk for all its open files, and the state of the kernel's pages of them
 * (page_cache.h).
 *
 * The first raw file of an open disk chooses its mode, direct or cached, until the last raw file is
 * closed. Another program may replace or change the image while it is open here. Then later files
 * get a new open disk, and the files of the former one keep it. See fs/README.md, "The I/O mode of
 * an open disk" and "Replaced images".
 *
 * Every function may be called from any thread. An open, a close or a truncation waits for others
 * of the same disk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "tree/fs.h"

struct fs_disk;
struct fs_open_disk;

/* A disk: its present name, and the node ids of its files. */
struct fs_disk_ref {
    const char *name;
    uint64_t raw, fixed;
};

/* Make a disk that is not open. Returns NULL when memory is short. */
struct fs_disk *fs_disk_new(void);

/* Release a disk that no file is open of; NULL is allowed. */
void fs_disk_free(struct fs_disk *disk);

/* How a program opens a disk. */
struct fs_access {
    bool is_raw;    /* as raw, whose pages the kernel may keep; else as fixed.vhd, say */
    bool is_writer; /* for writing */
    bool is_direct; /* it chooses the direct mode, if it is the first */
    bool is_mapper; /* O_RDWR: a mapping may change the kernel's pages */
};

/*
 * Open a disk, or join the one that is open.
 *
 * Waits for other threads that open, close or truncate the same disk.
 *
 * Returns VHD_OK, or with a sentence in *ret_why:
 *   VHD_IN_USE          another program has changed or replaced the image, which is open here; or
 *                       the kernel does not drop its pages within FS_INVALIDATE_MS
 *   VHD_NO_DESCRIPTORS  no thread, or no memory, to have the kernel drop its pages
 *   others              as vhd_disk_open() and vhd_disk_make_writable()
 */
enum vhd_result fs_disk_open(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref,
                             const struct fs_access *access, struct fs_open_disk **ret,
                             struct vhd_verdict *ret_why);

/*
 * Undo fs_disk_open(). The last file closes the disk.
 *
 *   is_flushed  the last that fs_open_disk_set_flushed() got for this file
 */
void fs_disk_close(struct fs_disk *disk, const struct fs_disk_ref *ref, struct fs_open_disk *open,
                   const struct fs_access *access, bool is_flushed);

/* Note the negative errno of a failed write; and take the last one noted since, or 0. */
void fs_open_disk_note_failure(struct fs_open_disk *open, int err);
int fs_open_disk_take_failure(struct fs_open_disk *open);

/* The disk to read and write, and the mode of its raw files. Both stay while the file is open. */
struct vhd_disk *fs_open_disk_content(const struct fs_open_disk *open);
bool fs_open_disk_is_direct(const struct fs_open_disk *open);

/* Note that a raw file was flushed, as close(2) does before RELEASE arrives; or is used again. */
void fs_open_disk_set_flushed(struct fs_disk *disk, struct fs_open_disk *open, bool is_flushed);

/* Note that the kernel is about to read into pages of a file in direct mode. */
void fs_disk_add_stray(struct fs_disk *disk, bool is_fixed);

/*
 * Have the kernel drop strays of raw after a change of the content, or (is_fixed) those of
 * fixed.vhd after a flush. Call it before the reply. It costs nothing where there are none.
 */
void fs_disk_drop_strays(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref,
                         bool is_fixed);

/*
 * Discard the whole content, as truncation to 0 does. The kernel drops its pages first, and no file
 * is opened meanwhile.
 *
 *   asked  the open disk of the file that is truncated; NULL when the caller gave a path
 *
 * Returns as fs_disk_open(), or with the errno of vhd_disk_discard(). VHD_IN_USE also means that
 * mappings keep the pages, or the image is no longer that of asked; nothing was discarded then.
 */
enum vhd_result fs_disk_discard_all(struct fs_disk *disk, struct fs *fs,
                                    const struct fs_disk_ref *ref, const struct fs_open_disk *asked,
                                    struct vhd_verdict *ret_why);

/* Have the kernel drop its pages of raw, after a discard or a copy that has failed part-way. */
void fs_disk_drop_pages(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref);

/* Is a file open so that a mapping may hold data of its own? */
bool fs_open_disk_has_mapper(struct fs_disk *disk, const struct fs_open_disk *open);
