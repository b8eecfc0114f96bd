/* SPDX-License-Identifier: MIT */
#include "tree/permission.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Most processes have fewer groups. For one with more the call is repeated. */
enum { GROUPS_FIRST = 64 };

static bool has_group(fuse_req_t req, gid_t gid)
{
    int capacity = GROUPS_FIRST;
    AUTO_FREE gid_t *groups = malloc((size_t)capacity * sizeof *groups);
    int count = groups ? fuse_req_getgroups(req, capacity, groups) : 0;

    if (count > capacity) {
        capacity = count;
        free(groups);
        groups = malloc((size_t)capacity * sizeof *groups);
        count = groups ? fuse_req_getgroups(req, capacity, groups) : 0;
    }
    /* Where /proc does not show them, the caller's own group counts alone. */
    for (int i = 0; i < count && i < capacity; i++) {
        if (groups[i] == gid)
            return true;
    }
    return fuse_req_ctx(req)->gid == gid;
}

bool fs_may_all(fuse_req_t req)
{
    const uid_t uid = fuse_req_ctx(req)->uid;

    return uid == 0 || uid == geteuid();
}

/* May the caller do what these bits of a mode allow, for the owner, the group and others? */
static bool may(const struct fs *fs, fuse_req_t req, const struct stat *file, mode_t bits)
{
    const mode_t mode = bits & (fs->has_umask ? 0666 & ~fs->umask : file->st_mode);

    if (fs_may_all(req))
        return true;
    if (fuse_req_ctx(req)->uid == (fs->has_uid ? fs->uid : file->st_uid))
        return mode & S_IRWXU;
    if (has_group(req, fs->has_gid ? fs->gid : file->st_gid))
        return mode & S_IRWXG;
    return mode & S_IRWXO;
}

bool fs_may_read(const struct fs *fs, fuse_req_t req, const struct stat *file)
{
    return may(fs, req, file, S_IRUSR | S_IRGRP | S_IROTH);
}

bool fs_may_write(const struct fs *fs, fuse_req_t req, const struct stat *file)
{
    return may(fs, req, file, S_IWUSR | S_IWGRP | S_IWOTH);
}

enum vhd_result fs_judge_change(const struct fs *fs, struct vhd_verdict *ret)
{
    if (fs->is_read_only)
        return vhd_verdict_set(
            ret, VHD_READ_ONLY,
            "vhdfs is mounted read-only; mount without -o ro to change something");
    return vhd_store_judge_lock(fs->store, ret);
}
