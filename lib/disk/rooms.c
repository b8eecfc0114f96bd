#include "disk/rooms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/block.h"

void vhd_rooms_free(struct vhd_rooms *rooms)
{
    free(rooms->ready);
    free(rooms->waiting);
    free(rooms->gaps);
    *rooms = (struct vhd_rooms){0};
}

size_t vhd_rooms_ready(const struct vhd_rooms *rooms)
{
    return rooms->ready_count;
}

size_t vhd_rooms_waiting(const struct vhd_rooms *rooms)
{
    return rooms->waiting_count;
}

/* Make space for one more item in an array. */
static int make_space(void **items, size_t *space, size_t count, size_t size)
{
    if (count < *space)
        return 0;
    size_t more = *space ? 2 * *space : 16;
    void *grown = reallocarray(*items, more, size);
    if (!grown)
        return -ENOMEM;
    *items = grown;
    *space = more;
    return 0;
}

/*
 * Space to become READY is made here, so that settling cannot fail: what is READY and what waits
 * always fits into the one array.
 */
int vhd_rooms_wait(struct vhd_rooms *rooms, uint32_t sector, uint64_t barrier)
{
    int err = make_space((void **)&rooms->waiting, &rooms->waiting_space, rooms->waiting_count,
                         sizeof *rooms->waiting);
    if (err == 0)
        err = make_space((void **)&rooms->ready, &rooms->ready_space,
                         rooms->ready_count + rooms->waiting_count, sizeof *rooms->ready);
    if (err < 0)
        return err;
    if (rooms->waiting_count == 0 || barrier < rooms->next_barrier)
        rooms->next_barrier = barrier;
    rooms->waiting[rooms->waiting_count++] = (struct vhd_waiting){sector, barrier};
    return 0;
}

bool vhd_rooms_wait_for(const struct vhd_rooms *rooms, uint64_t barrier)
{
    return rooms->waiting_count > 0 && rooms->next_barrier <= barrier;
}

/* Put a sector into the heap, at its end, and move it up to where it belongs. */
static void heap_add(uint32_t *heap, size_t *count, uint32_t sector)
{
    size_t at = (*count)++;

    while (at > 0 && heap[(at - 1) / 2] > sector) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = sector;
}

/* The lower child of a place in the heap; count where it has none. */
static size_t heap_child(const uint32_t *heap, size_t count, size_t at)
{
    const size_t left = 2 * at + 1;

    if (left >= count)
        return count;
    return left + 1 < count && heap[left + 1] < heap[left] ? left + 1 : left;
}

/* Take the lowest sector out of the heap, which is not empty. */
static uint32_t heap_take(uint32_t *heap, size_t *count)
{
    const uint32_t lowest = heap[0], last = heap[--*count];
    size_t at = 0, child;

    while ((child = heap_child(heap, *count, at)) < *count && heap[child] < last) {
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return lowest;
}

/*
 * A room is kept by one barrier at most, the one that was under way when it came, unless barriers
 * fail: so going through all that wait costs each of them little.
 */
void vhd_rooms_settle(struct vhd_rooms *rooms, uint64_t barrier)
{
    size_t kept = 0;

    if (!vhd_rooms_wait_for(rooms, barrier))
        return;
    for (size_t i = 0; i < rooms->waiting_count; i++) {
        const struct vhd_waiting *room = &rooms->waiting[i];
        if (room->barrier <= barrier) {
            heap_add(rooms->ready, &rooms->ready_count, room->sector);
            continue;
        }
        if (kept == 0 || room->barrier < rooms->next_barrier)
            rooms->next_barrier = room->barrier;
        rooms->waiting[kept++] = *room;
    }
    rooms->waiting_count = kept;
}

bool vhd_rooms_take(struct vhd_rooms *rooms, uint32_t *ret_sector)
{
    if (rooms->ready_count == 0)
        return false;
    *ret_sector = heap_take(rooms->ready, &rooms->ready_count);
    return true;
}

int vhd_rooms_add_gap(struct vhd_rooms *rooms, uint64_t at, uint64_t end)
{
    int err =
        make_space((void **)&rooms->gaps, &rooms->gap_space, rooms->gap_count, sizeof *rooms->gaps);
    if (err == 0)
        rooms->gaps[rooms->gap_count++] = (struct vhd_gap){at, end};
    return err;
}

/* Where in a gap a room's bitmap goes; the gap's end when it does not fit. */
static uint64_t place_in(const struct vhd_gap *gap, uint32_t block_size)
{
    const uint64_t bitmap = vhd_block_bitmap_length(block_size);
    const uint64_t length = vhd_block_length(block_size);
    const uint64_t aligned = round_up(gap->at + bitmap, VHD_DATA_ALIGNMENT) - bitmap;

    if (aligned + length <= gap->end)
        return aligned;
    /* A block of another program's, say, that has been given up: packed as it was. */
    uint64_t packed = round_up(gap->at, VHD_SECTOR_SIZE);
    return packed + length <= gap->end ? packed : gap->end;
}

bool vhd_rooms_carve(struct vhd_rooms *rooms, uint32_t block_size, uint32_t *ret_sector)
{
    while (rooms->gap_count > 0) {
        struct vhd_gap *gap = &rooms->gaps[rooms->gap_count - 1];
        uint64_t at = place_in(gap, block_size);
        if (at < gap->end) {
            gap->at = at + vhd_block_length(block_size);
            *ret_sector = (uint32_t)(at / VHD_SECTOR_SIZE);
            return true;
        }
        rooms->gap_count--;
    }
    return false;
}
