/* SPDX-License-Identifier: MIT */
#include "files/events.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "tree/events.h"
#include "tree/handle.h"

static int events_attributes(struct fs *fs, const struct fs_node *node, struct fs_attributes *ret)
{
    struct timespec changed;
    (void)node;

    ret->size = fs_events_size(fs->events, &changed);
    if (changed.tv_sec != 0)
        ret->changed = changed;
    return 0;
}

/*
 * Read for a handle. Lines that are dropped move it on: while it reads without a gap, its place in
 * the text is the offset of the file, plus the length that it has missed.
 */
static size_t read_lines(struct fs_handle *handle, char *buf, size_t size, off_t off)
{
    HOLD_LOCK(&handle->lock);
    off_t at = off == handle->next ? off + handle->missed : off;
    const size_t len = fs_events_read(handle->fs->events, buf, size, &at);
    handle->missed = at - off;
    handle->next = off + (off_t)len;
    return len;
}

static void events_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    AUTO_FREE char *buf = malloc(size);
    if (!buf) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    fuse_reply_buf(req, buf, read_lines(handle, buf, size, off));
}

static void events_seek(struct fs_handle *handle, fuse_req_t req, off_t off, int whence)
{
    struct timespec changed;
    fs_reply_seek(req, fs_events_size(handle->fs->events, &changed), off, whence);
}

const struct fs_row_ops fs_events_ops = {
    .attributes = events_attributes,
    .read = events_read,
    .seek = events_seek,
};
