#include "job/childless.h"

#include "base/cleanup.h"

enum vhd_result vhd_judge_childless(const struct vhd_store *store, struct vhd_children *children,
                                    const char *name, struct vhd_info *ret_info,
                                    struct vhd_verdict *ret)
{
    unsigned count = 0;

    int err = vhd_info_look(store, name, ret_info);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the disk \"%s\"", name);
    AUTO_CLOSE int fd = vhd_store_open_to_look(store, ret_info->file);
    if (fd < 0)
        return vhd_verdict_errno(ret, fd, "cannot read the disk \"%s\" to tell its children", name);
    if (ret_info->image.has_footer)
        err = vhd_children_count_now(children, ret_info->image.footer.uuid, &count);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot list the folder \"%s\"", vhd_store_path(store));
    if (count > 0)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "the disk \"%s\" has %u differencing disks on it, expected none",
                               name, count);
    return VHD_OK;
}
