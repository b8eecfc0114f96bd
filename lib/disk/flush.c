/*
 * Flushing. A dynamic disk has nothing of its own to write then: entries go to disk at once and
 * bitmaps ahead, so that one barrier is all. A differencing disk writes the bits of what that
 * barrier has made durable, and needs a second one for them.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "base/mutation.h"
#include "disk/confirm.h"
#include "disk/barrier.h"
#include "disk/grow.h"
#include "disk/state.h"

/*
 * One barrier, on which the slots ride that are made ahead; not where those need a barrier of their
 * own, which the flusher has time for.
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

/* What was pending when the flush began: data, then bits. From inside the epoch. */
static int flush_subblocks(struct vhd_disk *disk)
{
    /* After a failure nothing more is to come to disk, and what was to be flushed stays listed. */
    if (vhd_disk_has_failed(disk))
        return -EIO;
    bool is_any = vhd_subblocks_flush_begin(disk->subblocks);

    int err = is_any && MUTATED(D1) ? 0 : barrier_and_growth(disk);
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
