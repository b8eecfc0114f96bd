/* SPDX-License-Identifier: MIT */
/*
 * The sweep: the owner of a store removes the remains of a crash when it opens the store.
 */
#pragma once

#include "result/result.h"

/* The prefix of a draft's file name, on file systems that need one. */
#define VHD_DRAFT_PREFIX ".vhdfs-draft-"

/* The prefix of the draft of a snapshot's child; then the inode of its parent in hex, and a dash.
 */
#define VHD_SNAPSHOT_PREFIX VHD_DRAFT_PREFIX "snapshot-"

/*
 * Remove every draft that no process has locked.
 *
 * Before the draft of a snapshot's child goes, the second name of its parent goes, durably: the
 * name that the draft's header records, if it leads to the inode in the draft's name, and to the
 * recorded UUID, and if a disk of the store is another name of that inode. So no last name goes. If
 * the second name cannot be removed, the draft stays for the next sweep.
 *
 *   fd, path  the directory, and its name in a sentence
 *
 * Returns VHD_OK, or vhd_result_of_errno() of the host's answer.
 */
enum vhd_result vhd_store_sweep(int fd, const char *path, struct vhd_verdict *ret);
