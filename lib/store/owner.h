/* SPDX-License-Identifier: MIT */
/*
 * The owner's traces in the lock file, for the next vhdfs. A line names its process and mount point
 * for a message. A number shows whether its mount still exists.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A process and its mount point. Every user that may write the file can forge them. */
struct vhd_owner {
    pid_t pid;
    char mountpoint[PATH_MAX];
};

/* Capacity for a line, with its zero byte. Escapes turn each byte of the path into four. */
#define VHD_OWNER_LINE_SIZE (4 * PATH_MAX + 32)

/* Print "PID MOUNTPOINT" and a newline, with escapes as in mountinfo. Returns the length. */
size_t vhd_owner_print(const struct vhd_owner *owner, char ret_line[VHD_OWNER_LINE_SIZE]);

/* Parse such a line. Returns false if it describes no owner; *ret is unspecified then. */
bool vhd_owner_parse(const char *line, struct vhd_owner *ret);

/* The number of each mount is below this. */
#define VHD_MOUNT_TOKENS (UINT64_C(1) << 62)

/*
 * Compute the number of a mount from its id, its device, and the mount namespace and root folder of
 * this process.
 *
 *   mount_id  as in /proc/self/mountinfo
 *   ret       receives the number
 *
 * Returns false if this process sees no such mount.
 */
bool vhd_mount_token(int mount_id, uint64_t *ret);

/*
 * Has the mount of this number left the mount table? The answer is false in a process with another
 * namespace or root folder, because it cannot know.
 */
bool vhd_mount_is_gone(uint64_t token);
