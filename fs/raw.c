#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fuse.h>
#include <stdlib.h>

#include "emptying.h"
#include "handle.h"
#include "ino.h"
#include "refuse.h"
#include "transfer.h"

#ifndef FOPEN_PARALLEL_DIRECT_WRITES /* Linux 6.2 */
#    define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#endif

static const char folder[] = "disks";

/* Bytes that one request copies at most: it is not to keep its thread, and its caller, for long. */
#define COPY_MAX (64 << 20)

static struct fs_content *content_of(const struct fs_handle *handle)
{
    return fs_name_content(handle->fs->names, handle->node.name);
}

int fs_raw_look(struct fs *fs, const struct fs_node *node, struct fs_look *ret)
{
    struct fs_content *content = fs_name_content(fs->names, node->name);
    struct fs_content_look seen;

    if (!content)
        return -ENOMEM;
    if (fs_name_is_retired(fs->names, node->name))
        return -ENOENT;
    int err = fs_content_look(content, fs, fs_name_text(node->name), &seen);
    if (err < 0)
        return err;
    /* What copies files takes one with fewer blocks than its size for sparse, and no other. */
    const blkcnt_t whole = (blkcnt_t)(seen.size / 512);
    *ret = (struct fs_look){
        .changed = seen.changed,
        .size = (off_t)seen.size,
        .blocks = seen.blocks < whole ? seen.blocks : whole,
        .generation = seen.generation,
    };
    return 0;
}

/*
 * Opening.
 *
 * What is only written to is written past the kernel's pages, as if it had asked for that: dd, cp
 * and cat are faster so, and a mapping is not to be had of it anyway. Where the kernel would not
 * drop the pages that others have read, it does in its own way what is asked.
 */

static bool is_write_only(const struct fs_handle *handle)
{
    return (handle->flags & O_ACCMODE) == O_WRONLY;
}

static bool is_direct(const struct fs_handle *handle)
{
    return handle->fs->drops_written_pages && (is_write_only(handle) || handle->flags & O_DIRECT);
}

static enum fs_content_use use_of(const struct fs_handle *handle)
{
    if (!handle->is_writer)
        return FS_CONTENT_READ;
    return is_write_only(handle) || is_direct(handle) ? FS_CONTENT_WRITE : FS_CONTENT_MAP;
}

/* Open the disk of a handle, or say why not. */
static enum vhd_result open_disk(struct fs_handle *handle, enum fs_content_use use,
                                 struct fs_content_opened *ret, struct vhd_verdict *ret_why)
{
    struct fs *fs = handle->fs;
    struct fs_content *content = content_of(handle);

    if (!content)
        return vhd_verdict_set(ret_why, VHD_OUT_OF_MEMORY, NULL);
    if (use != FS_CONTENT_READ && fs->is_read_only)
        return vhd_verdict_set(ret_why, VHD_READ_ONLY, "vhdfs is mounted read-only");
    if (fs_name_is_retired(fs->names, handle->node.name))
        return vhd_verdict_set(ret_why, VHD_PATH_NOT_FOUND, "the disk \"%s\" has been deleted",
                               handle->opened_as);
    return fs_content_open(content, fs, fs_name_text(handle->node.name), use, ret, ret_why);
}

int fs_raw_open(struct fs_handle *handle, enum fs_content_use use, struct fs_content_opened *ret)
{
    struct vhd_verdict verdict;

    if (open_disk(handle, use, ret, &verdict) != VHD_OK)
        return fs_refuse(handle->fs, folder, handle->opened_as, &verdict);
    handle->disk = ret->disk;
    return 0;
}

void fs_raw_close(struct fs_handle *handle, enum fs_content_use use)
{
    fs_content_close(content_of(handle), handle->fs, fs_name_text(handle->node.name), use);
}

static int raw_open(struct fs_handle *handle)
{
    struct fs_content_opened opened = {0};
    const enum fs_content_use use = use_of(handle);

    int err = fs_raw_open(handle, use, &opened);
    if (err < 0)
        return err;
    /* The kernel looks the name up again, and comes back with the node of today. */
    if (!fs_ino_is_of(handle->id, opened.generation)) {
        fs_raw_close(handle, use);
        return -ESTALE;
    }
    if (is_direct(handle))
        handle->use_flags = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES;
    else
        handle->use_flags = opened.is_stale ? 0 : FOPEN_KEEP_CACHE;
    if (!(handle->use_flags & FOPEN_KEEP_CACHE))
        fs_content_dropped(content_of(handle));
    return 0;
}

static void raw_close(struct fs_handle *handle)
{
    fs_raw_close(handle, use_of(handle));
}

/*
 * Reading and writing.
 */

/* How much of a range lies in the disk. */
static uint64_t inside(const struct vhd_disk *disk, off_t off, uint64_t len)
{
    const uint64_t size = vhd_disk_size(disk), start = (uint64_t)off;

    if (start >= size)
        return 0;
    return len < size - start ? len : size - start;
}

void fs_raw_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    char *buf = fs_transfer_buffer();
    bool is_hole = false;

    int err = buf ? vhd_disk_read(handle->disk, buf, size, (uint64_t)off, &is_hole) : -ENOMEM;
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_buf(req, is_hole ? fs_transfer_zeros() : buf, size);
}

static void raw_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    const uint64_t len = inside(handle->disk, off, size);

    if (len == 0)
        fuse_reply_buf(req, NULL, 0);
    else
        fs_raw_read(handle, req, len, off);
}

static void raw_write(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data)
{
    const size_t len = inside(handle->disk, data->off, data->len);

    int err = -ENOSPC;
    if (len > 0)
        err = vhd_disk_write(handle->disk, data->bytes, len, (uint64_t)data->off);
    /* For what goes through its pages the kernel asks for an fsync by itself. */
    if (err == 0 && data->is_sync && is_direct(handle))
        err = vhd_disk_flush(handle->disk);
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_write(req, len);
}

static void raw_fsync(struct fs_handle *handle, fuse_req_t req)
{
    fuse_reply_err(req, -vhd_disk_flush(handle->disk));
}

static void raw_flush(struct fs_handle *handle, fuse_req_t req)
{
    fuse_reply_err(req, handle->is_writer ? -vhd_disk_flush(handle->disk) : 0);
}

/*
 * Room.
 */

static void raw_seek(struct fs_handle *handle, fuse_req_t req, off_t off, int whence)
{
    uint64_t found;

    if (fs_content_has_mapper(content_of(handle))) {
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

/* Holes are punched and ranges zeroed, which is the same here; nothing makes the disk longer. */
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

/* A change that has failed half-way has changed something all the same. */
static void fail(struct fs_handle *handle, fuse_req_t req, int err)
{
    fs_fail_in_part(handle->fs->emptier, handle, req, -err);
}

static void raw_allocate(struct fs_handle *handle, fuse_req_t req, int mode, off_t off, off_t len)
{
    int err = allocate(handle, mode, off, len);
    if (err < 0 && err != -EOPNOTSUPP)
        fail(handle, req, err);
    else
        fuse_reply_err(req, -err);
}

static void raw_copy(struct fs_handle *source, off_t source_off, struct fs_handle *target,
                     off_t target_off, size_t len, fuse_req_t req)
{
    const uint64_t there = inside(source->disk, source_off, len);
    uint64_t part = inside(target->disk, target_off, there);

    if (part > COPY_MAX)
        part = COPY_MAX;
    int err = there > 0 && part == 0 ? -ENOSPC : 0;
    if (part > 0)
        err = vhd_disk_copy(source->disk, (uint64_t)source_off, target->disk, (uint64_t)target_off,
                            part);
    if (err < 0 && part > 0)
        fail(target, req, err);
    else if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_write(req, part);
}

/* Is there nothing from there on, so that it makes no difference where the disk ends? */
static bool is_empty_from(struct vhd_disk *disk, off_t off)
{
    uint64_t found;

    return (uint64_t)off <= vhd_disk_size(disk) &&
           vhd_disk_seek(disk, (uint64_t)off, false, &found) == -ENXIO;
}

/*
 * A disk's size stays. But whoever writes a file anew gives it the size 0 first, by its path, and
 * is content to have its content gone; and whoever has copied a hole at the end, as cp does, gives
 * it the size that the copy has. What would lose data is refused.
 */
static void raw_truncate(struct fs *fs, const struct fs_node *node, fuse_req_t req, off_t size,
                         struct fs_handle *handle)
{
    struct fs_look seen;

    int err = fs_raw_look(fs, node, &seen);
    if (err < 0)
        fuse_reply_err(req, -err);
    else if (size == 0 && !handle)
        fs_empty(fs->emptier, fs, node, req);
    else if (size == seen.size || (handle && is_empty_from(handle->disk, size)))
        fs_reply_attr(fs, node, req);
    else
        fuse_reply_err(req, EPERM);
}

const struct fs_row_ops fs_raw_ops = {
    .look = fs_raw_look,
    .open = raw_open,
    .close = raw_close,
    .read = raw_read,
    .write = raw_write,
    .flush = raw_flush,
    .fsync = raw_fsync,
    .seek = raw_seek,
    .allocate = raw_allocate,
    .copy = raw_copy,
    .truncate = raw_truncate,
    .is_kept = true,
};
