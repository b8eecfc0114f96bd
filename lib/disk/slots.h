/*
 * Slots: places in an image's file for blocks that are yet to come, by the sector where the bitmap
 * goes. This is bookkeeping alone, guarded by its owner's lock; who writes what when, grow.c says.
 *
 *     gap --prepared--> waiting --barrier--> ready --taken--> a block's
 *
 * ready means: inside the durable end of the file, durably zero, its bitmap durable, and no old
 * entry for it that could still come to disk. A waiting slot becomes ready by a barrier that begins
 * after all that has been written; each barrier has a number, counted when it begins.
 *
 * A disk may have hundreds of thousands: to wait costs nothing that grows with their number, to
 * become ready and to be taken its logarithm.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhd_waiting {
    uint32_t sector;
    uint64_t barrier; /* the first that will do */
};

/* A stretch of the file that nothing is known to be in: no slot is ready in it. Bytes. */
struct vhd_gap {
    uint64_t at, end;
};

struct vhd_slots {
    uint32_t *ready; /* a heap, the lowest sector on top; has space for what waits, too */
    size_t ready_count, ready_capacity;
    struct vhd_waiting *waiting;
    size_t waiting_count, waiting_capacity;
    uint64_t next_barrier; /* the first that any of these waits for; nothing where none does */
    struct vhd_gap *gaps;
    size_t gap_count, gap_capacity;
};

void vhd_slots_free(struct vhd_slots *slots);

/* Slots that are ready, and those that wait to be. */
size_t vhd_slots_ready(const struct vhd_slots *slots);
size_t vhd_slots_waiting(const struct vhd_slots *slots);

/*
 * Have a slot wait for a barrier.
 *
 * Returns 0 or -ENOMEM: then the slot is of no use until the image is opened anew.
 */
int vhd_slots_wait(struct vhd_slots *slots, uint32_t sector, uint64_t barrier);

/* Does any slot wait for this barrier, or an earlier one? */
bool vhd_slots_wait_for(const struct vhd_slots *slots, uint64_t barrier);

/* A barrier has completed: what waited for it or an earlier one is ready. */
void vhd_slots_barrier_completed(struct vhd_slots *slots, uint64_t barrier);

/* Take the lowest ready slot, which keeps files short. Returns false when there is none. */
bool vhd_slots_pop(struct vhd_slots *slots, uint32_t *ret_sector);

/* Add a gap. Returns 0 or -ENOMEM. */
int vhd_slots_add_gap(struct vhd_slots *slots, uint64_t at, uint64_t end);

/*
 * Cut a slot out of a gap, with its data on VHD_DATA_ALIGNMENT where that fits.
 *
 * Returns false when no gap is large enough for a block of that size.
 */
bool vhd_slots_cut(struct vhd_slots *slots, uint32_t block_size, uint32_t *ret_sector);
