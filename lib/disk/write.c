/* SPDX-License-Identifier: MIT */
/*
 * Writing, by type of disk. In an allocated block with a full bitmap, a write loads the entry and
 * transfers data. All else happens once for a block or a subblock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/zeros.h"
#include "disk/differ.h"
#include "disk/allocate.h"
#include "disk/barrier.h"
#include "disk/state.h"
#include "format/block.h"

int vhd_disk_judge_write(const struct vhd_disk *disk, uint64_t len, uint64_t off)
{
    const uint64_t size = vhd_disk_size(disk);

    if (off > size || len > size - off)
        return -ERANGE;
    if (!vhd_disk_is_writable(disk))
        return -EROFS;
    return vhd_disk_has_failed(disk) ? -EIO : 0;
}

/* Zero the data under a block's clear bits, and in the last block beyond the disk's end. */
static int zero_under_clear_bits(struct vhd_disk *disk, uint32_t block, uint32_t entry)
{
    const uint64_t size = disk->top->image.header.block_size, at = block * size;
    const uint64_t len = vhd_disk_block_length(disk, block);
    const uint64_t data = vhd_layer_data(disk->top, entry);
    struct vhd_run run = {.len = 0};
    int err = 0;

    for (uint64_t done = 0; done < len && err == 0; done += run.len) {
        err = vhd_layer_run(disk->top, at + done, len - done, &run);
        if (err == 0 && !run.is_here)
            err = vhd_io_zero(vhd_disk_writing(disk), data + done, run.len);
    }
    return err == 0 && len < size ? vhd_io_zero(vhd_disk_writing(disk), data + len, size - len)
                                  : err;
}

/*
 * Fill the bitmap of a block in another program's dynamic disk. Anything may lie under clear bits,
 * so that data is durably zero before a bit makes it count. The bits are durable before new data,
 * because some readers refuse data under clear bits. No other thread writes to the block meanwhile,
 * because each writer comes here first.
 *
 * Call it inside the epoch.
 */
static int fill_bitmap(struct vhd_disk *disk, uint32_t block, uint32_t entry)
{
    const uint32_t len = disk->top->bitmap_length;

    HOLD_LOCK(&disk->fill_lock);
    if (vhd_layer_is_full(disk->top, block, entry))
        return 0;
    AUTO_FREE uint8_t *ones = malloc(len);
    if (!ones)
        return -ENOMEM;
    memset(ones, 0xFF, len);
    int err = zero_under_clear_bits(disk, block, entry);
    /* All bits were set already. */
    if (err == 0 && vhd_layer_is_full(disk->top, block, entry))
        return 0;
    if (err == 0)
        err = vhd_disk_barrier_now(disk);
    if (err == 0)
        err = vhd_io_put(vhd_disk_writing(disk), ones, len, (uint64_t)entry * VHD_SECTOR_SIZE);
    if (err == 0)
        err = vhd_disk_barrier_now(disk);
    if (err == 0)
        vhd_layer_set_full(disk->top, block, entry);
    return err;
}

/* Write to an allocated block. */
static int overwrite(struct vhd_disk *disk, uint32_t block, uint32_t entry, uint64_t within,
                     const void *buf, size_t len)
{
    if (!vhd_layer_is_full(disk->top, block, entry)) {
        int err = fill_bitmap(disk, block, entry);
        if (err < 0)
            return err;
    }
    return vhd_io_put(vhd_disk_writing(disk), buf, len, vhd_layer_data(disk->top, entry) + within);
}

/* Write the part of a range in its first block, or nothing if the block had to get a slot first. */
static int write_dynamic(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off,
                         size_t *ret_done)
{
    const uint32_t block_size = disk->top->image.header.block_size;
    const uint32_t block = (uint32_t)(off / block_size);
    const uint64_t within = off % block_size;
    int err = 0;

    *ret_done = len < block_size - within ? len : (size_t)(block_size - within);
    unsigned side = vhd_epoch_enter(&disk->epoch);
    const uint32_t entry = vhd_layer_entry(disk->top, block);
    if (entry != VHD_UNALLOCATED)
        err = overwrite(disk, block, entry, within, buf, *ret_done);
    vhd_epoch_leave(&disk->epoch, side);
    if (entry != VHD_UNALLOCATED || is_zeros(buf, *ret_done))
        return err;
    *ret_done = 0;
    return vhd_block_allocate(disk, block);
}

static int write_some(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off,
                      size_t *ret_done)
{
    if (vhd_disk_is_differencing(disk))
        return vhd_differ_write(disk, buf, len, off, ret_done);
    if (!vhd_disk_is_fixed(disk))
        return write_dynamic(disk, buf, len, off, ret_done);
    *ret_done = len;
    return vhd_io_put(vhd_disk_writing(disk), buf, len, off);
}

int vhd_disk_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off)
{
    int err = vhd_disk_judge_write(disk, len, off);

    while (len > 0 && err == 0) {
        size_t done = 0;
        err = write_some(disk, buf, len, off, &done);
        buf = (const char *)buf + done;
        len -= done;
        off += done;
    }
    vhd_disk_touched(disk);
    return err;
}
