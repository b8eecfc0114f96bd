/* SPDX-License-Identifier: MIT */
#include "tree/owner.h"

#include <errno.h>
#include <limits.h>

#include "tree/disk_image.h"
#include "tree/permission.h"

/* The bits of an image's mode that count. */
#define COUNTING 0666

static bool is_decided_by_options(const struct fs *fs)
{
    return fs->has_uid || fs->has_gid || fs->has_umask;
}

/* The attributes of which that differ from those shown. */
static int changes_of(const struct stat *shown, const struct stat *wanted, int which)
{
    int changes = 0;

    if (which & FUSE_SET_ATTR_MODE && (wanted->st_mode ^ shown->st_mode) & COUNTING)
        changes |= FUSE_SET_ATTR_MODE;
    if (which & FUSE_SET_ATTR_UID && wanted->st_uid != shown->st_uid)
        changes |= FUSE_SET_ATTR_UID;
    if (which & FUSE_SET_ATTR_GID && wanted->st_gid != shown->st_gid)
        changes |= FUSE_SET_ATTR_GID;
    return changes;
}

/* A change of an image's file. */
struct change {
    const struct vhd_store *store;
    const char *file;
    const struct stat *wanted;
    int which;
};

/* The owner goes first, because chown clears bits of the mode. */
static int change_image(void *arg)
{
    const struct change *change = arg;
    const struct stat *wanted = change->wanted;
    int err = 0;

    if (change->which & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
        err = vhd_store_set_owner(change->store, change->file,
                                  change->which & FUSE_SET_ATTR_UID ? wanted->st_uid : (uid_t)-1,
                                  change->which & FUSE_SET_ATTR_GID ? wanted->st_gid : (gid_t)-1);
    if (err == 0 && change->which & FUSE_SET_ATTR_MODE)
        err = vhd_store_set_permissions(change->store, change->file, wanted->st_mode & COUNTING);
    return err;
}

enum vhd_result fs_owner_set(struct fs *fs, const struct fs_node *node, uid_t caller,
                             const struct stat *attributes, int which, struct vhd_verdict *ret)
{
    char file[NAME_MAX + 1];
    struct stat shown = {0}, image = {0};
    const char *name = fs_entry_name(node->entry), *path = vhd_store_path(fs->store);

    if (fs_entry_is_retired(fs->entries, node->entry) ||
        fs_entry_is_replaced(fs->entries, node->entry))
        return vhd_verdict_set(ret, VHD_PATH_NOT_FOUND,
                               "the disk \"%s\" was deleted or replaced; open its path again",
                               name);
    int err = vhd_store_find(fs->store, name, file, &image);
    if (err == 0)
        err = fs_node_stat(fs, node, &shown, NULL);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot read the attributes of the disk \"%s\"", name);
    const int changes = changes_of(&shown, attributes, which);
    if (changes == 0)
        return vhd_verdict_set(ret, VHD_OK, NULL);
    if (fs_judge_change(fs, ret) != VHD_OK)
        return ret->result;
    if (is_decided_by_options(fs))
        return vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                               "the mount options uid=, gid= and umask= set the owner and mode "
                               "of every disk; mount without them, or change the file \"%s/%s\"",
                               path, file);
    if (caller != 0 && caller != image.st_uid)
        return vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                               "only root and the owner of the file \"%s/%s\" may change its "
                               "owner or mode",
                               path, file);
    struct fs_disk *disk = fs_entry_disk(fs->entries, node->entry);
    if (!disk)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    struct change change = {fs->store, file, attributes, changes};
    err = fs_disk_change_attributes(disk, fs, name, change_image, &change);
    if (err == -EPERM)
        return vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                               "the host does not let vhdfs change the owner or mode of "
                               "\"%s/%s\"; ask the owner of that file",
                               path, file);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot change the owner or mode of \"%s/%s\"", path,
                                 file);
    return vhd_verdict_set(ret, VHD_OK, NULL);
}
