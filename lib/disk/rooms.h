/*
 * Rooms: places in an image's file for blocks that are yet to come, by the sector where the bitmap
 * goes. This is bookkeeping alone, guarded by its owner's lock; who writes what when, grow.c says.
 *
 *     gap --prepared--> waiting --barrier--> READY --taken--> a block's
 *
 * READY means: inside the durable end of the file, durably zero, its bitmap durable, and no old
 * entry for it that could still come to disk. A waiting room becomes READY by a barrier that begins
 * after all that has been written; each barrier has a number, counted when it begins.
 *
 * A disk may have hundreds of thousands: to wait costs nothing that grows with their number, to
 * become READY and to be taken its logarithm.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhd_waiting {
    uint32_t sector;
    uint64_t barrier; /* the first that will do */
};

/* A stretch of the file that nothing is known to be in: no room is READY in it. Bytes. */
struct vhd_gap {
    uint64_t at, end;
};

struct vhd_rooms {
    uint32_t *ready; /* a heap, the lowest sector on top; has space for what waits, too */
    size_t ready_count, ready_space;
    struct vhd_waiting *waiting;
    size_t waiting_count, waiting_space;
    uint64_t next_barrier; /* the first that any of these waits for; nothing where none does */
    struct vhd_gap *gaps;
    size_t gap_count, gap_space;
};

void vhd_rooms_free(struct vhd_rooms *rooms);

/* Rooms that are READY, and those that wait to be. */
size_t vhd_rooms_ready(const struct vhd_rooms *rooms);
size_t vhd_rooms_waiting(const struct vhd_rooms *rooms);

/*
 * Have a room wait for a barrier.
 *
 * Returns 0 or -ENOMEM: then the room is of no use until the image is opened anew.
 */
int vhd_rooms_wait(struct vhd_rooms *rooms, uint32_t sector, uint64_t barrier);

/* Does any room wait for this barrier, or an earlier one? */
bool vhd_rooms_wait_for(const struct vhd_rooms *rooms, uint64_t barrier);

/* A barrier has completed: what waited for it or an earlier one is READY. */
void vhd_rooms_settle(struct vhd_rooms *rooms, uint64_t barrier);

/* Take the lowest READY room, which keeps files short. Returns false when there is none. */
bool vhd_rooms_take(struct vhd_rooms *rooms, uint32_t *ret_sector);

/* Add a gap. Returns 0 or -ENOMEM. */
int vhd_rooms_add_gap(struct vhd_rooms *rooms, uint64_t at, uint64_t end);

/*
 * Cut a room out of a gap, with its data on VHD_DATA_ALIGNMENT where that fits.
 *
 * Returns false when no gap is large enough for a block of that size.
 */
bool vhd_rooms_carve(struct vhd_rooms *rooms, uint32_t block_size, uint32_t *ret_sector);
