/* SPDX-License-Identifier: MIT */
/*
 * Slots: places in an image's file for future blocks, by the sector of their bitmap. This file only
 * keeps the lists, under its owner's lock; grow.c and allocate.c write.
 *
 *     gap --prepared--> waiting --barrier--> ready --vhd_slots_pop--> a block's
 *
 * A ready slot lies inside the durable end of the file. Its zeros and its bitmap are durable, and
 * no old entry for it can still reach the medium. A waiting slot becomes ready by a barrier that
 * begins after all these writes. Each barrier gets a number when it begins.
 *
 * A disk may have hundreds of thousands of slots. Waiting costs the same for any number of them;
 * becoming ready and leaving cost the logarithm.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhd_waiting {
    uint32_t sector;
    uint64_t barrier; /* the first that makes it ready */
};

/* A stretch of the file with unknown content, in bytes. No slot in it is ready. */
struct vhd_gap {
    uint64_t at, end;
};

struct vhd_slots {
    uint32_t *ready; /* a heap, lowest sector on top; the waiting slots fit too */
    size_t ready_count, ready_capacity;
    struct vhd_waiting *waiting;
    size_t waiting_count, waiting_capacity;
    uint64_t next_barrier; /* the lowest that a slot waits for; undefined if none waits */
    struct vhd_gap *gaps;
    size_t gap_count, gap_capacity;
};

/* Free the lists; they are empty then. */
void vhd_slots_free(struct vhd_slots *slots);

/* The number of ready slots, and of waiting slots. */
size_t vhd_slots_ready(const struct vhd_slots *slots);
size_t vhd_slots_waiting(const struct vhd_slots *slots);

/*
 * Let a slot wait for a barrier.
 *
 *   sector   of its bitmap
 *   barrier  number of the first barrier that makes it ready
 *
 * Returns 0; or -ENOMEM, and the slot stays unused until the next opening.
 */
int vhd_slots_wait(struct vhd_slots *slots, uint32_t sector, uint64_t barrier);

/* Does a slot wait for this barrier or an earlier one? */
bool vhd_slots_wait_for(const struct vhd_slots *slots, uint64_t barrier);

/* Note a completed barrier: slots that wait for it or an earlier one are ready. */
void vhd_slots_barrier_completed(struct vhd_slots *slots, uint64_t barrier);

/* Remove the lowest ready slot, which keeps files short. Returns false when none is ready. */
bool vhd_slots_pop(struct vhd_slots *slots, uint32_t *ret_sector);

/* Add a gap, bytes at to end. Returns 0 or -ENOMEM. */
int vhd_slots_add_gap(struct vhd_slots *slots, uint64_t at, uint64_t end);

/*
 * Cut a slot out of a gap, with its data on VHD_DATA_ALIGNMENT where that fits.
 *
 *   block_size  bytes of data in a block
 *   ret_sector  receives the sector of the slot's bitmap
 *
 * Returns false when no gap fits such a slot.
 */
bool vhd_slots_cut(struct vhd_slots *slots, uint32_t block_size, uint32_t *ret_sector);

/* Remove all that begins below a byte of the file; a gap keeps its part from there on. */
void vhd_slots_drop_below(struct vhd_slots *slots, uint64_t limit);
