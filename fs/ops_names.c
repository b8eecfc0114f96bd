/* SPDX-License-Identifier: MIT */
#include "ops_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "process/caller.h"
#include "tree/folder.h"
#include "tree/handle.h"
#include "tree/ino.h"
#include "tree/reply.h"

static struct fs *fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

/*
 * Fill in the reply that gives the kernel a node, and count that lookup for its entry: the kernel
 * takes the count back by forget. Returns 0, or a negative errno without a count.
 */
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

void fs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
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

void fs_op_forget(fuse_req_t req, fuse_ino_t id, uint64_t count)
{
    fs_entries_forgotten(fs_of(req)->entries, fs_ino_serial(id), count);
    fuse_reply_none(req);
}

void fs_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < count; i++)
        fs_entries_forgotten(fs_of(req)->entries, fs_ino_serial(forgets[i].ino),
                             forgets[i].nlookup);
    fuse_reply_none(req);
}

static struct fs_folder *folder_of(const struct fuse_file_info *info)
{
    return (struct fs_folder *)(uintptr_t)info->fh;
}

void fs_op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
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

void fs_op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
                   struct fuse_file_info *info)
{
    (void)id;
    fs_folder_read(folder_of(info), req, size, off);
}

void fs_op_fsyncdir(fuse_req_t req, fuse_ino_t id, int datasync, struct fuse_file_info *info)
{
    (void)id;
    (void)datasync;
    (void)info;
    fuse_reply_err(req, 0);
}

void fs_op_releasedir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    (void)id;
    fs_folder_close(folder_of(info));
    fuse_reply_err(req, 0);
}

/* Refuse to make a file outside of new/, and say where disks are made. */
static enum vhd_result judge_place(const struct fs_node *folder, const char *name,
                                   struct vhd_verdict *ret)
{
    if (folder->row->ops->create)
        return vhd_verdict_set(ret, VHD_OK, NULL);
    if (fs_row_kind(folder->row) == FS_DISKS)
        return vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                               "disks are made in new/; run echo SIZE > new/%s", name);
    return vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                           "no file can be made here; to make a disk, run echo SIZE > new/NAME");
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

void fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                  struct fuse_file_info *info)
{
    struct fs *fs = fs_of(req);
    struct fuse_entry_param entry = {0};
    (void)mode;

    int err = create_file(fs, parent, name, info, &entry);
    if (err < 0) {
        fuse_reply_err(req, -err);
    } else if (fuse_reply_create(req, &entry, info) < 0) {
        fs_handle_close((struct fs_handle *)(uintptr_t)info->fh);
        forget_lookup(fs, entry.ino);
    }
}

/* The caller's process: a refusal to one thread counts for all. */
static pid_t pid_of(fuse_req_t req)
{
    return fs_caller_process(fuse_req_ctx(req)->pid);
}

void fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
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
        vhd_verdict_set(&verdict, VHD_NOT_PERMITTED,
                        "this file cannot be removed; rmdir tasks/NAME forgets a task, and "
                        "umount takes the tree away");
    fs_reply_verdict(fs, (struct fs_where){&folder, name}, req, &verdict);
    fs_node_put(fs, &folder);
}

void fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
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
                        "this folder cannot be removed; umount takes the whole tree away");
    fs_reply_verdict(fs, (struct fs_where){&folder, name}, req, &verdict);
    fs_node_put(fs, &folder);
}

void fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                  const char *new_name, unsigned flags)
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
        folder.row->ops->rename(fs, name, new_name, &verdict);
    else
        vhd_verdict_set(&verdict, VHD_NOT_PERMITTED,
                        "only a disk can be renamed, from disks/NAME to disks/OTHER; two disks "
                        "cannot be exchanged");
    fs_reply_verdict(fs, (struct fs_where){&folder, name}, req, &verdict);
    fs_node_put(fs, &folder);
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

void fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
    (void)mode;
    (void)rdev;
    refuse(req, parent, name,
           "no file can be made by mknod here; to make a disk, run echo SIZE > new/NAME");
}

void fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    (void)mode;
    refuse(req, parent, name,
           "no folder can be made here; to make a disk, run echo SIZE > new/NAME");
}

void fs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    (void)target;
    refuse(req, parent, name, "no symlink can be made here; make it outside of the mount");
}

void fs_op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name)
{
    (void)id;
    refuse(req, parent, name,
           "no hard link can be made here; to copy a disk, make another and copy raw to raw");
}
