/* SPDX-License-Identifier: MIT */
#include "disk/barrier.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "format/block.h"

void vhd_disk_note_stale_footer(struct vhd_disk *disk, uint64_t at, uint64_t end)
{
    disk->stale_footer_at = at;
    disk->stale_footer_end = end;
    disk->stale_barrier = disk->barriers + 1;
}

void vhd_disk_zero_stale_footer(struct vhd_disk *disk)
{
    static const char zeros[VHD_DATA_ALIGNMENT];

    if (disk->stale_footer_at == 0)
        return;
    /* A failure does no harm, because no reader reads a gap. */
    (void)vhd_io_put(disk->write_fd, zeros, disk->stale_footer_end - disk->stale_footer_at,
                     disk->stale_footer_at);
    disk->stale_footer_at = 0;
}

/*
 * Drop the host's cache of the file after a failed sync. It may hold changes that the medium lacks,
 * such as a removed entry, and the next opening would build on them.
 */
static void forget_what_was_lost(const struct vhd_disk *disk)
{
    (void)posix_fadvise(disk->write_fd, 0, 0, POSIX_FADV_DONTNEED);
}

/*
 * Sync the file for a barrier that has begun. Syncs run one at a time, because the host reports a
 * lost write to only one of two concurrent syncs. A thread needs no sync of its own if it has
 * waited for one that began after its barrier.
 */
static int sync_for(struct vhd_disk *disk, uint64_t barrier)
{
    HOLD_LOCK(&disk->sync_lock);
    if (vhd_disk_has_failed(disk))
        return -EIO;
    if (disk->synced >= barrier)
        return 0;
    const uint64_t begun = disk->barriers;
    if (fdatasync(disk->write_fd) < 0) {
        int err = -errno;
        disk->has_failed = true;
        forget_what_was_lost(disk);
        return err;
    }
    disk->synced = begun;
    return 0;
}

int vhd_disk_barrier(struct vhd_disk *disk)
{
    const uint64_t barrier = ++disk->barriers;

    disk->has_freed = false;
    pthread_mutex_unlock(&disk->growth_lock);
    int err = sync_for(disk, barrier);
    pthread_mutex_lock(&disk->growth_lock);
    if (err == 0) {
        vhd_slots_barrier_completed(&disk->slots, barrier);
        if (disk->stale_barrier <= barrier)
            vhd_disk_zero_stale_footer(disk);
    }
    pthread_cond_broadcast(&disk->slots_changed);
    return err;
}

int vhd_disk_barrier_now(struct vhd_disk *disk)
{
    HOLD_LOCK(&disk->growth_lock);
    return vhd_disk_barrier(disk);
}

int vhd_footer_put(const struct vhd_disk *disk, int fd, uint64_t at)
{
    /* O_DIRECT needs aligned memory too. */
    _Alignas(4096) struct vhd_footer_disk footer;

    vhd_footer_encode(&disk->top->image.footer, &footer);
    return vhd_io_put(fd, &footer, sizeof footer, at);
}
