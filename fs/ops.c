#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process/caller.h"
#include "process/daemon.h"
#include "tree/folder.h"
#include "tree/handle.h"
#include "tree/ino.h"
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

/* The caller's process: a refusal to one thread counts for all. */
static pid_t pid_of(fuse_req_t req)
{
    return fs_caller_process(fuse_req_ctx(req)->pid);
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
    fs_daemon_ready(fs->ready_fd);
    fs->ready_fd = -1;
}

/* Describe a node to the kernel, and count its lookup. Returns 0 or a negative errno. */
static int entry_of(struct fs *fs, const struct fs_node *node, struct fuse_entry_param *ret)
{
    *ret = (struct fuse_entry_param){
        .attr_timeout = fs_row_timeout(node->row),
        .entry_timeout = fs_row_timeout(node->row),
    };
    int err = fs_node_stat(fs, node, &ret->attr, &ret->ino);
    if (err == 0 && node->entry)
        fs_entry_looked_up(fs->entries, node->entry);
    return err;
}

/* Undo entry_of(): the kernel did not get the reply, so it will not forget the entry. */
static void forget_lookup(struct fs *fs, fuse_ino_t id)
{
    fs_entries_forgotten(fs->entries, fs_ino_serial(id), 1);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs *fs = fs_of(req);
    struct fs_node folder, node;
    struct fuse_entry_param entry = {0};

    int err = fs_node_resolve(fs, parent, &folder);
    if (err == 0) {
        err = fs_node_find(fs, &folder, name, &node);
        fs_node_put(fs, &folder);
    }
    if (err == 0) {
        err = entry_of(fs, &node, &entry);
        fs_node_put(fs, &node);
    }
    if (err < 0)
        fuse_reply_err(req, -err);
    else if (fuse_reply_entry(req, &entry) < 0)
        forget_lookup(fs, entry.ino);
}

static void op_forget(fuse_req_t req, fuse_ino_t id, uint64_t count)
{
    fs_entries_forgotten(fs_of(req)->entries, fs_ino_serial(id), count);
    fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < count; i++)
        fs_entries_forgotten(fs_of(req)->entries, fs_ino_serial(forgets[i].ino),
                             forgets[i].nlookup);
    fuse_reply_none(req);
}

/* Refuse to make a child of a folder. */
static void refuse(fuse_req_t req, fuse_ino_t parent, const char *name, const char *sentence)
{
    struct fs *fs = fs_of(req);
    struct fs_node folder;

    int err = fs_node_resolve(fs, parent, &folder);
    if (err < 0) {
        fuse_reply_err(req, -err);
        return;
    }
    fs_reply_not_permitted(fs, (struct fs_where){&folder, name}, req, sentence);
    fs_node_put(fs, &folder);
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
    if (!ops->write)
        fs_reply_not_permitted(fs, where, req, "this only shows what is so, and takes no changes");
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

/* Refuse to make a file outside of new/, and say where disks are made. */
static enum vhd_result judge_place(const struct fs_node *folder, const char *name,
                                   struct vhd_verdict *ret)
{
    if (folder->row->ops->create)
        return vhd_verdict_set(ret, VHD_OK, NULL);
    if (fs_row_kind(folder->row) == FS_DISKS)
        return vhd_verdict_set(ret, VHD_NOT_PERMITTED, "disks are made in new/: echo SIZE > new/%s",
                               name);
    return vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                           "files are made in new/ alone, where each makes a disk");
}

/* Make a file, which is a text, and open it. Returns 0 or a negative errno. */
static int create_file(struct fs *fs, fuse_ino_t parent, const char *name,
                       struct fuse_file_info *info, struct fuse_entry_param *ret_entry)
{
    struct fs_node folder, node = {0};
    struct vhd_verdict verdict;
    struct fs_handle *handle;

    int err = fs_node_resolve(fs, parent, &folder);
    if (err < 0)
        return err;
    if (judge_place(&folder, name, &verdict) == VHD_OK)
        err = folder.row->ops->create(fs, name, &node);
    else
        err = fs_refuse_at(fs, (struct fs_where){&folder, name}, &verdict);
    fs_node_put(fs, &folder);
    if (err < 0)
        return err;
    struct fs_node opened = {node.row, fs_entry_ref(fs->entries, node.entry)};
    err = fs_handle_open(fs, &opened, NULL, info->flags, &handle);
    if (err == 0) {
        info->fh = (uintptr_t)handle;
        info->direct_io = 1;
        info->noflush = 1;
        err = entry_of(fs, &node, ret_entry);
        /* Only this open has the node, so the kernel may keep the attributes that it gets now. */
        ret_entry->attr_timeout = 1.0;
        if (err < 0)
            fs_handle_close(handle);
    }
    fs_node_put(fs, &node);
    return err;
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                      struct fuse_file_info *info)
{
    struct fs *fs = fs_of(req);
    struct fuse_entry_param entry = {0};
    (void)mode;

    int err = create_file(fs, parent, name, info, &entry);
    if (err < 0) {
        fuse_reply_err(req, -err);
    } else if (fuse_reply_create(req, &entry, info) < 0) {
        fs_handle_close(handle_of(info));
        forget_lookup(fs, entry.ino);
    }
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
        fs_reply_not_permitted(handle->fs, (struct fs_where){&handle->node, NULL}, req,
                               "this only shows what is so: nothing can be written to it");
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

static struct fs_folder *folder_of(const struct fuse_file_info *info)
{
    return (struct fs_folder *)(uintptr_t)info->fh;
}

static void op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    struct fs *fs = fs_of(req);
    struct fs_node node;
    struct fs_folder *folder = NULL;

    int err = fs_node_resolve(fs, id, &node);
    if (err == 0)
        err = fs_folder_open(fs, &node, &folder);
    if (err < 0) {
        fuse_reply_err(req, -err);
        return;
    }
    info->fh = (uintptr_t)folder;
    if (fuse_reply_open(req, info) < 0)
        fs_folder_close(folder);
}

static void op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
                       struct fuse_file_info *info)
{
    (void)id;
    fs_folder_read(folder_of(info), req, size, off);
}

static void op_fsyncdir(fuse_req_t req, fuse_ino_t id, int datasync, struct fuse_file_info *info)
{
    (void)id;
    (void)datasync;
    (void)info;
    fuse_reply_err(req, 0);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    (void)id;
    fs_folder_close(folder_of(info));
    fuse_reply_err(req, 0);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs *fs = fs_of(req);
    struct vhd_verdict verdict;
    struct fs_node folder;

    int err = fs_node_resolve(fs, parent, &folder);
    if (err < 0) {
        fuse_reply_err(req, -err);
        return;
    }
    vhd_verdict_set(&verdict, VHD_OK, NULL);
    if (folder.row->ops->unlink)
        folder.row->ops->unlink(fs, &folder, name, pid_of(req), &verdict);
    else
        vhd_verdict_set(&verdict, VHD_NOT_PERMITTED, "this file belongs to the tree, and stays");
    fs_reply_verdict(fs, (struct fs_where){&folder, name}, req, &verdict);
    fs_node_put(fs, &folder);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs *fs = fs_of(req);
    struct vhd_verdict verdict;
    struct fs_node folder;

    int err = fs_node_resolve(fs, parent, &folder);
    if (err < 0) {
        fuse_reply_err(req, -err);
        return;
    }
    vhd_verdict_set(&verdict, VHD_OK, NULL);
    if (folder.row->ops->rmdir)
        folder.row->ops->rmdir(fs, name, pid_of(req), &verdict);
    else
        vhd_verdict_set(&verdict, VHD_NOT_PERMITTED,
                        "this folder belongs to the tree, and stays: umount takes the tree away");
    fs_reply_verdict(fs, (struct fs_where){&folder, name}, req, &verdict);
    fs_node_put(fs, &folder);
}

/* A rename never replaces a disk, so RENAME_NOREPLACE of GNU mv changes nothing. */
static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                      const char *new_text, unsigned flags)
{
    struct fs *fs = fs_of(req);
    struct vhd_verdict verdict;
    struct fs_node folder;

    int err = fs_node_resolve(fs, parent, &folder);
    if (err < 0) {
        fuse_reply_err(req, -err);
        return;
    }
    vhd_verdict_set(&verdict, VHD_OK, NULL);
    if (parent == new_parent && (flags & ~(unsigned)RENAME_NOREPLACE) == 0 &&
        folder.row->ops->rename)
        folder.row->ops->rename(fs, name, new_text, &verdict);
    else
        vhd_verdict_set(&verdict, VHD_NOT_PERMITTED,
                        "only disks can be renamed, inside of disks/, and two never change places");
    fs_reply_verdict(fs, (struct fs_where){&folder, name}, req, &verdict);
    fs_node_put(fs, &folder);
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

/*
 * The tree holds no such files. Each refusal says what to do instead; without these functions the
 * caller would get ENOSYS.
 */
static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
    (void)mode;
    (void)rdev;
    refuse(req, parent, name,
           "the tree holds no special files: disks are made by a write to new/NAME");
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    (void)mode;
    refuse(req, parent, name,
           "folders cannot be made: a disk's appears once it is made by echo SIZE > new/NAME");
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    (void)target;
    refuse(req, parent, name, "the tree takes no symlinks: make it outside of the mount");
}

static void op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name)
{
    (void)id;
    refuse(req, parent, name,
           "the tree takes no hard links: to copy a disk, make another and copy raw to raw");
}

const struct fuse_lowlevel_ops fs_ops = {
    .init = op_init,
    .lookup = op_lookup,
    .forget = op_forget,
    .forget_multi = op_forget_multi,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .readlink = op_readlink,
    .open = op_open,
    .create = op_create,
    .read = op_read,
    .write = op_write,
    .flush = op_flush,
    .fsync = op_fsync,
    .lseek = op_lseek,
    .fallocate = op_fallocate,
    .copy_file_range = op_copy_file_range,
    .release = op_release,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .fsyncdir = op_fsyncdir,
    .releasedir = op_releasedir,
    .unlink = op_unlink,
    .rmdir = op_rmdir,
    .statfs = op_statfs,
    .mknod = op_mknod,
    .mkdir = op_mkdir,
    .symlink = op_symlink,
    .link = op_link,
    .rename = op_rename,
};
