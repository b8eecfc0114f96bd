/*
 * Is the file of an open disk still the one that we left? Other programs may overwrite an image,
 * rename another over it or remove it, whatever our locks say. What is not ours is never cut off
 * nor written to, so each change of a file's length asks here first.
 */
#pragma once

#include "disk/state.h"

/* Confirm a layer of a disk as vhd_layer_confirm() does. */
int vhd_confirm_layer(const struct vhd_disk *disk, const struct vhd_layer *layer);

/*
 * Confirm that the name of a writable disk leads to its file, and that this ends as we left it: its
 * length, the footer at its end and the copy of that.
 *
 * With growth_lock held. Returns 0, -ESTALE as vhd_confirm_layer(), or another negative errno of
 * fstatat(2) or pread(2).
 */
int vhd_confirm_end(const struct vhd_disk *disk);

/*
 * Confirm that the file of a writable disk was not overwritten where it lies, whatever its name is
 * by now: its length and both footers. It costs little, so each sync and each new block asks.
 *
 * With growth_lock held. Returns 0; -EIO where it was, and the disk is marked as failed; or another
 * negative errno of fstat(2) or pread(2).
 */
int vhd_confirm_in_place(struct vhd_disk *disk);

/*
 * The same as vhd_confirm_end(), and that its header and table are those in memory: before a part
 * of it is cut off.
 *
 * Returns as vhd_confirm_end(); -EIO where the table differs, and an entry of it could not be
 * written before.
 */
int vhd_confirm_all(const struct vhd_disk *disk);

/*
 * The same in the middle of a cut: the file reaches to length, and a footer has just been put at
 * footer_at. Its copy is not looked at.
 */
int vhd_confirm_cut(const struct vhd_disk *disk, uint64_t length, uint64_t footer_at);

/*
 * Mark a disk as failed if that is what an answer of vhd_confirm_end() or vhd_confirm_all() means:
 * nothing is written to it any more. Returns the answer.
 */
int vhd_confirm_mark(struct vhd_disk *disk, int err);
