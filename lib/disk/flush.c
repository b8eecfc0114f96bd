/* SPDX-License-Identifier: MIT */
/*
 * Flushing. A dynamic disk writes entries at once and bitmaps ahead, so one barrier is enough. A
 * differencing disk then writes the bits of the data that the barrier made durable, and a second
 * barrier follows.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "base/mutation.h"
#include "disk/confirm.h"
#include "disk/barrier.h"
#include "disk/grow.h"
#include "disk/state.h"

/*
 * One barrier. Slots made ahead ride on it, except on class X: there they need another barrier, and
 * the flusher makes them.
 */
static int barrier_and_growth(struct vhd_disk *disk)
{
    HOLD_LOCK(&disk->growth_lock);
    int err = vhd_confirm_in_place(disk);
    if (err < 0)
        return err;
    if (!vhd_disk_is_footer_first(disk))
        vhd_disk_grow_ahead(disk);
    return vhd_disk_barrier(disk);
}

/* Flush the subblocks pending at the start: data, then bits. Call it inside the epoch. */
static int flush_subblocks(struct vhd_disk *disk)
{
    /* A failed disk writes nothing more, and its subblocks stay pending. */
    if (vhd_disk_has_failed(disk))
        return -EIO;
    bool is_any = vhd_subblocks_flush_begin(disk->subblocks);

    int err = is_any && MUTATED(D1) ? 0 : barrier_and_growth(disk);
    if (err < 0)
        vhd_subblocks_flush_abandon(disk->subblocks);
    if (err < 0 || !is_any)
        return err;
    err = vhd_subblocks_flush_finish(disk->subblocks);
    int last = vhd_disk_barrier_now(disk);
    return err < 0 ? err : last;
}

static int flush_differencing(struct vhd_disk *disk)
{
    HOLD_LOCK(&disk->flush_lock);
    unsigned side = vhd_epoch_enter(&disk->epoch);
    int err = flush_subblocks(disk);
    vhd_epoch_leave(&disk->epoch, side);
    struct vhd_pending_bitmap *dead = vhd_subblocks_prune(disk->subblocks);
    if (dead)
        vhd_epoch_wait(&disk->epoch);
    vhd_subblocks_free_removed(dead);
    return err;
}

int vhd_disk_flush(struct vhd_disk *disk)
{
    if (!vhd_disk_is_writable(disk))
        return 0;
    return vhd_disk_is_differencing(disk) ? flush_differencing(disk) : barrier_and_growth(disk);
}

int vhd_disk_flush_behind(void *arg)
{
    struct vhd_disk *disk = arg;

    {
        HOLD_LOCK(&disk->growth_lock);
        vhd_disk_grow_ahead(disk);
    }
    return vhd_disk_flush(disk);
}
