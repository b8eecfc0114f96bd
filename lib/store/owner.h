/*
 * The line in a lock file that describes the owner of a store: its process, its mount point, and
 * enough to tell that the mount is gone. Any program with the owner's rights can write such a line.
 * So it serves messages, and it lengthens a wait that is bounded; no decision rests on it alone.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct vhd_owner {
    pid_t pid;
    char mountpoint[PATH_MAX];
    char view[80];   /* the mount namespace and root folder in which the owner saw the mount */
    char mount[64];  /* the mount's id there; "-" when unknown */
    char device[64]; /* the mount's device number, "0:45"; "-" when unknown */
};

/* Capacity for a line, with its zero byte: each byte of the path may take four. */
#define VHD_OWNER_LINE_SIZE (4 * PATH_MAX + 256)

/*
 * Describe the calling process.
 *
 *   mountpoint  absolute; cut where it is longer than a path can be
 *   mount_id    of the mount, as /proc/self/mountinfo has it; -1 when unknown
 */
void vhd_owner_describe(const char *mountpoint, int mount_id, struct vhd_owner *ret);

/* Print an owner as a line. Returns its length, its newline included. */
size_t vhd_owner_print(const struct vhd_owner *owner, char ret_line[VHD_OWNER_LINE_SIZE]);

/* Parse a line. Returns false when it describes no owner; *ret is unspecified then. */
bool vhd_owner_parse(const char *line, struct vhd_owner *ret);

/*
 * Has the mount of this owner left the mount table? Only a process that sees the table as the owner
 * did can know: from anywhere else, and for an unknown mount, the answer is false.
 */
bool vhd_owner_has_unmounted(const struct vhd_owner *owner);
