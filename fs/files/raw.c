#include "files/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/zeros.h"
#include "tree/ino.h"
#include "tree/permission.h"
#include "tree/reply.h"
#include "kernel/transfer.h"

#ifndef FOPEN_PARALLEL_DIRECT_WRITES /* Linux 6.2; older ones ignore it */
#    define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#endif

/* The most bytes that one request copies: it must not keep its thread and its caller for long. */
#define COPY_MAX (64 << 20)

static struct fs_disk *disk_of(const struct fs_handle *handle)
{
    return fs_entry_disk(handle->fs->entries, handle->node.entry);
}

static int refuse(const struct fs_handle *handle, const struct vhd_verdict *verdict)
{
    return fs_refuse_at(handle->fs, (struct fs_where){&handle->node, NULL}, verdict);
}

static struct fs_disk_ref ref_of(const struct fs_node *node)
{
    return (struct fs_disk_ref){
        .name = fs_entry_name(node->entry),
        .raw = fs_ino(node->entry->serial, FS_DISK_RAW),
        .fixed = fs_ino(node->entry->serial, FS_DISK_FIXED),
    };
}

int fs_raw_look(struct fs *fs, const struct fs_node *node, struct fs_look *ret)
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
    *ret = (struct fs_look){
        .changed = seen.attributes.st_mtim,
        .size = (off_t)seen.size,
        .blocks = blocks < whole ? blocks : whole,
    };
    return 0;
}

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

static enum vhd_result refuse_deleted(const char *name, struct vhd_verdict *ret_why)
{
    return vhd_verdict_set(ret_why, VHD_PATH_NOT_FOUND, "the disk \"%s\" has been deleted", name);
}

/* Open the disk of a handle, or refuse with a sentence. */
static enum vhd_result open_disk(struct fs_handle *handle, struct vhd_verdict *ret_why)
{
    struct fs *fs = handle->fs;
    struct fs_disk *disk = disk_of(handle);

    if (!disk)
        return vhd_verdict_set(ret_why, VHD_OUT_OF_MEMORY, NULL);
    if (handle->access.is_writer && fs_judge_change(fs, ret_why) != VHD_OK)
        return ret_why->result;
    if (fs_entry_is_retired(fs->entries, handle->node.entry))
        return refuse_deleted(handle->opened_as, ret_why);
    const struct fs_disk_ref ref = ref_of(&handle->node);
    enum vhd_result result =
        fs_disk_open(disk, fs, &ref, &handle->access, &handle->open_disk, ret_why);
    if (result == VHD_OK)
        handle->disk = fs_open_disk_content(handle->open_disk);
    return result;
}

/* Judges whether the caller may read each file of a chain. */
struct judgement {
    const struct fs_handle *handle;
    bool is_parent; /* the disk's own image comes first: the kernel has judged it */
    struct vhd_verdict *ret_why;
};

static int judge_parent(void *arg, const char *file, const struct stat *attributes)
{
    struct judgement *judgement = arg;
    const bool is_parent = judgement->is_parent;

    judgement->is_parent = true;
    if (!is_parent || fs_may_read(judgement->handle->fs, judgement->handle->opener, attributes))
        return 0;
    vhd_verdict_set(judgement->ret_why, VHD_ACCESS_DENIED,
                    "the disk \"%s\" is based on \"%s\", which you may not read; ask its owner",
                    judgement->handle->opened_as, file);
    return -EACCES;
}

static enum vhd_result judge_parents(struct fs_handle *handle, struct vhd_verdict *ret_why)
{
    struct judgement judgement = {.handle = handle, .ret_why = ret_why};

    int err = vhd_disk_each_file(handle->disk, judge_parent, &judgement);
    if (err < 0 && ret_why->result == VHD_OK)
        return vhd_verdict_errno(ret_why, err, "cannot tell who may read the parents of \"%s\"",
                                 handle->opened_as);
    return ret_why->result;
}

int fs_raw_open(struct fs_handle *handle)
{
    struct vhd_verdict verdict = {.result = VHD_OK};

    if (open_disk(handle, &verdict) != VHD_OK)
        return refuse(handle, &verdict);
    if (judge_parents(handle, &verdict) == VHD_OK)
        return 0;
    fs_raw_close(handle);
    return refuse(handle, &verdict);
}

void fs_raw_close(struct fs_handle *handle)
{
    const struct fs_disk_ref ref = ref_of(&handle->node);

    fs_disk_close(disk_of(handle), &ref, handle->open_disk, &handle->access,
                  atomic_load(&handle->is_flushed));
}

/* FOPEN_KEEP_CACHE: an open never drops pages by itself. page_cache.h says when they must go. */
static int raw_open(struct fs_handle *handle)
{
    handle->access = access_of(handle);
    int err = fs_raw_open(handle);
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
        fs_open_disk_set_flushed(disk_of(handle), handle->open_disk, is_flushed);
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

void fs_raw_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
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

static void raw_page_read(struct fs_handle *handle)
{
    if (fs_open_disk_is_direct(handle->open_disk))
        fs_disk_add_stray(disk_of(handle), false);
}

static void raw_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    const uint64_t len = inside(handle->disk, off, size);

    set_flushed(handle, false);
    if (len == 0)
        fuse_reply_buf(req, NULL, 0);
    else
        fs_raw_read(handle, req, len, off);
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
                        "the disk \"%s\" ends at %" PRIu64 " bytes: what is beyond does not fit",
                        name, vhd_disk_size(handle->disk));
    else if (!is_end && vhd_disk_has_failed(handle->disk) && is_news(handle, FS_TOLD_FAILURE))
        vhd_verdict_set(&verdict, VHD_ACCESS_FAILED,
                        "a sync of the disk \"%s\" has failed, and what was written since the last "
                        "good one may be lost; close it everywhere and open it again",
                        name);
    else if (!is_end && !vhd_disk_has_failed(handle->disk) && is_news(handle, FS_TOLD_HOST))
        vhd_verdict_errno(&verdict, err, "the host fails a change of the disk \"%s\"", name);
    if (verdict.result != VHD_OK)
        refuse(handle, &verdict);
}

/* Drop strays after a change of the content, before the reply. */
static void drop_strays(struct fs_handle *handle)
{
    const struct fs_disk_ref ref = ref_of(&handle->node);

    fs_disk_drop_strays(disk_of(handle), handle->fs, &ref, false);
}

/* Flush the disk. fixed.vhd shows the content as last flushed, so its strays go. */
static int flush(struct fs_handle *handle)
{
    const struct fs_disk_ref ref = ref_of(&handle->node);

    int err = vhd_disk_flush(handle->disk);
    fs_disk_drop_strays(disk_of(handle), handle->fs, &ref, true);
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
    if (err < 0)
        tell_failure(handle, err, len == 0);
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
    if (fs_open_disk_has_mapper(disk_of(handle), handle->open_disk)) {
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
    const struct fs_disk_ref ref = ref_of(&handle->node);

    if (has_failed && !fs_open_disk_is_direct(handle->open_disk))
        fs_disk_drop_pages(disk_of(handle), handle->fs, &ref);
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

/*
 * Truncation.
 */

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

/* The same for a path, whose disk may be closed. Returns 0 and a sentence if it does not open. */
static int is_zero_from_by_path(struct fs *fs, const struct fs_node *node, uint64_t off,
                                struct vhd_verdict *ret_why)
{
    static const struct fs_access access = {0};
    struct fs_disk *disk = fs_entry_disk(fs->entries, node->entry);
    const struct fs_disk_ref ref = ref_of(node);
    struct fs_open_disk *open;

    if (fs_disk_open(disk, fs, &ref, &access, &open, ret_why) != VHD_OK)
        return 0;
    int is_zero = is_zero_from(fs_open_disk_content(open), off);
    fs_disk_close(disk, &ref, open, &access, false);
    return is_zero;
}

/*
 * Judge a truncation to another size than 0. After a hole at the end, cp truncates its copy to the
 * final size. Nothing is lost where all behind reads as zeros, and the disk keeps its size.
 */
static enum vhd_result judge_size(struct fs *fs, const struct fs_node *node, off_t size,
                                  const struct fs_handle *handle, struct vhd_verdict *ret_why)
{
    const char *name = fs_entry_name(node->entry);
    struct fs_look seen;

    int err = fs_raw_look(fs, node, &seen);
    if (err < 0)
        return vhd_verdict_errno(ret_why, err, "cannot find the disk \"%s\"", name);
    if (size > seen.size)
        return vhd_verdict_set(ret_why, VHD_FILE_TOO_LARGE,
                               "the disk \"%s\" keeps its size of %jd bytes; a file of %jd bytes "
                               "does not fit into it",
                               name, (intmax_t)seen.size, (intmax_t)size);
    if (size == seen.size)
        return VHD_OK;
    ret_why->result = VHD_OK;
    err = handle ? is_zero_from(handle->disk, (uint64_t)size)
                 : is_zero_from_by_path(fs, node, (uint64_t)size, ret_why);
    if (err == 1 || ret_why->result != VHD_OK)
        return ret_why->result;
    if (err < 0)
        return vhd_verdict_errno(ret_why, err, "cannot read the disk \"%s\"", name);
    return vhd_verdict_set(ret_why, VHD_NOT_PERMITTED,
                           "the disk \"%s\" keeps its size of %jd bytes, and there is data behind "
                           "byte %jd; truncate it to 0 to discard all, or punch a hole",
                           name, (intmax_t)seen.size, (intmax_t)size);
}

static void raw_truncate(struct fs *fs, const struct fs_node *node, fuse_req_t req, off_t size,
                         struct fs_handle *handle)
{
    struct fs_disk *disk = fs_entry_disk(fs->entries, node->entry);
    const struct fs_disk_ref ref = ref_of(node);
    struct vhd_verdict verdict;
    enum vhd_result result;

    if (handle)
        set_flushed(handle, false);
    if (!disk)
        result = vhd_verdict_set(&verdict, VHD_OUT_OF_MEMORY, NULL);
    else if (fs_judge_change(fs, &verdict) != VHD_OK)
        result = verdict.result;
    else if (!handle && fs_entry_is_retired(fs->entries, node->entry))
        result = refuse_deleted(ref.name, &verdict);
    else if (size == 0)
        result = fs_disk_discard_all(disk, fs, &ref, handle ? handle->open_disk : NULL, &verdict);
    else
        result = judge_size(fs, node, size, handle, &verdict);
    if (result == VHD_OK)
        fs_reply_attr(fs, node, req);
    else
        fs_reply_verdict(fs, (struct fs_where){node, NULL}, req, &verdict);
}

const struct fs_row_ops fs_raw_ops = {
    .look = fs_raw_look,
    .open = raw_open,
    .close = fs_raw_close,
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
