/* SPDX-License-Identifier: MIT */
#include "disk/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "format/block.h"

void vhd_slots_free(struct vhd_slots *slots)
{
    free(slots->ready);
    free(slots->waiting);
    free(slots->gaps);
    *slots = (struct vhd_slots){0};
}

size_t vhd_slots_ready(const struct vhd_slots *slots)
{
    return slots->ready_count;
}

size_t vhd_slots_waiting(const struct vhd_slots *slots)
{
    return slots->waiting_count;
}

/*
 * Space in the ready array is made here, so that vhd_slots_barrier_completed() cannot fail: all
 * ready and waiting slots always fit.
 */
int vhd_slots_wait(struct vhd_slots *slots, uint32_t sector, uint64_t barrier)
{
    struct vhd_waiting *waiting =
        array_grow(slots->waiting, slots->waiting_count, &slots->waiting_capacity, sizeof *waiting);
    if (!waiting)
        return -ENOMEM;
    slots->waiting = waiting;
    uint32_t *ready = array_grow(slots->ready, slots->ready_count + slots->waiting_count,
                                 &slots->ready_capacity, sizeof *ready);
    if (!ready)
        return -ENOMEM;
    slots->ready = ready;
    if (slots->waiting_count == 0 || barrier < slots->next_barrier)
        slots->next_barrier = barrier;
    slots->waiting[slots->waiting_count++] = (struct vhd_waiting){sector, barrier};
    return 0;
}

bool vhd_slots_wait_for(const struct vhd_slots *slots, uint64_t barrier)
{
    return slots->waiting_count > 0 && slots->next_barrier <= barrier;
}

/* Add a sector at the end of the heap, and move it up to its place. */
static void heap_add(uint32_t *heap, size_t *count, uint32_t sector)
{
    size_t at = (*count)++;

    while (at > 0 && heap[(at - 1) / 2] > sector) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = sector;
}

/* The lower child of a place in the heap; count if it has no child. */
static size_t heap_child(const uint32_t *heap, size_t count, size_t at)
{
    const size_t left = 2 * at + 1;

    if (left >= count)
        return count;
    return left + 1 < count && heap[left + 1] < heap[left] ? left + 1 : left;
}

/* Remove the lowest sector from the heap, which is not empty. */
static uint32_t heap_pop(uint32_t *heap, size_t *count)
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
 * A loop over all waiting slots is cheap. A slot stays through at most one barrier, the one at work
 * when it came, unless barriers fail.
 */
void vhd_slots_barrier_completed(struct vhd_slots *slots, uint64_t barrier)
{
    size_t kept = 0;

    if (!vhd_slots_wait_for(slots, barrier))
        return;
    for (size_t i = 0; i < slots->waiting_count; i++) {
        const struct vhd_waiting *slot = &slots->waiting[i];
        if (slot->barrier <= barrier) {
            heap_add(slots->ready, &slots->ready_count, slot->sector);
            continue;
        }
        if (kept == 0 || slot->barrier < slots->next_barrier)
            slots->next_barrier = slot->barrier;
        slots->waiting[kept++] = *slot;
    }
    slots->waiting_count = kept;
}

bool vhd_slots_pop(struct vhd_slots *slots, uint32_t *ret_sector)
{
    if (slots->ready_count == 0)
        return false;
    *ret_sector = heap_pop(slots->ready, &slots->ready_count);
    return true;
}

int vhd_slots_add_gap(struct vhd_slots *slots, uint64_t at, uint64_t end)
{
    struct vhd_gap *gaps =
        array_grow(slots->gaps, slots->gap_count, &slots->gap_capacity, sizeof *gaps);
    if (!gaps)
        return -ENOMEM;
    slots->gaps = gaps;
    slots->gaps[slots->gap_count++] = (struct vhd_gap){at, end};
    return 0;
}

/* The byte for a slot's bitmap in a gap; the gap's end when the slot does not fit. */
static uint64_t place_in(const struct vhd_gap *gap, uint32_t block_size)
{
    const uint64_t bitmap = vhd_block_bitmap_length(block_size);
    const uint64_t length = vhd_block_length(block_size);
    const uint64_t aligned = round_up(gap->at + bitmap, VHD_DATA_ALIGNMENT) - bitmap;

    if (aligned + length <= gap->end)
        return aligned;
    /* A packed slot, freed from another program's block, fits only where it was. */
    uint64_t packed = round_up(gap->at, VHD_SECTOR_SIZE);
    return packed + length <= gap->end ? packed : gap->end;
}

bool vhd_slots_cut(struct vhd_slots *slots, uint32_t block_size, uint32_t *ret_sector)
{
    while (slots->gap_count > 0) {
        struct vhd_gap *gap = &slots->gaps[slots->gap_count - 1];
        uint64_t at = place_in(gap, block_size);
        if (at < gap->end) {
            gap->at = at + vhd_block_length(block_size);
            *ret_sector = (uint32_t)(at / VHD_SECTOR_SIZE);
            return true;
        }
        slots->gap_count--;
    }
    return false;
}

static bool is_below(uint32_t sector, uint64_t limit)
{
    return (uint64_t)sector * VHD_SECTOR_SIZE < limit;
}

void vhd_slots_drop_below(struct vhd_slots *slots, uint64_t limit)
{
    size_t ready = 0, waiting = 0;

    for (size_t i = 0; i < slots->ready_count; i++) {
        const uint32_t sector = slots->ready[i];
        if (!is_below(sector, limit))
            heap_add(slots->ready, &ready, sector);
    }
    slots->ready_count = ready;
    for (size_t i = 0; i < slots->waiting_count; i++) {
        const struct vhd_waiting slot = slots->waiting[i];
        if (is_below(slot.sector, limit))
            continue;
        if (waiting == 0 || slot.barrier < slots->next_barrier)
            slots->next_barrier = slot.barrier;
        slots->waiting[waiting++] = slot;
    }
    slots->waiting_count = waiting;
    for (size_t i = 0; i < slots->gap_count; i++) {
        struct vhd_gap *gap = &slots->gaps[i];
        gap->at = gap->at < limit ? limit : gap->at;
        gap->end = gap->end < gap->at ? gap->at : gap->end;
    }
}
