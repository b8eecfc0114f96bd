/* SPDX-License-Identifier: MIT */
/*
 * Compacting a disk: the verb removes blocks of zeros, and moves the last blocks of the file into
 * the gaps, so that the file ends short. It works in the image itself and needs no free space.
 */
#pragma once

#include "verb/verb.h"

/*
 * The content stays the same throughout. So a cancel, a failure or a crash loses nothing; what has
 * been gained by then stays. Outcomes beyond vhd_verb_submit():
 *   those of vhd_disk_open_exclusive()
 *   another  vhd_result_of_errno() of the host's answer
 *
 * Source: Virtual Server 2005 reference, "IVMHardDisk::Compact"; Hyper-V's Optimize-VHD.
 */
extern const struct vhd_verb_ops vhd_compact_ops;
