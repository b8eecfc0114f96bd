/* SPDX-License-Identifier: MIT */
/*
 * Relinking gives a differencing disk another record of its parent. The header is written at a far
 * place first, because the name lies in both of its sectors. See README.md, "Another parent".
 */
#pragma once

#include "disk/state.h"

/*
 * Move the header home, if a crash has left it at the far place of a hop. The caller has repaired
 * both footers. A header that another program has put behind blocks stays.
 *
 *   ret_is_moved  receives whether it was moved: the layout is another one then
 *
 * Returns 0, also on a full host, where the header stays; -ESTALE when another program has changed
 * the file; -ENOMEM; or another negative errno of a call that reads, writes or syncs the image.
 */
int vhd_relink_recover(struct vhd_disk *disk, bool *ret_is_moved);
