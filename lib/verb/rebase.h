/* SPDX-License-Identifier: MIT */
/*
 * Rebasing a differencing disk: the verb records a disk of the store as its parent, in place. No
 * data moves. See lib/disk/README.md, "Another parent".
 */
#pragma once

#include "verb/verb.h"

/*
 * The disk may have children, and its recorded parent may be missing. Outcomes beyond
 * vhd_verb_submit(), in this order:
 *   VHD_INVALID_ARGUMENT  the chain of the new parent comes back to the disk, or as vhd_link_open()
 *   those of vhd_link_open() for the new parent
 *   VHD_IN_USE            the disk is open, or another program holds a lease on it
 *   VHD_NOT_A_DISK        its image is damaged
 *   VHD_READ_ONLY         its image allows only reading, or the host's file system is read-only
 *   VHD_PARENT_IDENTITY   the new parent is larger than the disk; or, unless the verb is forced, it
 *                         has not the recorded identity
 *   VHD_DISK_FULL         the host has no space for a second header
 *   VHD_ACCESS_FAILED     a sync has failed: the disk has the old record or the new one
 *   another               vhd_result_of_errno() of the host's answer
 *
 * Source: Virtual Server 2005 reference, "IVMHardDisk::Parent".
 */
extern const struct vhd_verb_ops vhd_rebase_ops;
