/* SPDX-License-Identifier: MIT */
/*
 * The changes of a plan: in words, and as stretches of the file.
 */
#pragma once

#include <sys/types.h>

#include "image/finding.h"
#include "repair/plan.h"

/* Tell of each change, as a remark whose kind is "repaired". */
void vhd_repair_changes_tell(const struct vhd_repair_plan *plan,
                             void (*found)(void *arg, const struct vhd_finding *finding),
                             void *arg);

/*
 * List the stretches of the file that change, in any order. Bytes that are cut off do not count,
 * apart from a footer.
 *
 *   ret  receives a list to be freed
 *
 * Returns their number, or -ENOMEM.
 */
ssize_t vhd_repair_changes_list(const struct vhd_repair_plan *plan,
                                struct vhd_repair_stretch **ret);
