/* SPDX-License-Identifier: MIT */
#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>

#include "ops_names.h"
#include "process/daemon.h"
#include "process/log.h"
#include "tree/handle.h"
#include "tree/owner.h"
#include "tree/reply.h"
#include "kernel/transfer.h"

static struct fs *fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static struct fs_handle *handle_of(const struct fuse_file_info *info)
{
    return (struct fs_handle *)(uintptr_t)info->fh;
}

/* The most requests of the kernel in the background, such as those that read ahead. */
#define BACKGROUND 64

/*
 * Set up the connection, which answers from now on. No splice: it costs two system calls for each
 * small write. No writeback cache and no truncation inside open: with either, the kernel would
 * answer for sizes that it does not know. No drop of pages when times change: the daemon itself
 * knows when they are wrong (page_cache.h).
 */
static void op_init(void *userdata, struct fuse_conn_info *conn)
{
    struct fs *fs = userdata;

    conn->want &=
        ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                    FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA);
    conn->time_gran = 1;
    if (conn->max_write > FS_TRANSFER_MAX)
        conn->max_write = FS_TRANSFER_MAX; /* this limits reads, too */
    conn->max_readahead = FS_TRANSFER_MAX;
    conn->max_background = BACKGROUND;
    conn->congestion_threshold = BACKGROUND * 3 / 4;
    fs_daemon_ready(&fs->daemon);
    fs_log(LOG_INFO, "confined by %s", fs->confined_by);
}

static void op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    struct fs *fs = fs_of(req);
    struct fs_node node;
    (void)info;

    int err = fs_node_resolve(fs, id, &node);
    if (err < 0) {
        fuse_reply_err(req, -err);
        return;
    }
    fs_reply_attr(fs, &node, req);
    fs_node_put(fs, &node);
}

/* Refuse a write to a file that has none, or a truncation. */
static void reply_read_only(struct fs *fs, struct fs_where where, fuse_req_t req)
{
    fs_reply_not_permitted(fs, where, req,
                           "this file can only be read; write to new/NAME, tasks/NAME/cancel or "
                           "disks/NAME/raw");
}

#define OWNER_AND_MODE (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)

/*
 * Shells, editors and copying tools change owner, mode, times and size of the files that they
 * write. So this succeeds and does nothing on writable files, unless the row has a truncate. All
 * other files refuse it. Owner and mode of raw are those of its image.
 */
static void op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *attributes, int which,
                       struct fuse_file_info *info)
{
    struct fs *fs = fs_of(req);
    struct vhd_verdict verdict;
    struct fs_node node;

    int err = fs_node_resolve(fs, id, &node);
    if (err < 0) {
        fuse_reply_err(req, -err);
        return;
    }
    const struct fs_row_ops *ops = node.row->ops;
    const struct fs_where where = {&node, NULL};
    if (!ops->write && which & FUSE_SET_ATTR_SIZE)
        reply_read_only(fs, where, req);
    else if (!ops->write)
        fs_reply_not_permitted(fs, where, req,
                               "attributes cannot be changed here; for a disk, use chmod and "
                               "chown on disks/NAME/raw");
    else if (which & FUSE_SET_ATTR_SIZE && ops->truncate)
        ops->truncate(fs, &node, req, attributes->st_size, info ? handle_of(info) : NULL);
    else if (which & OWNER_AND_MODE && fs_row_kind(node.row) == FS_DISK_RAW &&
             fs_owner_set(fs, &node, fuse_req_ctx(req)->uid, attributes, which, &verdict) != VHD_OK)
        fs_reply_verdict(fs, where, req, &verdict);
    else
        fs_reply_attr(fs, &node, req);
    fs_node_put(fs, &node);
}

static void op_readlink(fuse_req_t req, fuse_ino_t id)
{
    struct fs *fs = fs_of(req);
    struct fs_node node;
    struct fs_text text = {0};

    int err = fs_node_resolve(fs, id, &node);
    if (err == 0) {
        err = fs_node_text(fs, &node, &text);
        fs_node_put(fs, &node);
    }
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_readlink(req, text.data);
    fs_text_free(&text);
}

/* libfuse's reply to open does not know all flags, so this builds the kernel's reply itself. */
static int reply_open(fuse_req_t req, const struct fs_handle *handle)
{
    const struct fuse_open_out reply = {
        .fh = (uintptr_t)handle,
        .open_flags = handle->open_flags,
    };
    return fuse_reply_buf(req, (const char *)&reply, sizeof reply);
}

static void op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    struct fs *fs = fs_of(req);
    struct fs_node node;
    struct fs_handle *handle = NULL;

    int err = fs_node_resolve(fs, id, &node);
    if (err == 0)
        err = fs_handle_open(fs, &node, req, info->flags, &handle);
    if (err != 0)
        fuse_reply_err(req, -err);
    else if (reply_open(req, handle) < 0)
        fs_handle_close(handle);
}

static void op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
                    struct fuse_file_info *info)
{
    struct fs_handle *handle = handle_of(info);
    const struct fs_row_ops *ops = handle->node.row->ops;
    (void)id;

    /* A read for a program has a lock owner; a read into the kernel's pages has none. */
    if (ops->page_read && info->lock_owner == 0)
        ops->page_read(handle);
    if (ops->read)
        ops->read(handle, req, size, off);
    else
        fs_handle_read(handle, req, size, off);
}

static void op_write(fuse_req_t req, fuse_ino_t id, const char *bytes, size_t len, off_t off,
                     struct fuse_file_info *info)
{
    struct fs_handle *handle = handle_of(info);
    const struct fs_row_ops *ops = handle->node.row->ops;
    const struct fs_data data = {bytes, len, off, (info->flags & O_DSYNC) != 0};
    (void)id;

    if (ops->write)
        ops->write(handle, req, &data);
    else
        reply_read_only(handle->fs, (struct fs_where){&handle->node, NULL}, req);
}

static void op_flush(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    struct fs_handle *handle = handle_of(info);
    const struct fs_row_ops *ops = handle->node.row->ops;
    (void)id;

    if (ops->flush)
        ops->flush(handle, req);
    else
        fuse_reply_err(req, 0);
}

static void op_fsync(fuse_req_t req, fuse_ino_t id, int datasync, struct fuse_file_info *info)
{
    struct fs_handle *handle = handle_of(info);
    const struct fs_row_ops *ops = handle->node.row->ops;
    (void)id;
    (void)datasync;

    if (ops->fsync)
        ops->fsync(handle, req);
    else
        fuse_reply_err(req, 0);
}

static void op_lseek(fuse_req_t req, fuse_ino_t id, off_t off, int whence,
                     struct fuse_file_info *info)
{
    struct fs_handle *handle = handle_of(info);
    const struct fs_row_ops *ops = handle->node.row->ops;
    (void)id;

    if (ops->seek)
        ops->seek(handle, req, off, whence);
    else
        fs_handle_seek(handle, req, off, whence);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t id, int mode, off_t off, off_t len,
                         struct fuse_file_info *info)
{
    struct fs_handle *handle = handle_of(info);
    const struct fs_row_ops *ops = handle->node.row->ops;
    (void)id;

    if (ops->allocate)
        ops->allocate(handle, req, mode, off, len);
    else
        fuse_reply_err(req, EOPNOTSUPP);
}

/* After EOPNOTSUPP the kernel reads and writes instead. */
static void op_copy_file_range(fuse_req_t req, fuse_ino_t source_id, off_t source_off,
                               struct fuse_file_info *source_info, fuse_ino_t target_id,
                               off_t target_off, struct fuse_file_info *target_info, size_t len,
                               int flags)
{
    struct fs_handle *source = handle_of(source_info), *target = handle_of(target_info);
    const struct fs_row_ops *ops = source->node.row->ops;
    (void)source_id;
    (void)target_id;
    (void)flags;

    if (ops->copy && ops == target->node.row->ops)
        ops->copy(source, source_off, target, target_off, len, req);
    else
        fuse_reply_err(req, EOPNOTSUPP);
}

static void op_release(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    (void)id;
    fs_handle_close(handle_of(info));
    fuse_reply_err(req, 0);
}

static void op_statfs(fuse_req_t req, fuse_ino_t id)
{
    struct statvfs figures;
    (void)id;

    int err = vhd_store_statvfs(fs_of(req)->store, &figures);
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_statfs(req, &figures);
}

const struct fuse_lowlevel_ops fs_ops = {
    .init = op_init,
    .lookup = fs_op_lookup,
    .forget = fs_op_forget,
    .forget_multi = fs_op_forget_multi,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .readlink = op_readlink,
    .open = op_open,
    .create = fs_op_create,
    .read = op_read,
    .write = op_write,
    .flush = op_flush,
    .fsync = op_fsync,
    .lseek = op_lseek,
    .fallocate = op_fallocate,
    .copy_file_range = op_copy_file_range,
    .release = op_release,
    .opendir = fs_op_opendir,
    .readdir = fs_op_readdir,
    .fsyncdir = fs_op_fsyncdir,
    .releasedir = fs_op_releasedir,
    .unlink = fs_op_unlink,
    .rmdir = fs_op_rmdir,
    .statfs = op_statfs,
    .mknod = fs_op_mknod,
    .mkdir = fs_op_mkdir,
    .symlink = fs_op_symlink,
    .link = fs_op_link,
    .rename = fs_op_rename,
};
