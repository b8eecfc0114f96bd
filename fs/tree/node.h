/*
 * Files of the tree: one constant row for each kind of file, not for each file. A new file is one
 * row (tree.c) and the functions it points at. Lookup, getattr and readdir are one loop over them.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "tree/fs.h"
#include "tree/entries.h"
#include "tree/text.h"

/* What a row is of; 8 bits of an inode number. Some are of no row. */
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

    /* Files of a disk: their kinds are part of what backups remember (ino.h), and stay. */
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
    FS_KIND_COUNT,
};

/* One file of the tree: its row, and whose it is. */
struct fs_node {
    const struct fs_row *row;
    struct fs_entry *entry; /* referenced; NULL in the fixed part */
};

/* What a look at a file finds. */
struct fs_look {
    struct timespec changed; /* since when it has been as it is */
    off_t size;
    blkcnt_t blocks; /* of 512 bytes: the room that its content takes */
};

/* What one write(2) brings. */
struct fs_data {
    const char *bytes;
    size_t len;
    off_t off;
    bool is_sync; /* it is to be durable when it is answered */
};

/* What a folder lists, collected when it is read from its start. */
struct fs_listing;
struct fs_handle;

/* What a row can do. Functions that are absent mean that the operation is refused. */
struct fs_row_ops {
    /*
     * Does the file exist, and since when has it been as it is? Absent: always, since the mount.
     * Returns 0 or -ENOENT.
     */
    int (*changed)(struct fs *fs, const struct fs_node *node, struct timespec *ret);

    /* The same and all else, for files that are no texts; *ret is as for one that never changes. */
    int (*look)(struct fs *fs, const struct fs_node *node, struct fs_look *ret);

    /* Folders: find the child that stands for a NAME; the reference in *ret is the caller's. */
    int (*find)(struct fs *fs, const char *name, struct fs_node *ret);

    /* Folders: add the NAMEs to a listing. Returns 0 or a negative errno. */
    int (*list)(struct fs *fs, struct fs_listing *listing);

    /* Folders: make the file of this name, to be opened for writing. */
    int (*create)(struct fs *fs, const char *name, struct fs_node *ret);

    /*
     * Folders: remove the child of this name, a folder or a file. The caller notes a refusal.
     *
     *   pid  the process that asks for it
     */
    enum vhd_result (*rmdir)(struct fs *fs, const char *name, pid_t pid, struct vhd_verdict *ret);
    enum vhd_result (*unlink)(struct fs *fs, const struct fs_node *folder, const char *text,
                              pid_t pid, struct vhd_verdict *ret);

    /* Folders: give a child another name in the same folder. Never replaces another. */
    enum vhd_result (*rename)(struct fs *fs, const char *name, const char *new_name,
                              struct vhd_verdict *ret);

    /* Texts and symlinks: print what is to be read. Returns 0, or -ENOENT when it is gone. */
    int (*show)(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret_changed);

    /* Is it listed just now? Absent: always. */
    bool (*is_listed)(struct fs *fs, const struct fs_node *folder);

    /* Files: may it be opened so, and how is the kernel to use it? Absent: yes, as a text. Undone
     * by close. */
    int (*open)(struct fs_handle *handle);
    void (*close)(struct fs_handle *handle);

    /*
     * What can be done with an open file: each of these answers, now or later. Absent: a text is
     * read, nothing is written, and there is nothing to flush or to wait for.
     */
    void (*read)(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off);
    void (*page_read)(struct fs_handle *handle); /* first, where the kernel reads into its pages */
    void (*write)(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data);
    void (*flush)(struct fs_handle *handle, fuse_req_t req);
    void (*fsync)(struct fs_handle *handle, fuse_req_t req);
    void (*seek)(struct fs_handle *handle, fuse_req_t req, off_t off, int whence);
    void (*allocate)(struct fs_handle *handle, fuse_req_t req, int mode, off_t off, off_t len);

    /* Copy from one file to another of the same row. */
    void (*copy)(struct fs_handle *source, off_t source_off, struct fs_handle *target,
                 off_t target_off, size_t len, fuse_req_t req);

    /*
     * Files to write to: give it a size, and answer. Absent: that does nothing.
     *
     *   handle  the open file it is asked of; NULL when it is asked by the path
     */
    void (*truncate)(struct fs *fs, const struct fs_node *node, fuse_req_t req, off_t size,
                     struct fs_handle *handle);

    /*
     * Each look gives the kernel a node of its own. It holds a lock on a node while a write or an
     * fsync of it is answered, which here may take long: whoever else came to the same node by its
     * name, to remove it, say, would hang with all that waits for his locks in turn.
     */
    bool new_node_per_lookup;
};

struct fs_row {
    const char *name; /* NULL: one for each NAME of the parent's find() */
    enum fs_kind parent;
    mode_t mode; /* type and permissions */
    const struct fs_row_ops *ops;
    const struct fs_field *field; /* rows that show one value */
};

/* All rows, by their kind. */
extern const struct fs_row fs_rows[FS_KIND_COUNT];

/* The row of a kind, NULL when there is none; and back. */
const struct fs_row *fs_row(enum fs_kind kind);
enum fs_kind fs_row_kind(const struct fs_row *row);

/*
 * How long the kernel may rely on a name of this row, and on its attributes, in seconds. For what
 * comes, goes or changes in the store or among the tasks, not at all: it is seen at the next look,
 * and no notification is needed. The tree's own folders never change, and each is on the way to
 * everything.
 */
double fs_row_timeout(const struct fs_row *row);

/*
 * Find the node behind a node id of the kernel's.
 *
 * Returns 0; the node is to be put. Or -ENOENT when what it belonged to is gone.
 */
int fs_node_resolve(struct fs *fs, fuse_ino_t id, struct fs_node *ret);
void fs_node_put(struct fs *fs, struct fs_node *node);

/* The node id that the kernel gets, but for its generation (ino.h). */
fuse_ino_t fs_node_id(const struct fs_node *node);

/*
 * Attributes of the image that a file of a disk belongs to.
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
 * The number of a node that users see, its st_ino.
 *
 *   image  from fs_node_image() of the node, or of its folder
 */
fuse_ino_t fs_node_ino(struct fs *fs, const struct fs_node *node, const struct stat *image);

/* Find a child of a folder by its name. Returns 0; the node is to be put. Or a negative errno. */
int fs_node_find(struct fs *fs, const struct fs_node *folder, const char *text,
                 struct fs_node *ret);

/*
 * Fill in attributes.
 *
 *   ret_id  receives the node id that the kernel is to have; may be NULL
 *
 * Returns 0, -ENOENT when it is gone, or -ENOMEM.
 */
int fs_node_stat(struct fs *fs, const struct fs_node *node, struct stat *ret, fuse_ino_t *ret_id);

/* Take a snapshot of a text. Returns 0 and a text to be freed, or a negative errno. */
int fs_node_text(struct fs *fs, const struct fs_node *node, struct fs_text *ret);
