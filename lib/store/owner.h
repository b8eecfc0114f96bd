/*
 * What the owner of a store leaves in the lock file for the next one: a line with its process and
 * mount point, for a message, and a number that tells whether the mount is still there.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A process and its mount point. Anybody who may write the file can forge them. */
struct vhd_owner {
    pid_t pid;
    char mountpoint[PATH_MAX];
};

/* Capacity for a line, with its zero byte: each byte of the path may take four. */
#define VHD_OWNER_LINE_SIZE (4 * PATH_MAX + 32)

/* Print "PID MOUNTPOINT" and a newline, with escapes as in mountinfo. Returns the length. */
size_t vhd_owner_print(const struct vhd_owner *owner, char ret_line[VHD_OWNER_LINE_SIZE]);

/* Parse such a line. Returns false when it describes no owner; *ret is unspecified then. */
bool vhd_owner_parse(const char *line, struct vhd_owner *ret);

/* The numbers of mounts are below this. */
#define VHD_MOUNT_TOKENS (UINT64_C(1) << 62)

/*
 * A number for a mount as this process sees it: made of its id, of its device, and of the mount
 * namespace and root folder of the process.
 *
 *   mount_id  as /proc/self/mountinfo has it
 *   ret       receives the number
 *
 * Returns false when this process sees no such mount.
 */
bool vhd_mount_token(int mount_id, uint64_t *ret);

/*
 * Has the mount of this number left the mount table? Only a process with the same namespace and
 * root folder can know; from anywhere else the answer is false.
 */
bool vhd_mount_is_gone(uint64_t token);
