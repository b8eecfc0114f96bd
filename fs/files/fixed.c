/* SPDX-License-Identifier: MIT */
#include "files/fixed.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>

#include "disk/fixed.h"
#include "tree/handle.h"
#include "files/bytes.h"
#include "kernel/transfer.h"

#define FOOTER_SIZE ((off_t)sizeof(struct vhd_footer_disk))

static int fixed_attributes(struct fs *fs, const struct fs_node *node, struct fs_attributes *ret)
{
    int err = fs_bytes_attributes(fs, node, ret);
    if (err < 0)
        return err;
    if (ret->size > 0)
        ret->size += FOOTER_SIZE;
    return 0;
}

/* Direct, so that the kernel has only strays (page_cache.h): pages would not follow raw. */
static int fixed_open(struct fs_handle *handle)
{
    handle->open_flags = FOPEN_DIRECT_IO | FOPEN_KEEP_CACHE | FOPEN_NOFLUSH;
    return fs_bytes_open(handle);
}

static void fixed_page_read(struct fs_handle *handle)
{
    fs_disk_add_stray(fs_bytes_disk(handle), true);
}

/* Reply to a read of a range that includes a part of the footer. */
static void read_end(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    const off_t end = (off_t)vhd_disk_size(handle->disk);
    const size_t before = off < end ? (size_t)(end - off) : 0;
    const size_t start = off < end ? 0 : (size_t)(off - end); /* in the footer */
    struct vhd_footer_disk footer;
    struct fs_transfer transfer;

    int err = fs_transfer_begin(&transfer, size);
    if (err == 0 && before > 0)
        err = vhd_disk_read(handle->disk, transfer.buf, before, (uint64_t)off, NULL);
    if (err == 0) {
        vhd_disk_fixed_footer(handle->disk, &footer);
        memcpy(transfer.buf + before, (const char *)&footer + start, size - before);
        fuse_reply_buf(req, transfer.buf, size);
    } else {
        fuse_reply_err(req, -err);
    }
    fs_transfer_end(&transfer);
}

static void fixed_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    const off_t end = (off_t)vhd_disk_size(handle->disk), whole = end + FOOTER_SIZE;

    if (off >= whole)
        size = 0;
    else if ((off_t)size > whole - off)
        size = (size_t)(whole - off);
    if (size == 0)
        fuse_reply_buf(req, NULL, 0);
    else if (off + (off_t)size <= end)
        fs_bytes_read(handle, req, size, off);
    else
        read_end(handle, req, size, off);
}

/* The footer is data, so the last hole begins at the end of the file. */
static int seek(struct fs_handle *handle, off_t off, bool for_hole, off_t *ret)
{
    const off_t end = (off_t)vhd_disk_size(handle->disk), whole = end + FOOTER_SIZE;
    uint64_t found = (uint64_t)off;

    if (off < 0 || off >= whole)
        return -ENXIO;
    int err = off < end ? vhd_disk_seek(handle->disk, (uint64_t)off, for_hole, &found) : 0;
    if (err == -ENXIO)
        found = (uint64_t)end;
    else if (err < 0)
        return err;
    *ret = for_hole && (off_t)found >= end ? whole : (off_t)found;
    return 0;
}

static void fixed_seek(struct fs_handle *handle, fuse_req_t req, off_t off, int whence)
{
    int err = seek(handle, off, whence == SEEK_HOLE, &off);
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_lseek(req, off);
}

const struct fs_row_ops fs_fixed_ops = {
    .attributes = fixed_attributes,
    .open = fixed_open,
    .close = fs_bytes_close,
    .read = fixed_read,
    .page_read = fixed_page_read,
    .seek = fixed_seek,
};
