/* SPDX-License-Identifier: MIT */
/*
 * Is the file of an open disk still ours? Other programs may overwrite, replace or remove an image
 * in spite of our locks. Only our own file may be written to or cut, so one of these checks
 * precedes each change of its length. See README.md, "Confirm: a file that others changed is never
 * cut".
 */
#pragma once

#include "disk/state.h"

/* Confirm a layer of a disk, as vhd_layer_confirm() does. */
int vhd_confirm_layer(const struct vhd_disk *disk, struct vhd_layer *layer);

/*
 * Confirm that the name of a disk leads to its file. Returns 0; -ESTALE if it leads to another file
 * or to none; or another negative errno of fstatat(2).
 */
int vhd_confirm_name(const struct vhd_disk *disk);

/*
 * Confirm that the file of a writable disk has our length and both our footers.
 *
 * Call it with growth_lock held. Returns 0, -ESTALE if it has not, or another negative errno of
 * fstat(2) or pread(2).
 */
int vhd_confirm_end(const struct vhd_disk *disk);

/*
 * Confirm as vhd_confirm_end(), and the part of the table where an entry was last changed. This is
 * cheap, so each flush and each new block calls it.
 *
 * Call it with growth_lock held. Returns 0; -EIO when the disk has failed, or another program has
 * changed the file, which makes the disk fail; or another negative errno of fstat(2) or pread(2).
 */
int vhd_confirm_in_place(struct vhd_disk *disk);

/*
 * Confirm right after a growth has written its footer: as vhd_confirm_end(), and the footer before
 * that one and the table must be as we left them. A file that was truncated and written in between
 * has the new footer too, because the growth has put it there.
 *
 * The table is not compared once the write of an entry has failed. Returns as vhd_confirm_end().
 */
int vhd_confirm_growth(const struct vhd_disk *disk);

/*
 * Confirm before a cut: as vhd_confirm_end(), and header and table must equal those in memory.
 *
 * Returns as vhd_confirm_end(); -EIO where the table differs after a failed write of an entry.
 */
int vhd_confirm_all(const struct vhd_disk *disk);

/*
 * Confirm within a cut: as vhd_confirm_all(), but the copy of the footer is not read.
 *
 *   length     the file may end here, at disk->length, or at an end that a failed growth has tried
 *   footer_at  the place of the new footer
 */
int vhd_confirm_cut(const struct vhd_disk *disk, uint64_t length, uint64_t footer_at);

/*
 * Make the disk lost and failed if err is -ESTALE: nothing more is written to it.
 *
 *   err  from another check here, for a caller who answers a write, a discard or a flush
 *
 * Returns err, or -EIO in place of -ESTALE.
 */
int vhd_confirm_mark(struct vhd_disk *disk, int err);
