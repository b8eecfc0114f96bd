/* SPDX-License-Identifier: MIT */
#include "operation/exclusive.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "store/claim.h"

/* The pause between two tries. */
static const struct timespec between_tries = {.tv_nsec = 2000000};

/* The most calls that wait for an opening. Others are refused at once, so that threads are left. */
#define WAITING_MAX 4

static _Atomic unsigned waiting;

static int claim_idle(int fd, enum vhd_claim claim, enum vhd_patience patience)
{
    const struct timespec deadline = clock_after(clock_monotonic(), patience);

    int err = vhd_claim(fd, VHD_CLAIM_NONE, claim);
    while (err == -EBUSY && !clock_has_passed(deadline)) {
        nanosleep(&between_tries, NULL);
        err = vhd_claim(fd, VHD_CLAIM_NONE, claim);
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

enum vhd_result vhd_disk_refuse_lease(const char *file, struct vhd_verdict *ret)
{
    return vhd_verdict_set(
        ret, VHD_IN_USE, "another program holds a lease on \"%s\"; end that program, or try again",
        file);
}

enum vhd_result vhd_disk_lock_exclusive(struct vhd_catalogue *catalogue, const char *name,
                                        enum vhd_patience patience, struct vhd_info *ret_info,
                                        int *ret_fd, struct vhd_verdict *ret)
{
    const struct vhd_store *store = vhd_catalogue_store(catalogue);

    int err = vhd_info_read(store, name, ret_info);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the disk \"%s\"", name);
    AUTO_CLOSE int fd = vhd_store_open_to_use(store, ret_info->file);
    if (fd == -EAGAIN)
        return vhd_disk_refuse_lease(ret_info->file, ret);
    if (fd < 0)
        return vhd_verdict_errno(
            ret, fd, "cannot read the disk \"%s\" to find its differencing disks", name);
    err = claim_idle(fd, VHD_CLAIM_WRITE, patience);
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

static bool is_cancelled(struct vhd_task *task)
{
    return task && vhd_task_is_cancelled(task);
}

enum vhd_result vhd_disk_open_patiently(struct vhd_catalogue *catalogue, const char *name,
                                        unsigned flags, struct vhd_task *task,
                                        struct vhd_disk **ret_disk, struct vhd_verdict *ret)
{
    const struct timespec deadline = clock_after(clock_monotonic(), VHD_PATIENCE_TASK);
    struct vhd_verdict why;

    enum vhd_result result = vhd_disk_open(catalogue, name, flags, ret_disk, &why);
    const bool may_wait = ++waiting <= WAITING_MAX;
    while (may_wait && result == VHD_IN_USE && !clock_has_passed(deadline) && !is_cancelled(task)) {
        nanosleep(&between_tries, NULL);
        result = vhd_disk_open(catalogue, name, flags, ret_disk, &why);
    }
    waiting--;
    if (result != VHD_OK && is_cancelled(task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    return result == VHD_OK ? VHD_OK : vhd_verdict_set(ret, result, "%s", why.sentence);
}

enum vhd_result vhd_disk_open_exclusive(struct vhd_catalogue *catalogue, const char *name,
                                        struct vhd_disk **ret_disk, struct vhd_verdict *ret)
{
    struct vhd_info info;
    int fd = -1;

    /* The lock judges and waits. The opening judges and claims once more. */
    enum vhd_result result =
        vhd_disk_lock_exclusive(catalogue, name, VHD_PATIENCE_TASK, &info, &fd, ret);
    if (result != VHD_OK)
        return result;
    close(fd);
    return vhd_disk_open(catalogue, name, VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER, ret_disk, ret);
}

enum vhd_result vhd_disk_claim_any(const struct vhd_store *store, const char *name,
                                   enum vhd_claim claim, char ret_file[NAME_MAX + 1], int *ret_fd,
                                   struct vhd_verdict *ret)
{
    int err = vhd_store_find(store, name, ret_file, NULL);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the disk \"%s\"", name);
    AUTO_CLOSE int fd = vhd_store_open_to_use(store, ret_file);
    if (fd == -EAGAIN)
        return vhd_disk_refuse_lease(ret_file, ret);
    if (fd < 0)
        return vhd_verdict_errno(ret, fd, "cannot read the disk \"%s\"", name);
    err = claim_idle(fd, claim, VHD_PATIENCE_TASK);
    if (err == 0)
        err = vhd_store_confirm(store, ret_file, fd);
    if (err == -EBUSY || err == -ESTALE)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "the disk \"%s\" is open%s; close it in every program first", name,
                               claim == VHD_CLAIM_READ ? " for writing" : "");
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot lock the disk \"%s\"", name);
    *ret_fd = fd;
    fd = -1;
    return VHD_OK;
}
