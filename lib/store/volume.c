/* SPDX-License-Identifier: MIT */
#include "store/volume.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/*
 * The type of the file system of fd, as in mountinfo; empty if unknown.
 *
 * Source: proc(5), /proc/pid/mountinfo: the mount's id comes first, the type behind " - ".
 */
static void read_type(int fd, char type[64])
{
    struct statx attributes;
    AUTO_FREE char *line = NULL;
    size_t capacity = 0;

    type[0] = 0;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &attributes) < 0 ||
        !(attributes.stx_mask & STATX_MNT_ID))
        return;
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts)
        return;
    while (!*type && getline(&line, &capacity, mounts) >= 0) {
        const char *behind = strstr(line, " - ");
        if (behind && strtoull(line, NULL, 10) == attributes.stx_mnt_id)
            sscanf(behind, " - %63s", type);
    }
    fclose(mounts);
}

enum vhd_result vhd_store_judge_volume(int fd, const char *path, struct vhd_verdict *ret)
{
    static const char *const unsafe[] = {"fuse.sshfs", "fuse.rclone"};
    char type[64];

    read_type(fd, type);
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++) {
        if (strcmp(type, unsafe[i]) == 0)
            return vhd_verdict_set(
                ret, VHD_ACCESS_DENIED,
                "the store \"%s\" is on %s, whose locks other hosts do not see; if no "
                "other host uses it, mount with -o unsafe_store",
                path, type);
    }
    return VHD_OK;
}

enum vhd_growth vhd_volume_growth(int fd)
{
    char type[64];

    read_type(fd, type);
    if (strcmp(type, "ext4") == 0)
        return VHD_GROWTH_EXT4;
    return strcmp(type, "xfs") == 0 ? VHD_GROWTH_XFS : VHD_GROWTH_ANY;
}
