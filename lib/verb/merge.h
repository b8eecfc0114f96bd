/* SPDX-License-Identifier: MIT */
/*
 * Merging a differencing disk into its parent: the verb gives the parent the child's content, and
 * deletes the child.
 *
 *     combined blocks in new slots of the parent | their entries | delete the child | sync of the
 * folder
 *
 * The child holds the same content until its name goes, so no crash loses anything. Until all
 * blocks are combined, the parent's content is as it was.
 */
#pragma once

#include "verb/verb.h"

/*
 * A fixed parent is written in place, so the merge cannot be cancelled once it begins. After a
 * failure such a parent may hold a part of the child's content; the child still has all of it, and
 * the merge can be tried again. Outcomes beyond vhd_verb_submit(), in this order:
 *   those of vhd_source_open(): the chain is damaged, or not complete
 *   those of vhd_disk_lock_exclusive(): the child is in use, or has children
 *   VHD_WRONG_TYPE       the parent is no disk of the store, such as Hyper-V's snapshot
 *   VHD_IN_USE           the parent has other children, or is in use
 *   VHD_SIZE_TOO_SMALL   the parent is smaller than the child
 *   VHD_READ_ONLY        the parent's image allows only reading
 *   VHD_DISK_FULL        the host has no space for the combined blocks
 *   another              vhd_result_of_errno() of the host's answer
 *
 * Source: Virtual Server 2005 reference, "IVMHardDisk::Merge".
 */
extern const struct vhd_verb_ops vhd_merge_ops;
