/* SPDX-License-Identifier: MIT */
#include "files/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fuse.h>
#include <stdatomic.h>

#include "files/bytes.h"
#include "files/truncate.h"
#include "tree/reply.h"

#ifndef FOPEN_PARALLEL_DIRECT_WRITES /* Linux 6.2; older ones ignore it */
#    define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#endif

/* The most bytes that one request copies: it must not keep its thread and its caller for long. */
#define COPY_MAX (64 << 20)

/*
 * Opening.
 */

/* A file that is open for writing only is faster in direct mode, and cannot be mapped anyway. */
static struct fs_access access_of(const struct fs_handle *handle)
{
    const bool is_write_only = (handle->flags & O_ACCMODE) == O_WRONLY;

    return (struct fs_access){
        .is_raw = true,
        .is_writer = handle->is_writer,
        .is_direct = is_write_only || handle->flags & O_DIRECT,
        .is_mapper = (handle->flags & O_ACCMODE) == O_RDWR,
    };
}

/* FOPEN_KEEP_CACHE: an open never drops pages by itself. page_cache.h says when they must go. */
static int raw_open(struct fs_handle *handle)
{
    handle->access = access_of(handle);
    int err = fs_bytes_open(handle);
    if (err < 0)
        return err;
    handle->open_flags = FOPEN_KEEP_CACHE;
    if (fs_open_disk_is_direct(handle->open_disk))
        handle->open_flags |= FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES;
    return 0;
}

/* Note a flush, after which a file is about to be closed; or that it is used again. */
static void set_flushed(struct fs_handle *handle, bool is_flushed)
{
    if (atomic_load(&handle->is_flushed) != is_flushed &&
        atomic_exchange(&handle->is_flushed, is_flushed) != is_flushed)
        fs_open_disk_set_flushed(fs_bytes_disk(handle), handle->open_disk, is_flushed);
}

/*
 * Reading and writing.
 */

/* The length of the part of a range that lies in the disk. */
static uint64_t inside(const struct vhd_disk *disk, off_t off, uint64_t len)
{
    const uint64_t size = vhd_disk_size(disk), start = (uint64_t)off;

    if (start >= size)
        return 0;
    return len < size - start ? len : size - start;
}

static void raw_page_read(struct fs_handle *handle)
{
    if (fs_open_disk_is_direct(handle->open_disk))
        fs_disk_add_stray(fs_bytes_disk(handle), false);
}

static void raw_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    const uint64_t len = inside(handle->disk, off, size);

    set_flushed(handle, false);
    if (len == 0)
        fuse_reply_buf(req, NULL, 0);
    else
        fs_bytes_read(handle, req, len, off);
}

/* Has errors no line of this yet? Then it counts as having one. */
static bool is_news(struct fs_handle *handle, enum fs_told what)
{
    return !(atomic_fetch_or(&handle->told, what) & what);
}

/*
 * Add a line to errors for a failed change of the disk, once a file and kind of failure: the errno
 * alone does not say what to do.
 *
 *   err     negative
 *   is_end  the range begins at the end of the disk, or beyond
 */
static void tell_failure(struct fs_handle *handle, int err, bool is_end)
{
    const char *name = handle->opened_as;
    struct vhd_verdict verdict = {.result = VHD_OK};

    if (is_end && is_news(handle, FS_TOLD_END))
        vhd_verdict_set(&verdict, VHD_DISK_FULL,
                        "the disk \"%s\" has %" PRIu64
                        " bytes, so this write does not fit; make a larger disk",
                        name, vhd_disk_size(handle->disk));
    else if (!is_end && vhd_disk_has_failed(handle->disk) && is_news(handle, FS_TOLD_FAILURE))
        vhd_disk_refuse_failed(handle->disk, &verdict);
    else if (!is_end && !vhd_disk_has_failed(handle->disk) && is_news(handle, FS_TOLD_HOST))
        vhd_verdict_errno(&verdict, err, "the host failed to write the disk \"%s\"", name);
    if (verdict.result != VHD_OK)
        fs_refuse_at(handle->fs, (struct fs_where){&handle->node, NULL}, &verdict);
}

/* Drop strays after a change of the content, before the reply. */
static void drop_strays(struct fs_handle *handle)
{
    const struct fs_disk_ref ref = fs_bytes_ref(&handle->node);

    fs_disk_drop_strays(fs_bytes_disk(handle), handle->fs, &ref, false);
}

/* Flush the disk. fixed.vhd shows the content as last flushed, so its strays go. */
static int flush(struct fs_handle *handle)
{
    const struct fs_disk_ref ref = fs_bytes_ref(&handle->node);

    int err = vhd_disk_flush(handle->disk);
    fs_disk_drop_strays(fs_bytes_disk(handle), handle->fs, &ref, true);
    if (err < 0)
        tell_failure(handle, err, false);
    return err;
}

static void raw_write(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data)
{
    const size_t len = inside(handle->disk, data->off, data->len);

    set_flushed(handle, false);
    int err = -ENOSPC;
    if (len > 0)
        err = vhd_disk_write(handle->disk, data->bytes, len, (uint64_t)data->off);
    if (err < 0) {
        fs_open_disk_note_failure(handle->open_disk, err);
        tell_failure(handle, err, len == 0);
    }
    drop_strays(handle);
    /* For a write through its pages the kernel sends an FSYNC of its own. */
    if (err == 0 && data->is_sync && fs_open_disk_is_direct(handle->open_disk))
        err = flush(handle);
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_write(req, len);
}

static void raw_fsync(struct fs_handle *handle, fuse_req_t req)
{
    fuse_reply_err(req, -flush(handle));
}

static void raw_flush(struct fs_handle *handle, fuse_req_t req)
{
    int err = handle->is_writer ? flush(handle) : 0;
    set_flushed(handle, true);
    fuse_reply_err(req, -err);
}

/*
 * Space.
 */

static void raw_seek(struct fs_handle *handle, fuse_req_t req, off_t off, int whence)
{
    uint64_t found;

    set_flushed(handle, false);
    if (fs_open_disk_has_mapper(fs_bytes_disk(handle), handle->open_disk)) {
        fs_reply_seek(req, (off_t)vhd_disk_size(handle->disk), off, whence);
        return;
    }
    int err =
        off < 0 ? -ENXIO : vhd_disk_seek(handle->disk, (uint64_t)off, whence == SEEK_HOLE, &found);
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_lseek(req, (off_t)found);
}

/* To punch a hole and to zero a range are the same here. Nothing makes the disk longer. */
static int allocate(struct fs_handle *handle, int mode, off_t off, off_t len)
{
    const bool keeps_size = mode & FALLOC_FL_KEEP_SIZE;
    const int what = mode & ~FALLOC_FL_KEEP_SIZE;
    const uint64_t part = inside(handle->disk, off, (uint64_t)len);

    if (what != FALLOC_FL_ZERO_RANGE && !(what == FALLOC_FL_PUNCH_HOLE && keeps_size))
        return -EOPNOTSUPP;
    if (!keeps_size && part < (uint64_t)len)
        return -ENOSPC;
    return part > 0 ? vhd_disk_discard(handle->disk, part, (uint64_t)off) : 0;
}

/*
 * End a discard or a copy. After a success the kernel drops the pages of the range by itself. A
 * failed one may have changed a part, too.
 */
static void end_change(struct fs_handle *handle, bool has_failed)
{
    const struct fs_disk_ref ref = fs_bytes_ref(&handle->node);

    if (has_failed && !fs_open_disk_is_direct(handle->open_disk))
        fs_disk_drop_pages(fs_bytes_disk(handle), handle->fs, &ref);
    drop_strays(handle);
}

static void raw_allocate(struct fs_handle *handle, fuse_req_t req, int mode, off_t off, off_t len)
{
    set_flushed(handle, false);
    int err = allocate(handle, mode, off, len);
    if (err < 0 && err != -EOPNOTSUPP)
        tell_failure(handle, err, inside(handle->disk, off, (uint64_t)len) < (uint64_t)len);
    if (err != -EOPNOTSUPP)
        end_change(handle, err < 0);
    fuse_reply_err(req, -err);
}

static void raw_copy(struct fs_handle *source, off_t source_off, struct fs_handle *target,
                     off_t target_off, size_t len, fuse_req_t req)
{
    const uint64_t there = inside(source->disk, source_off, len);
    uint64_t part = inside(target->disk, target_off, there);

    set_flushed(source, false);
    set_flushed(target, false);
    if (part > COPY_MAX)
        part = COPY_MAX;
    int err = there > 0 && part == 0 ? -ENOSPC : 0;
    if (part > 0) {
        err = vhd_disk_copy(source->disk, (uint64_t)source_off, target->disk, (uint64_t)target_off,
                            part);
        end_change(target, err < 0);
    }
    if (err < 0) {
        tell_failure(target, err, part == 0);
        fuse_reply_err(req, -err);
    } else {
        fuse_reply_write(req, part);
    }
}

static void raw_truncate(struct fs *fs, const struct fs_node *node, fuse_req_t req, off_t size,
                         struct fs_handle *handle)
{
    if (handle)
        set_flushed(handle, false);
    fs_raw_truncate(fs, node, req, size, handle);
}

const struct fs_row_ops fs_raw_ops = {
    .attributes = fs_bytes_attributes,
    .open = raw_open,
    .close = fs_bytes_close,
    .read = raw_read,
    .page_read = raw_page_read,
    .write = raw_write,
    .flush = raw_flush,
    .fsync = raw_fsync,
    .seek = raw_seek,
    .allocate = raw_allocate,
    .copy = raw_copy,
    .truncate = raw_truncate,
};
