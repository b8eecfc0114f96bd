/* SPDX-License-Identifier: MIT */
#include "operation/source.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"

/*
 * close(2) returns before the daemon that serves the file is notified, and a busy host may take
 * long over the close. Only the request waits, so it may wait longer than an operation that holds
 * up a folder.
 */
#define PATIENCE_MS 1000

/*
 * Those who wait hold threads that other work needs. Beyond this number a disk in use is refused at
 * once.
 */
#define WAITING_MAX 4

static _Atomic unsigned waiting;

static bool is_cancelled(struct vhd_task *task)
{
    return task && vhd_task_is_cancelled(task);
}

enum vhd_result vhd_source_open(struct vhd_catalogue *catalogue, const char *name,
                                const struct vhd_source_role *role, struct vhd_task *task,
                                struct vhd_disk **ret_disk, struct vhd_verdict *ret)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    const struct timespec deadline = clock_after(clock_monotonic(), PATIENCE_MS);
    struct vhd_verdict why;
    char file[NAME_MAX + 1];

    if (vhd_store_find(vhd_catalogue_store(catalogue), name, file, NULL) == -ENOENT)
        return vhd_verdict_set(ret, role->missing, "there is no disk \"%s\" %s; ls disks shows all",
                               name, role->purpose);
    enum vhd_result result = vhd_disk_open(catalogue, name, 0, ret_disk, &why);
    const bool may_wait = ++waiting <= WAITING_MAX;
    while (may_wait && result == VHD_IN_USE && !clock_has_passed(deadline) && !is_cancelled(task)) {
        nanosleep(&pause, NULL);
        result = vhd_disk_open(catalogue, name, 0, ret_disk, &why);
    }
    waiting--;
    if (result != VHD_OK && is_cancelled(task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    if (result == VHD_IN_USE)
        return vhd_verdict_set(ret, result,
                               "the %s \"%s\" is open for writing, or another program holds a lock "
                               "or a lease on \"%s\"; end its use first",
                               role->noun, name, file);
    return result == VHD_OK ? VHD_OK : vhd_verdict_set(ret, result, "%s", why.sentence);
}

struct permissions {
    gid_t gid;
    mode_t mode;
};

static int meet_mode(void *arg, const char *file, const struct stat *attributes)
{
    struct permissions *permissions = arg;
    (void)file;

    permissions->mode &= attributes->st_mode;
    if (attributes->st_gid != permissions->gid)
        permissions->mode &= ~(mode_t)S_IRWXG;
    return 0;
}

int vhd_source_mode(const struct vhd_disk *disk, gid_t gid, mode_t *ret)
{
    struct permissions permissions = {gid, 0777};

    int err = vhd_disk_each_file(disk, meet_mode, &permissions);
    *ret = permissions.mode;
    return err;
}
