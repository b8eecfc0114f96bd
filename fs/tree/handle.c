/* SPDX-License-Identifier: MIT */
#include "tree/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tree/reply.h"

static int keep_name(struct fs_handle *handle)
{
    if (!handle->node.entry)
        return 0;
    handle->opened_as = strdup(fs_entry_name(handle->node.entry));
    return handle->opened_as ? 0 : -ENOMEM;
}

static bool has_content(const struct fs_row *row)
{
    return fs_row_kind(row) == FS_DISK_RAW || fs_row_kind(row) == FS_DISK_FIXED;
}

/*
 * Open the node of a new handle. Texts go past the page cache, because their size may change at any
 * time. A flush does nothing for them, so the kernel need not send one.
 */
static int begin(struct fs_handle *handle)
{
    const struct fs_row_ops *ops = handle->node.row->ops;
    struct vhd_verdict verdict;

    handle->open_flags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH;
    if (has_content(handle->node.row) &&
        fs_node_judge(handle->fs, &handle->node, &verdict) != VHD_OK)
        return fs_refuse_at(handle->fs, (struct fs_where){&handle->node, NULL}, &verdict);
    if (ops->open) {
        int err = ops->open(handle);
        if (err < 0)
            return err;
    }
    /* A writer's first read takes its own snapshot. */
    if (!ops->show || handle->is_writer)
        return 0;
    return fs_node_text(handle->fs, &handle->node, &handle->text);
}

void fs_handle_close(struct fs_handle *handle)
{
    fs_opened_remove(&handle->fs->opened, &handle->opened);
    fs_handle_unref(handle);
}

static struct fs_handle *handle_of(struct fs_opened *opened)
{
    return (struct fs_handle *)((char *)opened - offsetof(struct fs_handle, opened));
}

static void close_opened(struct fs_opened *opened)
{
    fs_handle_close(handle_of(opened));
}

void fs_handles_each(struct fs *fs, void (*visit)(void *arg, struct fs_handle *handle), void *arg)
{
    struct fs_opened *opened;

    HOLD_LOCK(&fs->opened.lock);
    LIST_FOREACH(opened, &fs->opened.all, link) {
        if (opened->close == close_opened)
            visit(arg, handle_of(opened));
    }
}

int fs_handle_open(struct fs *fs, struct fs_node *node, fuse_req_t opener, int flags,
                   struct fs_handle **ret)
{
    struct fs_handle *handle = calloc(1, sizeof *handle);
    if (!handle) {
        fs_node_put(fs, node);
        return -ENOMEM;
    }
    handle->refs = 1;
    handle->fs = fs;
    handle->node = *node;
    handle->opener = opener;
    handle->flags = flags;
    handle->is_writer = (flags & O_ACCMODE) != O_RDONLY;
    int err = keep_name(handle);
    if (err == 0)
        err = begin(handle);
    handle->opener = NULL;
    if (err < 0) {
        fs_node_put(fs, &handle->node);
        free(handle->opened_as);
        free(handle);
        return err;
    }
    pthread_mutex_init(&handle->lock, NULL);
    fs_opened_add(&fs->opened, &handle->opened, close_opened);
    *ret = handle;
    return 0;
}

struct fs_handle *fs_handle_ref(struct fs_handle *handle)
{
    handle->refs++;
    return handle;
}

void fs_handle_unref(struct fs_handle *handle)
{
    if (--handle->refs > 0)
        return;
    const struct fs_row_ops *ops = handle->node.row->ops;
    if (ops->close)
        ops->close(handle);
    fs_text_free(&handle->text);
    fs_node_put(handle->fs, &handle->node);
    free(handle->opened_as);
    pthread_mutex_destroy(&handle->lock);
    free(handle);
}

/* Take a new snapshot. If the file has no text, or no longer, the old one stays. */
static void refresh(struct fs_handle *handle)
{
    struct fs_text text;

    if (!handle->node.row->ops->show)
        return;
    if (fs_node_text(handle->fs, &handle->node, &text) < 0)
        return;
    fs_text_free(&handle->text);
    handle->text = text;
}

void fs_handle_written(struct fs_handle *handle)
{
    HOLD_LOCK(&handle->lock);
    handle->has_written = true;
}

/* The place in the text where a read begins. Under the lock. */
static size_t place_of(struct fs_handle *handle, off_t off)
{
    if (handle->has_written || off < handle->start)
        handle->start = handle->has_written ? off : 0;
    handle->has_written = false;
    return (size_t)(off - handle->start);
}

void fs_handle_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    struct fs_text part = {0};

    {
        HOLD_LOCK(&handle->lock);
        const size_t place = place_of(handle, off);
        if (place == 0 && (handle->is_read || handle->is_writer))
            refresh(handle);
        handle->is_read = true;
        if (place < handle->text.len) {
            part.len = handle->text.len - place;
            if (part.len > size)
                part.len = size;
            part.data = malloc(part.len);
            if (part.data)
                memcpy(part.data, handle->text.data + place, part.len);
        }
    }
    if (part.len > 0 && !part.data)
        fuse_reply_err(req, ENOMEM);
    else
        fuse_reply_buf(req, part.data, part.len);
    fs_text_free(&part);
}

void fs_handle_seek(struct fs_handle *handle, fuse_req_t req, off_t off, int whence)
{
    off_t size;

    {
        HOLD_LOCK(&handle->lock);
        size = (off_t)handle->text.len;
    }
    fs_reply_seek(req, size, off, whence);
}

void fs_reply_seek(fuse_req_t req, off_t size, off_t off, int whence)
{
    if (off < 0 || off >= size)
        fuse_reply_err(req, ENXIO);
    else
        fuse_reply_lseek(req, whence == SEEK_HOLE ? size : off);
}

void fs_reply_text(fuse_req_t req, const char *text, size_t len, size_t size, off_t off)
{
    size_t start = (uint64_t)off < len ? (size_t)off : len;
    size_t part = len - start < size ? len - start : size;

    fuse_reply_buf(req, text + start, part);
}
