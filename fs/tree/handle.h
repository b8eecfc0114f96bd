/*
 * An open file. It owns a reference to what it is of, and a snapshot of what it shows, so that it
 * goes on working when the object is gone.
 */
#pragma once

#include <pthread.h>

#include "tree/node.h"
#include "tree/open_disk.h"

/* How far the request of a handle on new/NAME has come. */
enum fs_request_state {
    FS_REQUEST_NONE,    /* nothing written, or what was has failed */
    FS_REQUEST_AT_WORK, /* written, not yet answered */
    FS_REQUEST_DONE,    /* succeeded: only blanks are taken */
};

/* What a raw file is told of once in errors, since it may happen at every write. */
enum fs_told {
    FS_TOLD_FAILURE = 1, /* a sync has failed */
    FS_TOLD_END = 2,     /* the disk ends here */
    FS_TOLD_HOST = 4,    /* what the host answers */
};

struct fs_handle {
    struct fs_opened opened;
    unsigned refs; /* atomic; one is the open file, others are answers under way */

    /* constant */
    struct fs *fs;
    struct fs_node node;
    int flags;           /* of open(2) */
    bool is_writer;      /* it is open for writing */
    unsigned open_flags; /* how the kernel is to use it: FOPEN_... of <linux/fuse.h>, set by open */
    fuse_req_t opener;   /* the request that opens it, while open runs; NULL in one that makes it */

    /* of raw and fixed.vhd, set by open */
    struct fs_access access;
    struct fs_open_disk *open_disk;
    struct vhd_disk *disk;
    _Atomic bool is_flushed; /* raw: and not used since */
    _Atomic unsigned told;   /* enum fs_told: what errors has a line of, one a file */

    char *opened_as; /* the NAME when it was opened; its disk may be renamed. NULL without one */

    pthread_mutex_t lock; /* guards what follows */
    struct fs_text text;
    bool is_read;     /* a read at 0 has been answered from the snapshot */
    bool has_written; /* and not been read since: the next read is one from the start */
    off_t start;      /* the offset where the text starts for this file */
    enum fs_request_state request;
};

/*
 * Open a node.
 *
 *   node    its reference is taken over, also when the call fails
 *   opener  the request that opens it; NULL where the file has just been made
 *   flags   of open(2)
 *
 * Returns 0 or a negative errno.
 */
int fs_handle_open(struct fs *fs, struct fs_node *node, fuse_req_t opener, int flags,
                   struct fs_handle **ret);

/* Close the file: nothing more is asked of it. */
void fs_handle_close(struct fs_handle *handle);

/* Keep a handle beyond its file's close, for an answer that comes later; returns handle. */
struct fs_handle *fs_handle_ref(struct fs_handle *handle);

/* Drop a reference that fs_handle_ref() took. */
void fs_handle_unref(struct fs_handle *handle);

/* What is read next is the text from its start, whatever the offset: it answers what was written.
 */
void fs_handle_written(struct fs_handle *handle);

/*
 * Answer a read from the snapshot. One at offset 0 takes a new one, unless it is the first of a
 * file that is open for reading only: nothing but time can have changed what that shows.
 */
void fs_handle_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off);

/* Answer lseek(2) with SEEK_DATA or SEEK_HOLE in the snapshot, which is data throughout. */
void fs_handle_seek(struct fs_handle *handle, fuse_req_t req, off_t off, int whence);

/* The same for any file that is data throughout. */
void fs_reply_seek(fuse_req_t req, off_t size, off_t off, int whence);

/* Answer a read with its part of a text. */
void fs_reply_text(fuse_req_t req, const char *text, size_t len, size_t size, off_t off);
