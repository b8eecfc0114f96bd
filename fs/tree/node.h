/* SPDX-License-Identifier: MIT */
/*
 * The tree as rows: one constant row (files/rows.c) for each kind of file, which points at its
 * functions. Lookup, getattr and readdir are one loop over the rows. See fs/README.md.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "tree/fs.h"
#include "tree/entries.h"
#include "tree/text.h"

/* The kind of a row: 8 bits of an inode number. Some numbers have no row. */
enum fs_kind {
    FS_NOTHING = 0,
    FS_ROOT = 1, /* as FUSE numbers it */
    FS_NEW,
    FS_TASKS,
    FS_DISKS,
    FS_ERRORS,
    FS_VERSION,
    FS_REQUEST, /* new/NAME */
    FS_TASK,    /* tasks/NAME/ */
    FS_TASK_ALIAS,
    FS_TASK_STATUS,
    FS_TASK_STATUS_JSON,
    FS_TASK_STATE,
    FS_TASK_PERCENT,
    FS_TASK_RESULT,
    FS_TASK_ERRNO,
    FS_TASK_ERROR,
    FS_TASK_ID,
    FS_TASK_OPERATION,
    FS_TASK_CANCELABLE,
    FS_TASK_DESCRIPTION,
    FS_TASK_STARTED,
    FS_TASK_FINISHED,
    FS_TASK_WAIT,
    FS_TASK_CANCEL,
    FS_TASK_PROGRESS,
    FS_TASK_RATE,
    FS_TASK_LEFT,
    FS_EVENTS,
    FS_TASK_REPORT,

    /* Files of a disk. Never renumber them: backups remember st_ino, which has the kind (ino.h). */
    FS_DISK = 128, /* disks/NAME/ */
    FS_DISK_ALIAS,
    FS_DISK_RAW,
    FS_DISK_FIXED,
    FS_DISK_INFO,
    FS_DISK_INFO_JSON,
    FS_DISK_SIZE,
    FS_DISK_TYPE,
    FS_DISK_UUID,
    FS_DISK_PARENT,
    FS_DISK_GEOMETRY,
    FS_DISK_USED,
    FS_DISK_PATH,
    FS_DISK_TASK,
    FS_DISK_CTL,
    FS_KIND_COUNT,
};

/* One file of the tree: its row, and its entry. */
struct fs_node {
    const struct fs_row *row;
    struct fs_entry *entry; /* referenced; NULL in the fixed part */
};

/* Attributes of a file that its row knows. */
struct fs_attributes {
    struct timespec changed; /* the time of its last change */
    off_t size;
    blkcnt_t blocks; /* of 512 bytes: the space that its content takes */
};

/* The data of one write(2). */
struct fs_data {
    const char *bytes;
    size_t len;
    off_t off;
    bool is_sync; /* it must be durable before the reply */
};

/* The listing of a folder (folder.h). */
struct fs_listing;
struct fs_handle;

/* The functions of a row. Where one is absent, the operation is refused, unless noted below. */
struct fs_row_ops {
    /*
     * Find the time of the last change. Absent: the file exists, unchanged since the mount.
     * Returns 0, -ENOENT when the file does not exist, or another negative errno.
     */
    int (*changed)(struct fs *fs, const struct fs_node *node, struct timespec *ret);

    /* The same with size and blocks, for files that are no texts. *ret comes with fs->started. */
    int (*attributes)(struct fs *fs, const struct fs_node *node, struct fs_attributes *ret);

    /* Folders: find the child that stands for a NAME. Returns as fs_node_find(). */
    int (*find)(struct fs *fs, const char *name, struct fs_node *ret);

    /* Folders: add the NAMEs to a listing. Returns 0 or a negative errno. */
    int (*list)(struct fs *fs, struct fs_listing *listing);

    /* Folders: make the file of this name, which is opened for writing next. Returns as find(). */
    int (*create)(struct fs *fs, const char *name, struct fs_node *ret);

    /*
     * Folders: remove the child of this name, a folder or a file. The caller notes a refusal.
     *
     *   pid  the process that asks
     */
    enum vhd_result (*rmdir)(struct fs *fs, const char *name, pid_t pid, struct vhd_verdict *ret);
    enum vhd_result (*unlink)(struct fs *fs, const struct fs_node *folder, const char *name,
                              pid_t pid, struct vhd_verdict *ret);

    /* Folders: give a child another name in the same folder. Never replaces another. */
    enum vhd_result (*rename)(struct fs *fs, const char *name, const char *new_name,
                              struct vhd_verdict *ret);

    /* Texts and symlinks: print the text. Returns 0, or -ENOENT when it is gone. */
    int (*show)(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret_changed);

    /* Does its folder list it now? Absent: always. */
    bool (*is_listed)(struct fs *fs, const struct fs_node *folder);

    /* Files: judge an open, and set the handle's open_flags. Returns 0 or a negative errno. close()
     * undoes it. Absent: the file opens as a text. */
    int (*open)(struct fs_handle *handle);
    void (*close)(struct fs_handle *handle);

    /*
     * Requests of an open file: each function replies, now or later. Absent: reads and seeks use
     * the text, writes and allocations are refused, flush and fsync succeed at once.
     */
    void (*read)(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off);
    void (*page_read)(struct fs_handle *handle); /* before a read() into the kernel's pages */
    void (*write)(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data);
    void (*flush)(struct fs_handle *handle, fuse_req_t req);
    void (*fsync)(struct fs_handle *handle, fuse_req_t req);
    void (*seek)(struct fs_handle *handle, fuse_req_t req, off_t off, int whence);
    void (*allocate)(struct fs_handle *handle, fuse_req_t req, int mode, off_t off, off_t len);

    /* Copy from one file to another of the same row. */
    void (*copy)(struct fs_handle *source, off_t source_off, struct fs_handle *target,
                 off_t target_off, size_t len, fuse_req_t req);

    /*
     * Writable files: truncate, and reply. Absent: it succeeds and does nothing.
     *
     *   handle  the open file that is truncated; NULL when the caller gave a path
     */
    void (*truncate)(struct fs *fs, const struct fs_node *node, fuse_req_t req, off_t size,
                     struct fs_handle *handle);

    /*
     * Each lookup gives the kernel a new node. The kernel locks a node during a write or an fsync,
     * which here may take long. Another program that found the same node, to remove it, say, would
     * hang, and with it all that wait for its locks.
     */
    bool new_node_per_lookup;
};

struct fs_row {
    const char *name; /* NULL: it stands for each NAME that the parent's find() accepts */
    enum fs_kind parent;
    mode_t mode; /* type and permissions */
    const struct fs_row_ops *ops;
    const struct fs_field *field; /* rows that show one value */
};

/* All rows, by their kind. */
extern const struct fs_row fs_rows[FS_KIND_COUNT];

/* The row of a kind, NULL when there is none; and the kind of a row. */
const struct fs_row *fs_row(enum fs_kind kind);
enum fs_kind fs_row_kind(const struct fs_row *row);

/*
 * How long the kernel may keep a name of this row and its attributes, in seconds. It is long for
 * the tree's own folders, which never change and are part of every path. It is 0 for all else: a
 * change shows at the next lookup, without a notification.
 */
double fs_row_timeout(const struct fs_row *row);

/*
 * Find the node of a node id; fs_node_put() drops its reference.
 *
 * Returns 0 and a node to be put, or -ENOENT when its entry is gone.
 */
int fs_node_resolve(struct fs *fs, fuse_ino_t id, struct fs_node *ret);
void fs_node_put(struct fs *fs, struct fs_node *node);

/* The node id of generation 0 (ino.h). */
fuse_ino_t fs_node_id(const struct fs_node *node);

/*
 * Find the attributes of the image that a file of a disk belongs to.
 *
 * Returns ret; or NULL for all other files, and where the image is gone.
 */
const struct stat *fs_node_image(struct fs *fs, const struct fs_node *node, struct stat *ret);

/*
 * Is the image of a node's disk its own? Of hard links to one image only the first name is a disk.
 *
 * Returns VHD_OK, or VHD_NOT_A_DISK with a sentence in *ret.
 */
enum vhd_result fs_node_judge(struct fs *fs, const struct fs_node *node, struct vhd_verdict *ret);

/*
 * The st_ino of a node.
 *
 *   image  from fs_node_image() of the node, or of its folder
 */
fuse_ino_t fs_node_ino(struct fs *fs, const struct fs_node *node, const struct stat *image);

/* Find a child of a folder by its name. Returns 0 and a node to be put, or a negative errno. */
int fs_node_find(struct fs *fs, const struct fs_node *folder, const char *name,
                 struct fs_node *ret);

/*
 * Fill in attributes.
 *
 *   ret_id  receives the node id for the kernel, of a new generation where the row asks for it; may
 *           be NULL
 *
 * Returns 0, -ENOENT when the file is gone, or another negative errno.
 */
int fs_node_stat(struct fs *fs, const struct fs_node *node, struct stat *ret, fuse_ino_t *ret_id);

/* Take a snapshot of a text. Returns 0 and a text to be freed, or a negative errno. */
int fs_node_text(struct fs *fs, const struct fs_node *node, struct fs_text *ret);
