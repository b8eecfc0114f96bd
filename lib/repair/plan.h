/* SPDX-License-Identifier: MIT */
/*
 * The plan of a repair: what is wrong with an image, and what its metadata should be. It reads the
 * image and writes nothing; repair/write.h carries it out.
 *
 * The plan keeps every byte that can belong to the disk:
 *   - Of two blocks that overlap, both keep what they read now: the lower one in the file stays,
 *     and the other gets a copy in a new place.
 *   - A block that is cut off at the end of the file keeps its part, and zeros follow.
 *   - Only a block that begins outside the file, or lies over metadata, leaves the table.
 *   - A fixed disk's file is cut only behind its footer, and only if zeros alone lie there.
 *
 * Where the specification leaves a choice, the plan leaves the image as it is: data under clear
 * bits, a batmap, locators, parents, reserved bytes at the end of a sound header (they cannot
 * change together with its checksum), and images that blktap has disabled or bitmaps of its version
 * 0.1.
 */
#pragma once

#include <stdbool.h>

#include "repair/planned.h"

/*
 * Plan the repair of an image.
 *
 *   fd            open for reading, and claimed for writing
 *   has_children  the content must not change: only footers, header and slack do then
 *   goes_on       as of struct vhd_checker, with arg; NULL for none
 *
 * Returns 0 and a plan for vhd_repair_plan_free(); -ECANCELED, -ENOMEM, or the negative errno of a
 * failed read: the plan is empty then.
 */
int vhd_repair_plan_make(int fd, bool has_children, bool (*goes_on)(void *arg, unsigned percent),
                         void *arg, struct vhd_repair_plan *ret);

/* Does the plan change nothing? */
bool vhd_repair_plan_is_empty(const struct vhd_repair_plan *plan);

/* Free a plan. */
void vhd_repair_plan_free(struct vhd_repair_plan *plan);
