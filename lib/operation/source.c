/* SPDX-License-Identifier: MIT */
#include "operation/source.h"

#include <errno.h>

#include "operation/exclusive.h"

enum vhd_result vhd_source_open(struct vhd_catalogue *catalogue, const char *name,
                                const struct vhd_source_role *role, struct vhd_task *task,
                                struct vhd_disk **ret_disk, struct vhd_verdict *ret)
{
    struct vhd_verdict why;
    char file[NAME_MAX + 1];

    if (vhd_store_find(vhd_catalogue_store(catalogue), name, file, NULL) == -ENOENT)
        return vhd_verdict_set(ret, role->missing, "there is no disk \"%s\" %s; ls disks shows all",
                               name, role->purpose);
    enum vhd_result result = vhd_disk_open_patiently(catalogue, name, 0, task, ret_disk, &why);
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
