/* SPDX-License-Identifier: MIT */
#include "operation/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/zeros.h"
#include "format/block.h"

/* Bytes of the disk that are copied at a time: a block of a dynamic disk. */
#define PIECE ((uint64_t)VHD_BLOCK_DEFAULT)

/* Bytes that the host writes back together. It works at one such stretch while the next fills. */
#define STRETCH (UINT64_C(16) << 20)

/* File systems share space in units of this. */
#define SHARED_UNIT 4096u

struct clone {
    int fd;
    struct vhd_disk *source;
    struct vhd_task *task;
    uint8_t *buf;   /* of PIECE bytes */
    bool may_share; /* the host has not refused to share space */

    /* of a dynamic image */
    const struct vhd_blank *blank;
    struct be32 *table;   /* entries */
    uint64_t next_bitmap; /* byte offset of the next block */

    /* the stretches that the host writes back, as byte offsets in the image */
    uint64_t begun, ended;
};

/*
 * Have the host write back what the image holds up to an offset, and drop what it has written: no
 * program reads that soon.
 */
static int write_back(struct clone *clone, uint64_t up_to)
{
    const uint64_t last = clone->ended - clone->begun;
    const unsigned wait =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

    if (up_to < clone->ended + STRETCH)
        return 0;
    if (sync_file_range(clone->fd, (off64_t)clone->ended, (off64_t)(up_to - clone->ended),
                        SYNC_FILE_RANGE_WRITE) < 0)
        return -errno;
    if (last > 0) {
        if (sync_file_range(clone->fd, (off64_t)clone->begun, (off64_t)last, wait) < 0)
            return -errno;
        (void)posix_fadvise(clone->fd, (off_t)clone->begun, (off_t)last, POSIX_FADV_DONTNEED);
    }
    clone->begun = clone->ended;
    clone->ended = up_to;
    return 0;
}

/*
 * Let the image share the space of the source's file. Returns false where that is not possible;
 * nothing is changed then.
 */
static bool share(struct clone *clone, uint64_t off, uint64_t len, uint64_t to)
{
    struct file_clone_range range = {.src_length = len, .dest_offset = to};
    uint64_t at;
    int fd;

    if (!clone->may_share || len % SHARED_UNIT != 0 ||
        !vhd_disk_locate(clone->source, off, len, &fd, &at) || at % SHARED_UNIT != 0)
        return false;
    range.src_fd = fd;
    range.src_offset = at;
    if (ioctl(clone->fd, FICLONERANGE, &range) == 0)
        return true;
    /* A range may not fit while others do, but another file system never fits. */
    clone->may_share = errno == EINVAL;
    return false;
}

/* Read a piece of the source. Returns 1 for data, 0 for zeros alone, or a negative errno. */
static int read_piece(struct clone *clone, uint64_t off, uint64_t len)
{
    bool is_hole = false;

    int err = vhd_disk_read(clone->source, clone->buf, len, off, &is_hole);
    return err < 0 ? err : !is_hole && !is_zeros(clone->buf, len);
}

/* Copy a piece to its place in the image of a fixed disk, which owns its space and shares none. */
static int put_fixed(struct clone *clone, uint64_t off, uint64_t len)
{
    int has = read_piece(clone, off, len);
    return has > 0 ? vhd_io_put_sparse(clone->fd, clone->buf, len, off) : has;
}

/* Add a piece to a dynamic image as its next block, unless it holds zeros alone. */
static int put_dynamic(struct clone *clone, uint64_t off, uint64_t len)
{
    const uint64_t bitmap_at = clone->next_bitmap, data_at = bitmap_at + VHD_SECTOR_SIZE;
    uint8_t bitmap[VHD_SECTOR_SIZE];

    const bool is_shared = share(clone, off, len, data_at);
    int has = is_shared ? 0 : read_piece(clone, off, len);
    if (has < 0 || (has == 0 && !is_shared))
        return has;
    memset(bitmap, 0xFF, sizeof bitmap);
    int err = vhd_io_put(clone->fd, bitmap, sizeof bitmap, bitmap_at);
    if (err == 0 && !is_shared)
        err = vhd_io_put_sparse(clone->fd, clone->buf, len, data_at);
    clone->table[off / PIECE] = be32_of((uint32_t)(bitmap_at / VHD_SECTOR_SIZE));
    clone->next_bitmap += VHD_DATA_ALIGNMENT + PIECE;
    return err;
}

/* Copy all pieces that are no holes. */
static int put_all(struct clone *clone)
{
    const uint64_t size = vhd_disk_size(clone->source);
    uint64_t off = 0;
    int err = 0;

    while (err == 0 && (err = vhd_disk_seek(clone->source, off, false, &off)) == 0) {
        if (clone->task && vhd_task_is_cancelled(clone->task))
            return -ECANCELED;
        off -= off % PIECE;
        const uint64_t len = size - off < PIECE ? size - off : PIECE;
        err = clone->blank ? put_dynamic(clone, off, len) : put_fixed(clone, off, len);
        vhd_disk_uncache(clone->source, off, len);
        off += len;
        if (err == 0)
            err = write_back(clone, clone->blank ? clone->next_bitmap : off);
        if (clone->task)
            vhd_task_advance(clone->task, off, size);
    }
    return err == -ENXIO ? 0 : err; /* no data follows */
}

/* Write the metadata around the blocks. */
static int put_metadata(const struct clone *clone)
{
    const struct vhd_blank *blank = clone->blank;
    const uint64_t blocks_at = blank->placement.first_bitmap;
    struct vhd_footer_disk footer;
    struct vhd_header_disk header;

    vhd_footer_encode(&blank->footer, &footer);
    vhd_header_encode(&blank->header, &header);
    struct iovec iov[] = {{&footer, sizeof footer},
                          {&header, sizeof header},
                          {clone->table, blank->placement.table_length}};
    int err = vhd_io_write(clone->fd, iov, 3, 0);
    if (err < 0)
        return err;
    /* The data of the last block ends where the gap before the next bitmap begins. */
    const uint64_t end = clone->next_bitmap == blocks_at
                             ? blank->placement.empty_length - VHD_FOOTER_SIZE
                             : clone->next_bitmap - VHD_DATA_ALIGNMENT + VHD_SECTOR_SIZE;
    return vhd_io_put(clone->fd, &footer, sizeof footer, end);
}

int vhd_clone(int fd, const struct vhd_blank *blank, struct vhd_disk *source, struct vhd_task *task)
{
    AUTO_FREE uint8_t *buf = malloc(PIECE);
    AUTO_FREE struct be32 *table = blank ? malloc(blank->placement.table_length) : NULL;
    struct clone clone = {
        .fd = fd,
        .source = source,
        .task = task,
        .buf = buf,
        .may_share = true,
        .blank = blank,
        .table = table,
    };

    if (!buf || (blank && !table))
        return -ENOMEM;
    if (blank) {
        memset(table, 0xFF, blank->placement.table_length);
        clone.next_bitmap = clone.begun = clone.ended = blank->placement.first_bitmap;
    }
    int err = put_all(&clone);
    return err == 0 && blank ? put_metadata(&clone) : err;
}
