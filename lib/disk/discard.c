/* SPDX-License-Identifier: MIT */
/*
 * Discarding. A block that a discard covers whole leaves the table, and other blocks get its slot
 * once no thread uses it. From a block covered in part, the host gets the space back.
 */
#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "base/mutation.h"
#include "disk/differ.h"
#include "disk/allocate.h"
#include "disk/state.h"
#include "format/block.h"

/* Blocks that leave the table before one epoch wait. */
enum { BATCH = 256 };

struct batch {
    struct vhd_disk *disk;
    uint32_t sectors[BATCH];
    size_t count;
    struct vhd_pending_bitmap *dead;
};

/* Wait until no thread uses the slots of a batch, then free them. */
static void batch_end(struct batch *batch)
{
    if (batch->count == 0)
        return;
    if (!MUTATED(R4))
        vhd_epoch_wait(&batch->disk->epoch);
    vhd_subblocks_free_removed(batch->dead);
    vhd_disk_free_slots(batch->disk, batch->sectors, batch->count);
    batch->dead = NULL;
    batch->count = 0;
}

/* Remove a block's entry; its slot joins the batch. */
static int batch_add(void *arg, uint32_t block)
{
    struct batch *batch = arg;
    uint32_t sector;

    int err = vhd_block_deallocate(batch->disk, block, &sector);
    if (err == 0 && sector != VHD_UNALLOCATED)
        batch->sectors[batch->count++] = sector;
    return err;
}

static int remove_block(struct batch *batch, uint32_t block)
{
    struct vhd_disk *disk = batch->disk;

    if (batch->count == BATCH)
        batch_end(batch);
    if (!disk->subblocks)
        return batch_add(batch, block);
    return vhd_subblocks_remove_block(disk->subblocks, block, batch_add, batch, &batch->dead);
}

/* Zero a part of a dynamic disk's block, if the block is allocated. */
static int zero_dynamic(struct vhd_disk *disk, uint32_t block, uint64_t within, uint64_t len)
{
    int err = 0;

    unsigned side = vhd_epoch_enter(&disk->epoch);
    const uint32_t entry = vhd_layer_entry(disk->top, block);
    if (entry != VHD_UNALLOCATED)
        err = vhd_io_zero(vhd_disk_writing(disk), vhd_layer_data(disk->top, entry) + within, len);
    vhd_epoch_leave(&disk->epoch, side);
    return err;
}

/* Discard the start of a range: all of its first block, or a part. */
static int discard_some(struct batch *batch, uint64_t len, uint64_t off, uint64_t *ret_done)
{
    struct vhd_disk *disk = batch->disk;
    const uint32_t block_size = disk->top->image.header.block_size;
    const uint32_t block = (uint32_t)(off / block_size);
    const uint64_t within = off % block_size, whole = vhd_disk_block_length(disk, block);

    *ret_done = len < whole - within ? len : whole - within;
    if (*ret_done == whole && vhd_layer_entry(disk->top, block) != VHD_UNALLOCATED) {
        int is_going = vhd_block_may_leave(disk, block);
        if (is_going != 0)
            return is_going < 0 ? is_going : remove_block(batch, block);
    }
    if (vhd_disk_is_differencing(disk))
        return vhd_differ_zero(disk, *ret_done, off, ret_done);
    return zero_dynamic(disk, block, within, *ret_done);
}

int vhd_disk_discard(struct vhd_disk *disk, uint64_t len, uint64_t off)
{
    struct batch batch = {.disk = disk};
    int err = vhd_disk_judge_write(disk, len, off);

    if (err == 0 && len > 0 && vhd_disk_is_fixed(disk)) {
        err = vhd_io_zero(vhd_disk_writing(disk), off, len);
        len = 0;
    }
    while (len > 0 && err == 0) {
        uint64_t done = 0;
        err = discard_some(&batch, len, off, &done);
        len -= done;
        off += done;
    }
    batch_end(&batch);
    vhd_disk_touched(disk);
    return err;
}
