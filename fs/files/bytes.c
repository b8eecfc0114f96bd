/* SPDX-License-Identifier: MIT */
#include "files/bytes.h"

#include <errno.h>
#include <stdatomic.h>

#include "kernel/transfer.h"
#include "tree/disk_image.h"
#include "tree/ino.h"
#include "tree/permission.h"
#include "tree/reply.h"

struct fs_disk *fs_bytes_disk(const struct fs_handle *handle)
{
    return fs_entry_disk(handle->fs->entries, handle->node.entry);
}

struct fs_disk_ref fs_bytes_ref(const struct fs_node *node)
{
    return (struct fs_disk_ref){
        .name = fs_entry_name(node->entry),
        .raw = fs_ino(node->entry->serial, FS_DISK_RAW),
        .fixed = fs_ino(node->entry->serial, FS_DISK_FIXED),
    };
}

int fs_bytes_attributes(struct fs *fs, const struct fs_node *node, struct fs_attributes *ret)
{
    struct fs_disk *disk = fs_entry_disk(fs->entries, node->entry);
    struct fs_disk_stat seen;

    if (!disk)
        return -ENOMEM;
    int err = fs_disk_stat(disk, fs, fs_entry_name(node->entry), &seen);
    if (err < 0)
        return err;
    /* Programs that copy files take one with fewer blocks than its size for sparse. */
    const blkcnt_t whole = (blkcnt_t)(seen.size / 512), blocks = seen.attributes.st_blocks;
    *ret = (struct fs_attributes){
        .changed = seen.attributes.st_mtim,
        .size = (off_t)seen.size,
        .blocks = blocks < whole ? blocks : whole,
    };
    return 0;
}

enum vhd_result fs_bytes_judge_there(struct fs *fs, const struct fs_node *node, const char *name,
                                     struct vhd_verdict *ret_why)
{
    if (fs_entry_is_retired(fs->entries, node->entry))
        return vhd_verdict_set(ret_why, VHD_PATH_NOT_FOUND,
                               "the disk \"%s\" was deleted; open its path again if there is a "
                               "new one",
                               name);
    return VHD_OK;
}

/* Open the disk of a handle, or refuse with a sentence. */
static enum vhd_result open_disk(struct fs_handle *handle, struct vhd_verdict *ret_why)
{
    struct fs *fs = handle->fs;
    struct fs_disk *disk = fs_bytes_disk(handle);

    if (!disk)
        return vhd_verdict_set(ret_why, VHD_OUT_OF_MEMORY, NULL);
    if (handle->access.is_writer && fs_judge_change(fs, ret_why) != VHD_OK)
        return ret_why->result;
    if (fs_bytes_judge_there(fs, &handle->node, handle->opened_as, ret_why) != VHD_OK)
        return ret_why->result;
    const struct fs_disk_ref ref = fs_bytes_ref(&handle->node);
    enum vhd_result result =
        fs_disk_open(disk, fs, &ref, &handle->access, &handle->open_disk, ret_why);
    if (result == VHD_OK)
        handle->disk = fs_open_disk_content(handle->open_disk);
    return result;
}

/* Judges whether the caller may read each file of a chain. */
struct judgement {
    struct fs *fs;
    fuse_req_t req;
    const char *name;
    bool is_parent; /* the disk's own image comes first: the kernel has judged it */
    struct vhd_verdict *ret_why;
};

static int judge_parent(void *arg, const char *file, const struct stat *attributes)
{
    struct judgement *judgement = arg;
    const bool is_parent = judgement->is_parent;

    judgement->is_parent = true;
    if (!is_parent || fs_may_read(judgement->fs, judgement->req, attributes))
        return 0;
    vhd_verdict_set(judgement->ret_why, VHD_ACCESS_DENIED,
                    "the disk \"%s\" needs its parent \"%s\", which you may not read; ask the "
                    "owner of that file",
                    judgement->name, file);
    return -EACCES;
}

enum vhd_result fs_bytes_judge_parents(struct fs *fs, fuse_req_t req, const struct vhd_disk *disk,
                                       const char *name, struct vhd_verdict *ret_why)
{
    struct judgement judgement = {.fs = fs, .req = req, .name = name, .ret_why = ret_why};

    ret_why->result = VHD_OK;
    int err = vhd_disk_each_file(disk, judge_parent, &judgement);
    if (err < 0 && ret_why->result == VHD_OK)
        return vhd_verdict_errno(
            ret_why, err, "cannot read the permissions of the parents of the disk \"%s\"", name);
    return ret_why->result;
}

static int refuse(const struct fs_handle *handle, const struct vhd_verdict *verdict)
{
    return fs_refuse_at(handle->fs, (struct fs_where){&handle->node, NULL}, verdict);
}

int fs_bytes_open(struct fs_handle *handle)
{
    struct vhd_verdict verdict = {.result = VHD_OK};

    if (open_disk(handle, &verdict) != VHD_OK)
        return refuse(handle, &verdict);
    if (fs_bytes_judge_parents(handle->fs, handle->opener, handle->disk, handle->opened_as,
                               &verdict) == VHD_OK)
        return 0;
    fs_bytes_close(handle);
    return refuse(handle, &verdict);
}

void fs_bytes_close(struct fs_handle *handle)
{
    const struct fs_disk_ref ref = fs_bytes_ref(&handle->node);

    fs_disk_close(fs_bytes_disk(handle), &ref, handle->open_disk, &handle->access,
                  atomic_load(&handle->is_flushed));
}

void fs_bytes_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    bool is_hole = false;
    struct fs_transfer transfer;

    int err = fs_transfer_begin(&transfer, size);
    if (err == 0)
        err = vhd_disk_read(handle->disk, transfer.buf, size, (uint64_t)off, &is_hole);
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_buf(req, is_hole ? fs_transfer_zeros(&transfer, size) : transfer.buf, size);
    fs_transfer_end(&transfer);
}
