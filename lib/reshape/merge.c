/* SPDX-License-Identifier: MIT */
#include "reshape/merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/mutation.h"
#include "base/zeros.h"
#include "disk/allocate.h"
#include "disk/barrier.h"
#include "disk/confirm.h"
#include "disk/grow.h"
#include "disk/slot.h"
#include "disk/state.h"
#include "format/bitmap.h"
#include "format/block.h"

/* A block of the parent, and its new slot. */
struct combined {
    uint32_t block, sector;
};

struct vhd_merge {
    struct vhd_disk *parent;
    struct vhd_layer *child;
    uint64_t off;  /* where the next block is searched */
    uint8_t *buf;  /* of a slot: bitmap, then data; in a fixed parent, of a piece */
    uint8_t *data; /* in buf */
    struct combined *blocks;
    size_t count, capacity;
};

/* Bytes that are written to a fixed parent at a time. */
#define PIECE ((uint64_t)2 << 20)

int vhd_merge_new(struct vhd_disk *parent, struct vhd_layer *child, struct vhd_merge **ret)
{
    const bool is_fixed = vhd_disk_is_fixed(parent);
    struct vhd_merge *merge = calloc(1, sizeof *merge);
    if (!merge)
        return -ENOMEM;
    merge->parent = parent;
    merge->child = child;
    merge->buf = malloc(is_fixed ? PIECE : vhd_block_length(parent->top->image.header.block_size));
    if (!merge->buf) {
        free(merge);
        return -ENOMEM;
    }
    merge->data = merge->buf + (is_fixed ? 0 : parent->top->bitmap_length);
    *ret = merge;
    return 0;
}

static void set_bits(uint8_t *bits, uint64_t off, uint64_t len)
{
    for (uint64_t sector = off / VHD_SECTOR_SIZE; sector < (off + len) / VHD_SECTOR_SIZE; sector++)
        bits[sector / 8] |= (uint8_t)(0x80 >> sector % 8);
}

/* Put what the child holds of a block over what the parent holds. */
static int put_child(struct vhd_merge *merge, uint64_t at, uint64_t len)
{
    struct vhd_run run;
    int err = 0;

    for (uint64_t within = 0; within < len && err == 0; within += run.len) {
        err = vhd_layer_run(merge->child, at + within, len - within, &run);
        if (err < 0 || !run.is_here)
            continue;
        err = vhd_io_get(merge->child->fd, merge->data + within, run.len, run.at);
        if (vhd_disk_is_differencing(merge->parent))
            set_bits(merge->buf, within, run.len);
    }
    return err;
}

/*
 * Fill the subblocks whose bits are set in part from the parent's own parents, because libvhdi
 * misreads such a byte.
 */
static int fill_subblocks(struct vhd_merge *merge, uint64_t at, uint64_t len)
{
    int err = 0;

    for (uint64_t within = 0; within < len && err == 0; within += VHD_SECTOR_SIZE) {
        const uint64_t sector = within / VHD_SECTOR_SIZE;
        uint8_t *byte = &merge->buf[sector / 8];
        if (*byte != 0 && *byte != 0xFF && !(*byte & 0x80 >> sector % 8))
            err = vhd_disk_read(merge->parent, merge->data + within, VHD_SECTOR_SIZE, at + within,
                                NULL);
    }
    for (uint64_t byte = 0; byte * 8 * VHD_SECTOR_SIZE < len; byte++)
        merge->buf[byte] = merge->buf[byte] ? 0xFF : 0;
    return err;
}

/* Get a slot that no entry leads to. */
static int get_slot(struct vhd_disk *disk, bool is_replacement, uint32_t *ret_sector)
{
    HOLD_LOCK(&disk->growth_lock);
    int err = vhd_confirm_in_place(disk);
    disk->unallocated += is_replacement; /* growth makes no more slots than blocks lack one */
    if (err == 0)
        err = vhd_disk_get_slot(disk, ret_sector);
    disk->unallocated--;
    disk->slots_used++;
    return err;
}

/* Write the combined block to a slot that is ready, so it holds zeros. */
static int put_slot(struct vhd_merge *merge, uint32_t block)
{
    struct vhd_disk *disk = merge->parent;
    uint32_t sector = 0;

    const bool has_entry = vhd_layer_entry(disk->top, block) != VHD_UNALLOCATED;
    struct combined *blocks =
        array_grow(merge->blocks, merge->count, &merge->capacity, sizeof *blocks);
    if (!blocks)
        return -ENOMEM;
    merge->blocks = blocks;
    int err = get_slot(disk, has_entry, &sector);
    const uint64_t slot = (uint64_t)sector * VHD_SECTOR_SIZE;
    if (err == 0 && vhd_disk_is_differencing(disk))
        err = vhd_io_put(vhd_disk_writing(disk), merge->buf, disk->top->bitmap_length, slot);
    if (err == 0)
        err =
            vhd_io_put_sparse(vhd_disk_writing(disk), merge->data,
                              disk->top->image.header.block_size, slot + disk->top->bitmap_length);
    if (err == 0)
        merge->blocks[merge->count++] = (struct combined){block, sector};
    return err;
}

static int combine(struct vhd_merge *merge, uint32_t block)
{
    struct vhd_disk *disk = merge->parent;
    const uint64_t at = (uint64_t)block * disk->top->image.header.block_size;
    const uint64_t len = vhd_disk_block_length(disk, block);

    int err = vhd_slot_read(disk, block, merge->buf);
    if (err == 0)
        err = put_child(merge, at, len);
    if (err == 0 && vhd_disk_is_differencing(disk))
        err = fill_subblocks(merge, at, len);
    if (err < 0)
        return err;
    /* Zeros need no slot where nothing hides behind them. */
    const bool is_new = vhd_layer_entry(disk->top, block) == VHD_UNALLOCATED;
    return is_new && !disk->top->parent && is_zeros(merge->data, len) ? 0 : put_slot(merge, block);
}

/* Write one run of the child to a fixed parent. */
static int write_in_place(struct vhd_merge *merge, const struct vhd_run *run)
{
    int err = 0;

    for (uint64_t done = 0; done < run->len && err == 0; done += PIECE) {
        const uint64_t len = run->len - done < PIECE ? run->len - done : PIECE;
        err = vhd_io_get(merge->child->fd, merge->buf, len, run->at + done);
        if (err == 0)
            err = vhd_disk_write(merge->parent, merge->buf, len, merge->off + done);
    }
    return err;
}

int vhd_merge_reserve(struct vhd_merge *merge)
{
    const uint64_t size = vhd_disk_size(merge->parent);
    struct vhd_run run;
    int err = 0;

    if (!vhd_disk_is_fixed(merge->parent))
        return 0;
    for (uint64_t off = 0; off < size && err == 0; off += run.len) {
        err = vhd_layer_run(merge->child, off, size - off, &run);
        if (err < 0 || !run.is_here)
            continue;
        if (fallocate(merge->parent->write_fd, 0, (off_t)off, (off_t)run.len) < 0)
            err = errno == EOPNOTSUPP ? 0 : -errno;
    }
    return err;
}

int vhd_merge_step(struct vhd_merge *merge, uint64_t *ret_done)
{
    const uint64_t size = vhd_disk_size(merge->parent);
    struct vhd_run run = {.is_here = false};
    int err = 0;

    while (merge->off < size && err == 0 && !run.is_here) {
        err = vhd_layer_run(merge->child, merge->off, size - merge->off, &run);
        if (err == 0 && !run.is_here)
            merge->off += run.len;
    }
    if (err == 0 && run.is_here && vhd_disk_is_fixed(merge->parent)) {
        err = write_in_place(merge, &run);
        merge->off += run.len;
    } else if (err == 0 && run.is_here) {
        const uint64_t block_size = merge->parent->top->image.header.block_size;
        const uint32_t block = (uint32_t)(merge->off / block_size);
        err = combine(merge, block);
        merge->off = (block + UINT64_C(1)) * block_size;
    }
    *ret_done = merge->off < size ? merge->off : size;
    return err;
}

int vhd_merge_finish(struct vhd_merge *merge)
{
    struct vhd_disk *disk = merge->parent;

    if (vhd_disk_is_fixed(disk))
        return vhd_disk_flush(disk);
    int err = MUTATED(M1) ? 0 : vhd_disk_barrier_now(disk);
    for (size_t i = 0; i < merge->count && err == 0; i++) {
        struct combined *combined = &merge->blocks[i];
        const uint32_t old = vhd_layer_entry(disk->top, combined->block);
        err = vhd_block_move(disk, combined->block, combined->sector);
        combined->sector = old;
    }
    if (err == 0 && !MUTATED(M2))
        err = vhd_disk_barrier_now(disk);
    for (size_t i = 0; i < merge->count && err == 0; i++) {
        if (merge->blocks[i].sector != VHD_UNALLOCATED)
            vhd_disk_free_slots(disk, &merge->blocks[i].sector, 1);
    }
    merge->count = 0;
    return err;
}

void vhd_merge_free(struct vhd_merge *merge)
{
    if (!merge)
        return;
    free(merge->blocks);
    free(merge->buf);
    free(merge);
}
