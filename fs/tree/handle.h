/* SPDX-License-Identifier: MIT */
/*
 * An open file. It owns a reference to its entry and a snapshot of its text. So it goes on working
 * when the disk or the task is gone.
 */
#pragma once

#include <pthread.h>

#include "tree/node.h"
#include "tree/open_disk.h"

/* The state of the request of a handle on new/NAME. */
enum fs_request_state {
    FS_REQUEST_NONE,    /* nothing written, or the request has failed */
    FS_REQUEST_AT_WORK, /* written, without a reply yet */
    FS_REQUEST_DONE,    /* succeeded: only blanks are accepted */
};

/* Failures of a raw file that get one line in errors, because each write may fail so. */
enum fs_told {
    FS_TOLD_FAILURE = 1, /* a sync has failed */
    FS_TOLD_END = 2,     /* the disk ends here */
    FS_TOLD_HOST = 4,    /* the host has failed a change */
};

struct fs_handle {
    struct fs_opened opened;
    _Atomic unsigned refs; /* one of the open file, one of each deferred reply */

    /* constant */
    struct fs *fs;
    struct fs_node node;
    int flags;           /* of open(2) */
    bool is_writer;      /* it is open for writing */
    unsigned open_flags; /* how the kernel uses it: FOPEN_... of <linux/fuse.h>, set by open */
    fuse_req_t opener;   /* the request that opens it, while open runs; NULL in CREATE */

    /* of raw and fixed.vhd, set by open */
    struct fs_access access;
    struct fs_open_disk *open_disk;
    struct vhd_disk *disk;
    _Atomic bool is_flushed; /* raw: it was flushed, and not used since */
    _Atomic unsigned told;   /* enum fs_told: errors has a line of these */

    char *opened_as; /* the NAME when it was opened; its disk may be renamed. NULL without one */

    pthread_mutex_t lock; /* guards the members below */
    struct fs_text text;
    bool is_read;     /* a read at 0 has used the snapshot */
    bool has_written; /* and not been read since: the next read shows the start */
    off_t start;      /* the offset where the text starts for this file */
    enum fs_request_state request;
    bool is_last;       /* of progress: the text is the last one */
    off_t next, missed; /* of events: where the last read ended, and what was dropped before */
};

/*
 * Open a node.
 *
 *   node    its reference is taken over, also when the call fails
 *   opener  the request that opens it; NULL in CREATE, which has just made the file
 *   flags   of open(2)
 *
 * Returns 0 or a negative errno.
 */
int fs_handle_open(struct fs *fs, struct fs_node *node, fuse_req_t opener, int flags,
                   struct fs_handle **ret);

/* Close the file. No request of it comes any more. */
void fs_handle_close(struct fs_handle *handle);

/* Keep a handle beyond its file's close, for a deferred reply. Returns handle. */
struct fs_handle *fs_handle_ref(struct fs_handle *handle);

/* Drop a reference that fs_handle_ref() took. */
void fs_handle_unref(struct fs_handle *handle);

/* Call visit() for each open file. It may reference the handle, but not close it. */
void fs_handles_each(struct fs *fs, void (*visit)(void *arg, struct fs_handle *handle), void *arg);

/* Note a write. Whatever its offset, the next read shows the text from its start. */
void fs_handle_written(struct fs_handle *handle);

/*
 * Reply to a read from the snapshot. A read at offset 0 takes a new snapshot first. Not so the
 * first read of a file that is open for reading only: its snapshot is from the open.
 */
void fs_handle_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off);

/* Reply to lseek(2) with SEEK_DATA or SEEK_HOLE in the snapshot, which has no holes. */
void fs_handle_seek(struct fs_handle *handle, fuse_req_t req, off_t off, int whence);

/* The same for any file without holes. */
void fs_reply_seek(fuse_req_t req, off_t size, off_t off, int whence);

/* Reply to a read with its part of a text. */
void fs_reply_text(fuse_req_t req, const char *text, size_t len, size_t size, off_t off);
