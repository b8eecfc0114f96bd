/* SPDX-License-Identifier: MIT */
#include "files/truncate.h"

#include <errno.h>
#include <stdint.h>

#include "base/zeros.h"
#include "files/bytes.h"
#include "kernel/transfer.h"
#include "tree/permission.h"
#include "tree/reply.h"

/* Does all from off on read as zeros, allocated or not? Returns 1, 0 or a negative errno. */
static int is_zero_from(struct vhd_disk *disk, uint64_t off)
{
    const uint64_t size = vhd_disk_size(disk);
    struct fs_transfer transfer;

    int err = fs_transfer_begin(&transfer, FS_TRANSFER_MAX);
    bool is_zero = true;
    while (err == 0 && is_zero && off < size) {
        err = vhd_disk_seek(disk, off, false, &off);
        const uint64_t left = err == 0 ? size - off : 0;
        const size_t len = left < FS_TRANSFER_MAX ? (size_t)left : FS_TRANSFER_MAX;
        if (err == 0)
            err = vhd_disk_read(disk, transfer.buf, len, off, NULL);
        is_zero = err < 0 || is_zeros(transfer.buf, len);
        off += len;
    }
    fs_transfer_end(&transfer);
    if (err < 0 && err != -ENXIO)
        return err;
    return is_zero;
}

/*
 * Judge a truncation to another size than 0. After a hole at the end, cp truncates its copy to the
 * final size. Nothing is lost where all behind reads as zeros, and the disk keeps its size.
 */
static enum vhd_result judge_size(struct fs *fs, const struct fs_node *node, off_t size,
                                  struct vhd_disk *content, struct vhd_verdict *ret_why)
{
    const char *name = fs_entry_name(node->entry);
    struct fs_attributes seen;

    int err = fs_bytes_attributes(fs, node, &seen);
    if (err < 0)
        return vhd_verdict_errno(ret_why, err, "cannot find the disk \"%s\"", name);
    if (size > seen.size)
        return vhd_verdict_set(ret_why, VHD_FILE_TOO_LARGE,
                               "the disk \"%s\" keeps its size of %jd bytes, so %jd bytes do not "
                               "fit; make a larger disk",
                               name, (intmax_t)seen.size, (intmax_t)size);
    if (size == seen.size)
        return VHD_OK;
    err = is_zero_from(content, (uint64_t)size);
    if (err == 1)
        return VHD_OK;
    if (err < 0)
        return vhd_verdict_errno(ret_why, err, "cannot read the disk \"%s\"", name);
    return vhd_verdict_set(ret_why, VHD_NOT_PERMITTED,
                           "the disk \"%s\" keeps its size of %jd bytes, and truncation to %jd "
                           "bytes would lose data; truncate it to 0 to discard all, or punch a "
                           "hole",
                           name, (intmax_t)seen.size, (intmax_t)size);
}

/*
 * Judge a truncation by path. The kernel opens no file for it, so the disk may be closed, and its
 * caller is judged here as at an open.
 */
static enum vhd_result judge_by_path(struct fs *fs, const struct fs_node *node, fuse_req_t req,
                                     off_t size, struct fs_disk *disk, struct vhd_verdict *ret_why)
{
    static const struct fs_access access = {0};
    const struct fs_disk_ref ref = fs_bytes_ref(node);
    struct fs_open_disk *open;

    if (fs_bytes_judge_there(fs, node, ref.name, ret_why) != VHD_OK ||
        fs_disk_open(disk, fs, &ref, &access, &open, ret_why) != VHD_OK)
        return ret_why->result;
    struct vhd_disk *content = fs_open_disk_content(open);
    enum vhd_result result = fs_bytes_judge_parents(fs, req, content, ref.name, ret_why);
    if (result == VHD_OK && size != 0)
        result = judge_size(fs, node, size, content, ret_why);
    fs_disk_close(disk, &ref, open, &access, false);
    return result;
}

void fs_raw_truncate(struct fs *fs, const struct fs_node *node, fuse_req_t req, off_t size,
                     struct fs_handle *handle)
{
    struct fs_disk *disk = fs_entry_disk(fs->entries, node->entry);
    const struct fs_disk_ref ref = fs_bytes_ref(node);
    struct vhd_verdict verdict;
    enum vhd_result result;

    if (!disk)
        result = vhd_verdict_set(&verdict, VHD_OUT_OF_MEMORY, NULL);
    else if (fs_judge_change(fs, &verdict) != VHD_OK)
        result = verdict.result;
    else if (!handle)
        result = judge_by_path(fs, node, req, size, disk, &verdict);
    else
        result = size == 0 ? VHD_OK : judge_size(fs, node, size, handle->disk, &verdict);
    if (result == VHD_OK && size == 0)
        result = fs_disk_discard_all(disk, fs, &ref, handle ? handle->open_disk : NULL, &verdict);
    if (result == VHD_OK)
        fs_reply_attr(fs, node, req);
    else
        fs_reply_verdict(fs, (struct fs_where){node, NULL}, req, &verdict);
}
