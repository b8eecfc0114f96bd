#include "job/delete.h"

#include <errno.h>
#include <unistd.h>

#include "disk/info.h"

enum vhd_result vhd_delete(const struct vhd_store *store, const char *name, struct vhd_verdict *ret)
{
    struct vhd_info info;

    int err = vhd_info_read(store, name, &info);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the disk \"%s\"", name);
    if (info.children > 0)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "the disk \"%s\" has %u differencing disks on it, expected none",
                               name, info.children);
    if (unlinkat(vhd_store_fd(store), info.file, 0) < 0)
        err = -errno;
    if (err == 0)
        err = vhd_store_sync(store);
    return err < 0 ? vhd_verdict_errno(ret, err, "cannot remove \"%s/%s\"", vhd_store_path(store),
                                       info.file)
                   : VHD_OK;
}
