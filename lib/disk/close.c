/* SPDX-License-Identifier: MIT */
/*
 * Closing a disk: its image needs no recovery then, and its fingerprint tells later changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "disk/confirm.h"
#include "disk/recover.h"
#include "disk/state.h"

/* Leave an image that needs no recovery. A file that is no longer ours stays as it is. */
static int leave_clean(struct vhd_disk *disk)
{
    if (disk->is_lost)
        return -ESTALE;
    if (vhd_disk_has_failed(disk))
        return vhd_disk_is_fixed(disk) ? 0 : -EIO;
    int err = vhd_confirm_end(disk);
    if (err < 0 || vhd_disk_is_fixed(disk))
        return err;
    if (disk->subblocks && vhd_subblocks_are_pending(disk->subblocks))
        err = vhd_disk_flush(disk);
    return err == 0 ? vhd_disk_cut_slack(disk) : err;
}

/*
 * The host's present stamp, less a nanosecond: it equals no stamp, and later stamps are above it.
 */
static struct timespec between_ticks(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    time.tv_sec -= time.tv_nsec == 0;
    time.tv_nsec = (time.tv_nsec == 0 ? 1000000000 : time.tv_nsec) - 1;
    return time;
}

/* Another time in the second that the file was last changed in before. */
static struct timespec same_second(const struct vhd_disk *disk)
{
    struct timespec time = vhd_layer_fingerprint(disk->top).mtime;

    time.tv_nsec = (time.tv_nsec + 1) % 1000000000;
    return time;
}

/*
 * Set the mtime of a written file as its last change, and take its fingerprint: zeros if the name
 * leads to another file now. The host stamps with ticks, and this mtime lies between two, so each
 * later write by another program changes it. The ctime may stay the same, because it is a tick in
 * both. If the host does not store the mtime to the nanosecond, as on vfat, the fingerprint is as
 * reliable as any.
 */
static struct vhd_fingerprint stamp(const struct vhd_disk *disk)
{
    const struct timespec now = clock_real();
    const struct timespec time = disk->keeps_second ? same_second(disk) : between_ticks();
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, time};
    struct stat attributes;

    bool is_set = futimens(disk->write_fd, times) == 0;
    if (fstat(disk->top->fd, &attributes) < 0)
        return (struct vhd_fingerprint){0};
    struct vhd_fingerprint left = vhd_fingerprint_seen(&attributes, now);
    if (is_set && attributes.st_mtim.tv_sec == time.tv_sec &&
        attributes.st_mtim.tv_nsec == time.tv_nsec && time.tv_nsec != 0)
        left.is_reliable = true;
    return vhd_confirm_name(disk) == 0 ? left : (struct vhd_fingerprint){0};
}

/* The fingerprint of an unwritten disk: that of its opening, or zeros if its file has changed. */
static struct vhd_fingerprint unwritten(const struct vhd_disk *disk)
{
    return vhd_confirm_layer(disk, disk->top) == 0 ? vhd_layer_fingerprint(disk->top)
                                                   : (struct vhd_fingerprint){0};
}

int vhd_disk_close(struct vhd_disk *disk, struct vhd_fingerprint *ret_left)
{
    struct vhd_fingerprint left = {0};
    int err = 0;

    if (ret_left)
        *ret_left = left;
    if (!disk)
        return 0;
    vhd_flusher_free(TAKE(disk->flusher));
    const bool is_writable = vhd_disk_is_writable(disk);
    if (is_writable)
        err = leave_clean(disk);
    if (err == 0 && !vhd_disk_has_failed(disk)) {
        left = is_writable && disk->has_written ? stamp(disk) : unwritten(disk);
        if (left.ino != 0)
            vhd_disk_add_parents(disk, &left);
    }
    if (ret_left)
        *ret_left = left;
    vhd_disk_free(disk);
    return err;
}
