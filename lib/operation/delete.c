/* SPDX-License-Identifier: MIT */
#include "operation/delete.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "repair/backup.h"
#include "operation/exclusive.h"

enum vhd_result vhd_delete(struct vhd_catalogue *catalogue, const char *name,
                           struct vhd_verdict *ret)
{
    const struct vhd_store *store = vhd_catalogue_store(catalogue);
    AUTO_CLOSE int fd = -1;
    struct vhd_info info;

    enum vhd_result result =
        vhd_disk_lock_exclusive(catalogue, name, VHD_PATIENCE_FOLDER, &info, &fd, ret);
    if (result != VHD_OK)
        return result;
    int err = unlinkat(vhd_store_fd(store), info.file, 0) < 0 ? -errno : 0;
    if (err == 0) {
        vhd_backup_remove(store, info.file);
        err = vhd_store_sync(store);
    }
    return err < 0 ? vhd_verdict_errno(ret, err, "cannot remove \"%s/%s\"", vhd_store_path(store),
                                       info.file)
                   : VHD_OK;
}
