/* SPDX-License-Identifier: MIT */
#include "operation/exclusive.h"

#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "store/claim.h"

/*
 * close(2) returns before the daemon that serves the file is notified, so a disk may seem open
 * shortly after its last close. A longer wait would delay all requests of the folder.
 */
#define PATIENCE_MS 100

static int claim_idle(int fd)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    const struct timespec deadline = clock_after(clock_monotonic(), PATIENCE_MS);

    int err = vhd_claim(fd, VHD_CLAIM_NONE, VHD_CLAIM_WRITE);
    while (err == -EBUSY && !clock_has_passed(deadline)) {
        nanosleep(&pause, NULL);
        err = vhd_claim(fd, VHD_CLAIM_NONE, VHD_CLAIM_WRITE);
    }
    return err;
}

static enum vhd_result judge_childless(struct vhd_catalogue *catalogue, const struct vhd_info *info,
                                       struct vhd_verdict *ret)
{
    unsigned count = 0;
    int err = 0;

    if (info->image.has_footer)
        err = vhd_catalogue_count_children_now(catalogue, info->file, info->image.footer.uuid,
                                               &count);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot list the folder \"%s\"",
                                 vhd_store_path(vhd_catalogue_store(catalogue)));
    if (count > 0)
        return vhd_verdict_set(
            ret, VHD_IN_USE, "the disk \"%s\" has %u differencing disk%s on it; delete %s first",
            info->name, count, count == 1 ? "" : "s", count == 1 ? "that one" : "those");
    return VHD_OK;
}

enum vhd_result vhd_disk_lock_exclusive(struct vhd_catalogue *catalogue, const char *name,
                                        struct vhd_info *ret_info, int *ret_fd,
                                        struct vhd_verdict *ret)
{
    const struct vhd_store *store = vhd_catalogue_store(catalogue);

    int err = vhd_info_read(store, name, ret_info);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the disk \"%s\"", name);
    AUTO_CLOSE int fd = vhd_store_open_to_use(store, ret_info->file);
    if (fd == -EAGAIN)
        return vhd_verdict_set(
            ret, VHD_IN_USE,
            "another program holds a lease on \"%s\"; end that program, or try again",
            ret_info->file);
    if (fd < 0)
        return vhd_verdict_errno(
            ret, fd, "cannot read the disk \"%s\" to find its differencing disks", name);
    err = claim_idle(fd);
    if (err < 0 && err != -EBUSY)
        return vhd_verdict_errno(ret, err, "cannot lock the disk \"%s\"", name);
    /* Judge a busy disk too, because its children may be the ones that hold it. */
    enum vhd_result result = judge_childless(catalogue, ret_info, ret);
    if (result != VHD_OK)
        return result;
    if (err == -EBUSY)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "the disk \"%s\" is open; close it in every program first, and wait "
                               "for tasks that copy it",
                               name);
    *ret_fd = fd;
    fd = -1;
    return VHD_OK;
}
