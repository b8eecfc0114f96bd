/* SPDX-License-Identifier: MIT */
/*
 * Checking a disk: the verb tells of everything in its image that a strict reader objects to. It
 * changes nothing, and works for damaged images too. image/check.h says what it finds.
 */
#pragma once

#include "image/finding.h"
#include "verb/verb.h"

/*
 * The report has a line `WHERE KIND sentence` for each finding and remark. Programs that read the
 * disk go on; none can write to it meanwhile. Outcomes beyond vhd_verb_submit(), in this order:
 *   those of vhd_disk_claim_any()
 *   VHD_CANCELLED, VHD_OUT_OF_MEMORY
 *   VHD_NOT_A_DISK  there are findings; the sentence says how many
 */
extern const struct vhd_verb_ops vhd_check_ops;

/* Add a finding to the report of a task; the found() of a struct vhd_checker. */
void vhd_check_report(void *task, const struct vhd_finding *finding);

/* Set the progress of a task; the goes_on() of a struct vhd_checker. */
bool vhd_check_goes_on(void *task, unsigned percent);

/* The outcome of a check with this many findings; VHD_OK for none. */
enum vhd_result vhd_check_judge(const char *name, uint64_t findings, struct vhd_verdict *ret);
