/* SPDX-License-Identifier: MIT */
#include "disk/confirm.h"
#include "disk/allocate.h"

#include <errno.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/mutation.h"
#include "disk/grow.h"
#include "disk/slot.h"
#include "format/table.h"
#include "image/extent.h"

int vhd_block_put_entry(struct vhd_disk *disk, uint32_t block, uint32_t sector, bool is_full)
{
    int err =
        vhd_table_write_entry(vhd_disk_writing(disk), &disk->top->image.header, block, sector);
    if (err < 0) {
        disk->has_unsure_entry = true;
        return err;
    }
    vhd_layer_set_entry(disk->top, block, sector, is_full);
    disk->last_changed = block;
    return 0;
}

/*
 * Give a ready slot to a block: on disk, then in memory. A thread that finds the entry in memory
 * may write and flush, so it must be on disk by then. After a failed write the entry may be on disk
 * or not, so no other block gets the slot.
 */
static int publish(struct vhd_disk *disk, uint32_t block, uint32_t sector)
{
    const bool is_full = !vhd_disk_is_differencing(disk);

    if (MUTATED(R3) && vhd_slot_zero(disk, sector) < 0)
        return -EIO;
    if (MUTATED(G3) && vhd_slot_put_bitmap(disk, sector) < 0)
        return -EIO;
    if (MUTATED(W1))
        vhd_layer_set_entry(disk->top, block, sector, is_full);
    int err = vhd_block_put_entry(disk, block, sector, is_full);
    if (err < 0)
        return err;
    if (disk->slot_was_ready)
        bits_set(disk->slot_was_ready, block);
    disk->unallocated--;
    disk->slots_used++;
    return 0;
}

int vhd_block_allocate(struct vhd_disk *disk, uint32_t block)
{
    uint32_t sector;
    int err = 0;

    HOLD_LOCK(&disk->growth_lock);
    if (vhd_layer_entry(disk->top, block) == VHD_UNALLOCATED)
        err = vhd_confirm_in_place(disk);
    while (err == 0 && vhd_layer_entry(disk->top, block) == VHD_UNALLOCATED) {
        if (vhd_slots_pop(&disk->slots, &sector))
            err = publish(disk, block, sector);
        else
            err = vhd_disk_wait_for_slot(disk);
    }
    if (disk->flusher && vhd_disk_is_short_of_slots(disk))
        vhd_flusher_hurry(disk->flusher);
    return err;
}

int vhd_block_deallocate(struct vhd_disk *disk, uint32_t block, uint32_t *ret_sector)
{
    HOLD_LOCK(&disk->growth_lock);
    const uint32_t sector = vhd_layer_entry(disk->top, block);
    if (sector != VHD_UNALLOCATED) {
        int err = vhd_block_put_entry(disk, block, VHD_UNALLOCATED, false);
        if (err < 0)
            return err;
        if (disk->slot_was_ready)
            bits_clear(disk->slot_was_ready, block);
        disk->unallocated++;
        disk->has_freed = true;
    }
    *ret_sector = sector;
    return 0;
}

int vhd_block_move(struct vhd_disk *disk, uint32_t block, uint32_t sector)
{
    HOLD_LOCK(&disk->growth_lock);
    int err = vhd_block_put_entry(disk, block, sector, !vhd_disk_is_differencing(disk));
    /* Unknown data may lie under clear bits of the copy. */
    if (err == 0 && disk->slot_was_ready)
        bits_clear(disk->slot_was_ready, block);
    return err;
}

int vhd_block_may_leave(const struct vhd_disk *disk, uint32_t block)
{
    const uint64_t at = (uint64_t)block * disk->top->image.header.block_size;

    if (disk->has_batmap)
        return 0;
    if (MUTATED(D7))
        return 1;
    return vhd_extent_is_hole(disk->top->parent, at, vhd_disk_block_length(disk, block));
}

/*
 * Make a slot that only lacks a barrier out of a former block.
 *
 * A slot with clear bits from another program cannot serve a dynamic disk. If its bitmap were
 * filled and the removal of its entry lost with the power, unknown data under those bits would be
 * read. The next opening finds it as a gap.
 *
 * Returns false when the slot is useless until then.
 */
static bool clear_slot(const struct vhd_disk *disk, uint32_t sector)
{
    if (MUTATED(R2))
        return true;
    if (MUTATED(R3)) /* publish() zeroes it */
        return true;
    if (vhd_slot_zero(disk, sector) < 0)
        return false;
    return vhd_disk_is_differencing(disk) ? vhd_slot_put_bitmap(disk, sector) == 0
                                          : vhd_slot_has_full_bitmap(disk, sector);
}

void vhd_disk_free_slots(struct vhd_disk *disk, const uint32_t *sectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!clear_slot(disk, sectors[i]))
            continue;
        HOLD_LOCK(&disk->growth_lock);
        int err = vhd_slots_wait(&disk->slots, sectors[i], disk->barriers + 1);
        if (err == 0 && MUTATED(R1))
            vhd_slots_barrier_completed(&disk->slots, UINT64_MAX);
    }
}
