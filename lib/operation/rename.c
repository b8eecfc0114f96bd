/* SPDX-License-Identifier: MIT */
#include "operation/rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "operation/admit.h"
#include "repair/backup.h"
#include "operation/exclusive.h"
#include "request/name.h"

/* Judge the two names and the files of those names. */
static enum vhd_result judge_names(const struct vhd_store *store, const char *name,
                                   const char *new_name, struct vhd_verdict *ret)
{
    char file[NAME_MAX + 1];

    enum vhd_result result = vhd_name_judge_disk(vhd_store_path(store), new_name, ret);
    if (result != VHD_OK)
        return result;
    int err = vhd_store_find(store, name, file, NULL);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the disk \"%s\"", name);
    if (vhd_store_find(store, new_name, file, NULL) == 0)
        return vhd_admit_refuse_existing(store, file, ret);
    return VHD_OK;
}

/*
 * Rename a file, never over another. File systems without such a rename, such as NFS, get a link,
 * which never replaces a file either.
 */
static int move_file(const struct vhd_store *store, const char *file, const char *new_file)
{
    int dir_fd = vhd_store_fd(store);

    if (renameat2(dir_fd, file, dir_fd, new_file, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (linkat(dir_fd, file, dir_fd, new_file, 0) < 0)
        return -errno;
    int err = vhd_store_sync(store); /* otherwise a crash could leave neither name */
    if (err == 0 && unlinkat(dir_fd, file, 0) < 0)
        err = -errno;
    if (err < 0)
        unlinkat(dir_fd, new_file, 0);
    return err;
}

enum vhd_result vhd_rename(struct vhd_catalogue *catalogue, const char *name, const char *new_name,
                           struct vhd_verdict *ret)
{
    const struct vhd_store *store = vhd_catalogue_store(catalogue);
    AUTO_CLOSE int fd = -1;
    struct vhd_info info;
    char file[NAME_MAX + 1];

    enum vhd_result result = judge_names(store, name, new_name, ret);
    if (result == VHD_OK)
        result = vhd_disk_lock_exclusive(catalogue, name, VHD_PATIENCE_FOLDER, &info, &fd, ret);
    if (result != VHD_OK)
        return result;

    /* Keep the case of the ending: the file's owner chose it. */
    snprintf(file, sizeof file, "%s%s", new_name, info.file + strlen(name));
    int err = move_file(store, info.file, file);
    if (err == 0) {
        vhd_backup_rename(store, info.file, file);
        err = vhd_store_sync(store);
        /* A reported failure leaves the old name. */
        if (err < 0 && move_file(store, file, info.file) == 0)
            vhd_backup_rename(store, file, info.file);
    }
    return err < 0 ? vhd_verdict_errno(ret, err, "cannot rename \"%s/%s\" to \"%s\"",
                                       vhd_store_path(store), info.file, file)
                   : VHD_OK;
}
