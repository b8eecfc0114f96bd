/* SPDX-License-Identifier: MIT */
/*
 * A snapshot: the verb keeps the content of a disk as another disk, and the disk goes on as a child
 * of that one. No data moves: the image gets the new name, and an empty child the old one.
 *
 *     the child as a draft with a name | the image's second name | the child renamed over the first
 *     | reply
 *
 * Each barrier syncs the folder, the first one the child too. At every cut the first name leads to
 * the whole content: to the image, or to a child of the second name. If the image has both names
 * after a crash, the sweep removes the second one with the draft. See lib/README.md, "The way of a
 * snapshot".
 */
#pragma once

#include "verb/verb.h"

/*
 * The image keeps its identity, time, owner and permissions under the new name. The child has a new
 * identity, and the same size, owner and permissions. Outcomes beyond vhd_verb_submit(), in this
 * order:
 *   VHD_BUFFER_OVERFLOW, VHD_INVALID_NAME  the new name breaks a rule of request/name.h
 *   VHD_ALREADY_EXISTS    there is a file of that name
 *   those of vhd_disk_open_exclusive(): VHD_IN_USE if the disk is open or has children
 *   VHD_INVALID_ARGUMENT, VHD_SIZE_TOO_LARGE  as vhd_link_rename()
 *   VHD_ACCESS_DENIED, VHD_READ_ONLY  no file can be made in the store, or none with its owner
 *   VHD_FILE_TOO_LARGE, VHD_DISK_FULL  as vhd_admit_length()
 *   VHD_NOT_PERMITTED     the file system gives no file a second name
 *   VHD_IN_USE            another program has changed the disk, or a parent, meanwhile
 *   another               vhd_result_of_errno() of the host's answer
 *
 * After a failure the disk is as it was, and there is no disk of the new name, unless the host
 * fails to remove the name too.
 */
extern const struct vhd_verb_ops vhd_snapshot_ops;
