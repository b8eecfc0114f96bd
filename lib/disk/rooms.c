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
    return rooms->ready_end - rooms->ready_first;
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
static int make_ready_space(struct vhd_rooms *rooms)
{
    size_t ready = vhd_rooms_ready(rooms);

    if (ready > 0)
        memmove(rooms->ready, rooms->ready + rooms->ready_first, ready * sizeof *rooms->ready);
    rooms->ready_first = 0;
    rooms->ready_end = ready;
    return make_space((void **)&rooms->ready, &rooms->ready_space, ready + rooms->waiting_count,
                      sizeof *rooms->ready);
}

int vhd_rooms_wait(struct vhd_rooms *rooms, uint32_t sector, uint64_t barrier)
{
    int err = make_space((void **)&rooms->waiting, &rooms->waiting_space, rooms->waiting_count,
                         sizeof *rooms->waiting);
    if (err == 0)
        err = make_ready_space(rooms);
    if (err == 0)
        rooms->waiting[rooms->waiting_count++] = (struct vhd_waiting){sector, barrier};
    return err;
}

static int compare_sectors(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    return (first > second) - (first < second);
}

void vhd_rooms_settle(struct vhd_rooms *rooms, uint64_t barrier)
{
    size_t kept = 0;

    for (size_t i = 0; i < rooms->waiting_count; i++) {
        if (rooms->waiting[i].barrier <= barrier)
            rooms->ready[rooms->ready_end++] = rooms->waiting[i].sector;
        else
            rooms->waiting[kept++] = rooms->waiting[i];
    }
    if (kept < rooms->waiting_count)
        qsort(rooms->ready + rooms->ready_first, vhd_rooms_ready(rooms), sizeof *rooms->ready,
              compare_sectors);
    rooms->waiting_count = kept;
}

bool vhd_rooms_take(struct vhd_rooms *rooms, uint32_t *ret_sector)
{
    if (vhd_rooms_ready(rooms) == 0)
        return false;
    *ret_sector = rooms->ready[rooms->ready_first++];
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
