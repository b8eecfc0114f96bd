/* SPDX-License-Identifier: MIT */
/*
 * The mark of a fixed disk whose resize was interrupted: its footer has an odd original size, the
 * byte where another footer of this disk may lie, plus one. No disk has an odd size, so no other
 * program makes such a footer. See lib/disk/README.md, "Resize".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/footer.h"

/* The original size of a footer that leads to a byte. */
uint64_t vhd_mark_to(uint64_t at);

/* Is a footer marked, with the other one before it? */
bool vhd_mark_is_set(const struct vhd_footer *footer);

/* The byte that a marked footer leads to. */
uint64_t vhd_mark_at(const struct vhd_footer *footer);

/*
 * Read the footer that a marked one leads to.
 *
 *   fd  the image, open for reading
 *
 * Returns 0; -ENOENT if it is gone, because this was done before, or a program has written there;
 * or the negative errno of pread(2).
 */
int vhd_mark_read(int fd, const struct vhd_footer *footer, struct vhd_footer *ret);

/*
 * Find the footer that a marked one leads to, as vhd_mark_read().
 *
 *   ret_at  receives its byte, or 0 where the footer has no mark or the other one is gone
 *
 * Returns 0, or the negative errno of pread(2).
 */
int vhd_mark_find(int fd, const struct vhd_footer *footer, uint64_t *ret_at);
