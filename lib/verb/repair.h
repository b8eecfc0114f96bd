/* SPDX-License-Identifier: MIT */
/*
 * Repairing a disk: the verb mends the metadata of an image as far as that loses nothing, then
 * checks it. repair/plan.h says what it mends, and backup.h where the old metadata stays.
 */
#pragma once

#include "verb/verb.h"

/*
 * The report has a line `WHERE repaired sentence` for each change, then those of a check. A disk
 * without findings and without slack is not changed. A disk with children gets no change of its
 * content, and its image keeps its mtime, which they record. Outcomes beyond vhd_verb_submit(), in
 * this order:
 *   those of vhd_disk_claim_any(), VHD_ACCESS_DENIED or VHD_READ_ONLY if it cannot be written to
 *   VHD_CANCELLED, VHD_OUT_OF_MEMORY
 *   VHD_BUFFER_OVERFLOW  its name is too long for that of the old metadata
 *   VHD_IN_USE           another program has changed the image meanwhile
 *   VHD_DISK_FULL, another  the host's answer to a write; the image is no worse than before, and
 * can be repaired again VHD_NOT_A_DISK       there are findings still; the sentence says how many
 */
extern const struct vhd_verb_ops vhd_repair_ops;
