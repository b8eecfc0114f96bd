/* SPDX-License-Identifier: MIT */
/*
 * Compacting makes the file of a dynamic or differencing disk short: blocks of zeros leave the
 * table, and the blocks at the end of the file move into the gaps below. The content stays the same
 * at every instant, so a caller may stop between any two calls.
 *
 * For a writable disk that no other thread uses. See lib/disk/README.md, "Compacting".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"

/* The number of blocks of a disk, and the bytes of one; 0 for a fixed disk. */
uint32_t vhd_disk_blocks(const struct vhd_disk *disk);
uint32_t vhd_disk_block_size(const struct vhd_disk *disk);

/* The number of blocks that have a slot. */
uint32_t vhd_disk_allocated(const struct vhd_disk *disk);

/*
 * Remove a block from the table if it holds zeros alone and no parent has data for it.
 *
 *   block    any of the disk
 *   buf      of a block's size
 *   ret_was  receives true if the block had a slot before
 *
 * Returns 0, or a negative errno as vhd_disk_read() or vhd_disk_discard().
 */
int vhd_disk_drop_zeros(struct vhd_disk *disk, uint32_t block, void *buf, bool *ret_was);

/* The blocks that can move, and the gaps for them. */
struct vhd_packer;

/*
 * Plan the moves, after all blocks of zeros have left.
 *
 * Returns 0 and a packer for vhd_packer_free(); -ENOMEM; or a negative errno of the flush that goes
 * before, or of pread(2).
 */
int vhd_packer_new(struct vhd_disk *disk, struct vhd_packer **ret);

/*
 * Move some blocks, each from the end of the file to the lowest gap.
 *
 *   ret_moved  receives their number; 0 when the file is as short as it gets
 *
 * Returns 0, -EIO when the disk has failed, or another negative errno of pread(2), pwrite(2) or
 * fdatasync(2).
 */
int vhd_packer_step(struct vhd_packer *packer, unsigned *ret_moved);

/* The number of moves that are left, about. */
uint32_t vhd_packer_left(const struct vhd_packer *packer);

/* Release a packer; NULL is allowed. */
void vhd_packer_free(struct vhd_packer *packer);
