/* SPDX-License-Identifier: MIT */
#include "reshape/resize.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/zeros.h"
#include "disk/allocate.h"
#include "disk/barrier.h"
#include "disk/confirm.h"
#include "disk/grow.h"
#include "disk/recover.h"
#include "disk/resize_fixed.h"
#include "disk/state.h"
#include "format/block.h"
#include "format/checksum.h"
#include "format/table.h"
#include "image/image.h"
#include "image/layout.h"

/* Bytes of one transfer. */
#define PIECE (UINT64_C(1) << 20)

/* Bytes that one call reads, or moves, before the caller may stop. */
#define AT_ONCE (UINT64_C(16) << 20)

/* Bytes in which a hole of a fixed disk is looked for at a time. */
#define STRIDE (UINT64_C(256) << 20)

static uint32_t block_size(const struct vhd_disk *disk)
{
    return disk->top->image.header.block_size;
}

/* The blocks of a disk of this size. */
static uint64_t blocks_of(const struct vhd_disk *disk, uint64_t size)
{
    return div_round_up(size, block_size(disk));
}

/* The end in the file of a table with this many entries: whole sectors. */
static uint64_t table_end(const struct vhd_disk *disk, uint64_t entries)
{
    return disk->top->image.header.table_offset + round_up(4 * entries, VHD_SECTOR_SIZE);
}

/*
 * The limit: where the table of a larger disk ends, below which no block may begin. 0 if the table
 * has enough entries already.
 */
static uint64_t limit_of(const struct vhd_disk *disk, uint64_t size)
{
    const uint64_t blocks = blocks_of(disk, size);

    return blocks > disk->top->image.header.max_entries ? table_end(disk, blocks) : 0;
}

/*
 * Judging.
 */

static int judge_dynamic(const struct vhd_disk *disk, uint64_t size, uint64_t *ret_length)
{
    const uint64_t blocks = blocks_of(disk, size), limit = limit_of(disk, size);
    const uint64_t stride = round_up(vhd_block_length(block_size(disk)), VHD_DATA_ALIGNMENT);
    struct vhd_layout layout;

    if (blocks > VHD_IMAGE_BLOCKS_MAX)
        return -EFBIG;
    int err = vhd_layout_list(disk->top, &layout);
    if (err < 0)
        return err;
    const uint64_t behind = layout.behind_table;
    vhd_layout_free(&layout);
    if (behind < limit)
        return -EOPNOTSUPP;
    *ret_length = table_end(disk, blocks) + blocks * stride + VHD_DATA_ALIGNMENT;
    return *ret_length / VHD_SECTOR_SIZE < VHD_UNALLOCATED ? 0 : -EFBIG;
}

int vhd_disk_judge_size(const struct vhd_disk *disk, uint64_t size, uint64_t *ret_length)
{
    if (!vhd_disk_is_fixed(disk))
        return judge_dynamic(disk, size, ret_length);
    *ret_length = size + VHD_FOOTER_SIZE;
    return disk->footer_at % VHD_SECTOR_SIZE == 0 ? 0 : -EOPNOTSUPP;
}

/*
 * Finding data backwards.
 */

/* Does a range lie in an unallocated block, or in a hole of the host? */
static bool is_hole(struct vhd_disk *disk, uint64_t at, uint64_t end)
{
    uint64_t data;

    if (!vhd_disk_is_fixed(disk))
        return vhd_layer_entry(disk->top, (uint32_t)(at / block_size(disk))) == VHD_UNALLOCATED;
    int err = vhd_disk_seek(disk, at, false, &data);
    return err == -ENXIO || (err == 0 && data >= end);
}

/* The beginning of the stretch before end that is looked at next: a block, or STRIDE. */
static uint64_t stretch_before(const struct vhd_disk *disk, uint64_t from, uint64_t end)
{
    const uint64_t length = vhd_disk_is_fixed(disk) ? STRIDE : block_size(disk);
    const uint64_t at = (end - 1) / length * length;

    return at > from ? at : from;
}

/* Read the bytes before *end, at most PIECE, and lower *end to the end of their data. */
static int skip_piece(struct vhd_disk *disk, uint8_t *buf, uint64_t from, uint64_t *end)
{
    const uint64_t at = *end - from > PIECE ? *end - PIECE : from;
    bool is_hole = false;
    size_t len = (size_t)(*end - at);

    int err = vhd_disk_read(disk, buf, len, at, &is_hole);
    vhd_disk_uncache(disk, at, len);
    if (err < 0)
        return err;
    for (; len > 0 && !is_hole; len -= VHD_SECTOR_SIZE) {
        if (!is_zeros(buf + len - VHD_SECTOR_SIZE, VHD_SECTOR_SIZE)) {
            *end = at + len;
            return 1;
        }
    }
    *end = at;
    return 0;
}

int vhd_disk_skip_zeros(struct vhd_disk *disk, uint64_t from, uint64_t *end)
{
    AUTO_FREE uint8_t *buf = malloc(PIECE);
    uint64_t cost = 0;
    int result = buf ? 0 : -ENOMEM;

    while (*end > from && cost < AT_ONCE && result == 0) {
        const uint64_t at = stretch_before(disk, from, *end), before = *end;
        if (is_hole(disk, at, *end)) {
            *end = at;
            cost += vhd_disk_is_fixed(disk) ? PIECE / 16 : 64;
            continue;
        }
        /* In a fixed disk a hole may follow each piece. */
        result = skip_piece(disk, buf, at, end);
        cost += before - *end;
    }
    return result;
}

/*
 * A dynamic disk, larger.
 */

/* Put the footer at the limit, if it lies below. Call it with growth_lock held. */
static int move_footer(struct vhd_disk *disk, uint64_t limit)
{
    vhd_slots_drop_below(&disk->slots, limit);
    if (disk->footer_at >= limit)
        return 0;
    disk->has_written = true;
    int err = vhd_disk_move_footer(disk, limit);
    if (err == 0)
        err = vhd_disk_barrier(disk);
    vhd_slots_drop_below(&disk->slots, limit);
    return err;
}

/* A block, and the slot that it moves to. */
struct move {
    uint32_t block, sector;
};

/* Does a block lie in the place of the new table? */
static bool is_in_the_way(const struct vhd_disk *disk, uint32_t block, uint64_t limit)
{
    const uint32_t entry = vhd_layer_entry(disk->top, block);
    const uint64_t at = (uint64_t)entry * VHD_SECTOR_SIZE;

    return entry != VHD_UNALLOCATED && at < limit && at > disk->top->image.header.table_offset;
}

/* List blocks in the way, at most as many as moves has space for. Returns their number. */
static size_t list_moves(const struct vhd_disk *disk, uint64_t limit, struct move *moves,
                         size_t most)
{
    size_t count = 0;

    for (uint32_t block = 0; block < disk->top->image.blocks && count < most; block++) {
        if (is_in_the_way(disk, block, limit))
            moves[count++].block = block;
    }
    return count;
}

/* Copy a slot, bitmap and data, to a ready one, whose data is zeros. */
static int copy_slot(const struct vhd_disk *disk, uint32_t from, uint32_t to, uint8_t *buf)
{
    const uint64_t length = vhd_block_length(block_size(disk));
    const uint64_t bitmap = disk->top->bitmap_length;
    int err = 0;

    for (uint64_t done = 0, len = 0; done < length && err == 0; done += len) {
        const uint64_t left = done < bitmap ? bitmap - done : length - done;
        len = left < PIECE ? left : PIECE;
        err = vhd_io_get(disk->top->fd, buf, len, (uint64_t)from * VHD_SECTOR_SIZE + done);
        if (err == 0 && (done < bitmap || !is_zeros(buf, len)))
            err = vhd_io_put(disk->write_fd, buf, len, (uint64_t)to * VHD_SECTOR_SIZE + done);
    }
    return err;
}

static int copy_blocks(struct vhd_disk *disk, struct move *moves, size_t count, uint8_t *buf)
{
    int err = 0;

    for (size_t i = 0; i < count && err == 0; i++) {
        err = vhd_disk_get_slot(disk, &moves[i].sector);
        if (err == 0)
            err = copy_slot(disk, vhd_layer_entry(disk->top, moves[i].block), moves[i].sector, buf);
    }
    return err;
}

static int write_entries(struct vhd_disk *disk, const struct move *moves, size_t count)
{
    int err = 0;

    for (size_t i = 0; i < count && err == 0; i++) {
        const uint32_t block = moves[i].block, old = vhd_layer_entry(disk->top, block);
        const bool is_full = vhd_layer_is_full(disk->top, block, old);
        err = vhd_block_put_entry(disk, block, moves[i].sector, is_full);
        disk->slots_used++;
    }
    return err;
}

/* Move blocks, durably. Call it with growth_lock held. */
static int move_blocks(struct vhd_disk *disk, struct move *moves, size_t count)
{
    AUTO_FREE uint8_t *buf = malloc(PIECE);
    if (!buf)
        return -ENOMEM;
    /* Growth makes no more slots than blocks lack one. */
    disk->unallocated += (uint32_t)count;
    int err = copy_blocks(disk, moves, count, buf);
    disk->unallocated -= (uint32_t)count;
    if (err == 0)
        err = vhd_disk_barrier(disk);
    if (err == 0)
        err = write_entries(disk, moves, count);
    return err == 0 ? vhd_disk_barrier(disk) : err;
}

int vhd_disk_make_way(struct vhd_disk *disk, uint64_t size)
{
    if (vhd_disk_is_fixed(disk))
        return vhd_fixed_make_way(disk, size);
    const uint64_t limit = limit_of(disk, size);
    const size_t most = AT_ONCE / vhd_block_length(block_size(disk)) + 1;

    HOLD_LOCK(&disk->growth_lock);
    int err = vhd_confirm_in_place(disk);
    if (err < 0 || limit == 0)
        return err;
    err = move_footer(disk, limit);
    if (err < 0)
        return err;
    AUTO_FREE struct move *moves = calloc(most, sizeof *moves);
    if (!moves)
        return -ENOMEM;
    const size_t count = list_moves(disk, limit, moves, most);
    err = count > 0 ? move_blocks(disk, moves, count) : 0;
    return err < 0 ? err : count > 0;
}

/*
 * Does the header keep its number of entries for fewer blocks? The map of full blocks begins where
 * the table ends, by that number.
 */
static bool keeps_entries(const struct vhd_disk *disk, uint64_t blocks)
{
    const uint32_t entries = disk->top->image.header.max_entries;

    return disk->has_batmap && table_end(disk, blocks) < table_end(disk, entries);
}

/* Write FFFFFFFF over the entries of new blocks. The rest of the last sector is padding. */
static int clear_entries(struct vhd_disk *disk, uint32_t blocks)
{
    const struct vhd_header *header = &disk->top->image.header;
    uint64_t at = vhd_table_entry_offset(header, disk->top->image.blocks);
    const uint64_t end = keeps_entries(disk, blocks) ? vhd_table_entry_offset(header, blocks)
                                                     : table_end(disk, blocks);
    AUTO_FREE void *ones = malloc(PIECE);
    int err = ones ? 0 : -ENOMEM;

    if (ones)
        memset(ones, 0xFF, PIECE);
    for (uint64_t len = 0; at < end && err == 0; at += len) {
        len = end - at < PIECE ? end - at : PIECE;
        err = vhd_io_put(vhd_disk_writing(disk), ones, len, at);
    }
    return err;
}

/* Zero the last block beyond the end of the disk, where other programs may have left anything. */
static int zero_beyond_end(struct vhd_disk *disk)
{
    const uint64_t within = vhd_disk_size(disk) % block_size(disk);
    const uint32_t entry = vhd_layer_entry(disk->top, disk->top->image.blocks - 1);

    if (within == 0 || entry == VHD_UNALLOCATED)
        return 0;
    return vhd_io_zero(vhd_disk_writing(disk), vhd_layer_data(disk->top, entry) + within,
                       block_size(disk) - within);
}

/* Prepare the new part of a larger disk; nobody reads it yet. */
static int begin_larger(struct vhd_disk *disk, uint32_t blocks)
{
    int err = vhd_layer_make_space(disk->top, blocks);
    if (err == 0)
        err = clear_entries(disk, blocks);
    if (err == 0)
        err = zero_beyond_end(disk);
    return err == 0 ? vhd_disk_barrier(disk) : err;
}

/*
 * Both directions.
 */

/*
 * Change the number of entries in the header, durably. Only its first sector is written, so it is
 * old or new. All other bytes stay as they are on disk.
 */
static int put_entries(struct vhd_disk *disk, uint32_t entries)
{
    const uint64_t at = disk->top->image.footer.data_offset;
    struct vhd_header_disk header;

    int err = vhd_io_get(disk->top->fd, &header, sizeof header, at);
    if (err < 0)
        return err;
    header.max_entries = be32_of(entries);
    header.checksum =
        be32_of(vhd_checksum(&header, sizeof header, offsetof(struct vhd_header_disk, checksum)));
    err = vhd_io_put(vhd_disk_writing(disk), &header, VHD_SECTOR_SIZE, at);
    if (err == 0)
        disk->top->image.header.max_entries = entries;
    return err == 0 ? vhd_disk_barrier(disk) : err;
}

/* Write the footer and its copy, durably. */
static int put_footers(struct vhd_disk *disk)
{
    int err = vhd_footer_put(disk, vhd_disk_writing(disk), disk->footer_at);
    if (err == 0)
        err = vhd_disk_barrier(disk);
    if (err == 0)
        err = vhd_footer_put(disk, disk->write_fd, 0);
    return err == 0 ? vhd_disk_barrier(disk) : err;
}

/* Note the new size in memory; the table has space for all blocks. */
static void note_size(struct vhd_disk *disk, uint64_t size, uint32_t blocks)
{
    struct vhd_image *image = &disk->top->image;

    image->footer.original_size = image->footer.current_size = size;
    image->footer.geometry = vhd_geometry_of(size / VHD_SECTOR_SIZE);
    image->blocks = blocks;
    /* The layout has no metadata behind this, and the table may end far behind the old footer. */
    image->footer_at = disk->footer_at;
    image->length = disk->length;
    disk->last_changed = 0;
    disk->unallocated = 0;
    for (uint32_t block = 0; block < blocks; block++)
        disk->unallocated += vhd_layer_entry(disk->top, block) == VHD_UNALLOCATED;
}

/* Change the metadata: header, footer, copy. From the first write on the image is between sizes. */
static int change_size(struct vhd_disk *disk, uint64_t size, uint32_t blocks)
{
    const uint32_t entries = disk->top->image.header.max_entries;
    int err = blocks > entries ? put_entries(disk, blocks) : 0;

    note_size(disk, size, blocks);
    if (err == 0)
        err = put_footers(disk);
    if (err == 0 && blocks < entries && !keeps_entries(disk, blocks))
        err = put_entries(disk, blocks);
    if (err < 0)
        disk->has_failed = true;
    return err;
}

static int confirm_before(struct vhd_disk *disk)
{
    if (vhd_disk_has_failed(disk))
        return -EIO;
    HOLD_LOCK(&disk->growth_lock);
    return vhd_confirm_all(disk);
}

int vhd_disk_resize(struct vhd_disk *disk, uint64_t size)
{
    int err = confirm_before(disk);
    /* On a full host, opening may have left a footer of 511 bytes. */
    if (err == 0 && !vhd_disk_is_fixed(disk) && disk->length != disk->footer_at + VHD_FOOTER_SIZE)
        err = vhd_disk_cut_slack(disk);
    if (err < 0)
        return err;
    HOLD_LOCK(&disk->growth_lock);
    if (vhd_disk_is_fixed(disk))
        return vhd_fixed_resize(disk, size);
    const uint32_t blocks = (uint32_t)blocks_of(disk, size);
    if (size > vhd_disk_size(disk))
        err = begin_larger(disk, blocks);
    return err == 0 ? change_size(disk, size, blocks) : err;
}

int vhd_disk_file_to_reserve(const struct vhd_disk *disk)
{
    return disk->write_fd;
}

int vhd_disk_extend(struct vhd_disk *disk, uint64_t size)
{
    HOLD_LOCK(&disk->growth_lock);
    return vhd_fixed_extend(disk, size);
}

int vhd_disk_retract(struct vhd_disk *disk)
{
    HOLD_LOCK(&disk->growth_lock);
    return vhd_fixed_retract(disk);
}
