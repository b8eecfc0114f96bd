#include "operation/delete.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "operation/exclusive.h"

enum vhd_result vhd_delete(const struct vhd_store *store, struct vhd_children *children,
                           const char *name, struct vhd_verdict *ret)
{
    AUTO_CLOSE int fd = -1;
    struct vhd_info info;

    enum vhd_result result = vhd_disk_lock_exclusive(store, children, name, &info, &fd, ret);
    if (result != VHD_OK)
        return result;
    int err = unlinkat(vhd_store_fd(store), info.file, 0) < 0 ? -errno : vhd_store_sync(store);
    return err < 0 ? vhd_verdict_errno(ret, err, "cannot remove \"%s/%s\"", vhd_store_path(store),
                                       info.file)
                   : VHD_OK;
}
