/* SPDX-License-Identifier: MIT */
#include "disk/grow.h"

#include <errno.h>
#include <unistd.h>

#include "base/mutation.h"
#include "disk/barrier.h"
#include "disk/confirm.h"
#include "disk/slot.h"
#include "format/block.h"

/*
 * Slots that one growth makes ahead. Each is a hole with a bitmap, which takes 4 KiB on the host.
 * The close cuts off unused ones.
 */
#define AHEAD_MIN 16u
#define AHEAD_MAX 512u

/* The same on an unknown file system: it may have no holes, and write zeros for them. */
#define AHEAD_MAX_ANYWHERE 32u

static uint32_t block_size(const struct vhd_disk *disk)
{
    return disk->top->image.header.block_size;
}

/*
 * Past the page cache, the new length is durable only with the footer. If the host takes no direct
 * write of 512 bytes, the footer goes through the cache.
 */
static int append_footer(struct vhd_disk *disk, uint64_t at)
{
    if (disk->direct_fd >= 0) {
        int err = vhd_footer_put(disk, disk->direct_fd, at);
        if (err != -EINVAL)
            return err;
        close(disk->direct_fd);
        disk->direct_fd = -1;
    }
    return vhd_footer_put(disk, disk->write_fd, at);
}

/* Let a slot wait for the next barrier; its zeros and its bitmap are written. */
static int wait_for_barrier(struct vhd_disk *disk, uint32_t sector)
{
    int err = vhd_slots_wait(&disk->slots, sector, disk->barriers + 1);
    if (err == 0 && MUTATED(G1))
        vhd_slots_barrier_completed(&disk->slots, UINT64_MAX);
    return err;
}

/* Turn the place of a slot that failed into a gap; its content is unknown. */
static void give_up_slot(struct vhd_disk *disk, uint32_t sector)
{
    uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;
    /* If memory is short, the next opening finds the gap. */
    (void)vhd_slots_add_gap(&disk->slots, at, at + vhd_block_length(block_size(disk)));
}

/* Make up to count slots in gaps. The content of a gap is unknown, so zero it first. */
static int prepare_gaps(struct vhd_disk *disk, unsigned count, unsigned *ret_made)
{
    uint32_t sector;

    while (*ret_made < count && vhd_slots_cut(&disk->slots, block_size(disk), &sector)) {
        int err = 0;
        if (!MUTATED(O2)) {
            err = vhd_slot_zero(disk, sector);
            err = err ? err : vhd_slot_put_bitmap(disk, sector);
        }
        if (err == 0)
            err = wait_for_barrier(disk, sector);
        if (err < 0) {
            give_up_slot(disk, sector);
            return err;
        }
        ++*ret_made;
    }
    return 0;
}

/*
 * The last sector that the present footer needs before the file grows. On class X a dirty page with
 * the end of the file may be written back after the growth, and the file would end with that page.
 * So copies of the footer fill the page, if anything else lies in it.
 */
static uint64_t last_copy_at(const struct vhd_disk *disk)
{
    if (!vhd_disk_is_footer_first(disk) || disk->footer_at % VHD_DATA_ALIGNMENT == 0 || MUTATED(G5))
        return disk->footer_at;
    return round_up(disk->footer_at + VHD_FOOTER_SIZE, VHD_DATA_ALIGNMENT) - VHD_FOOTER_SIZE;
}

/* The end of count new slots behind the footer, where the next footer goes. */
static uint64_t end_of_growth(const struct vhd_disk *disk, unsigned count)
{
    uint64_t at = last_copy_at(disk);

    for (unsigned i = 0; i < count; i++)
        at = vhd_block_next_bitmap(at, block_size(disk)) + vhd_block_length(block_size(disk));
    return at;
}

bool vhd_disk_is_footer_first(const struct vhd_disk *disk)
{
    return disk->growth == VHD_GROWTH_XFS && disk->direct_fd < 0;
}

int vhd_footer_append(struct vhd_disk *disk, uint64_t at)
{
    int err = append_footer(disk, at);
    if (err < 0) {
        if (at + VHD_FOOTER_SIZE > disk->tried_length)
            disk->tried_length = at + VHD_FOOTER_SIZE;
        return err;
    }
    disk->footer_at = at;
    disk->length = at + VHD_FOOTER_SIZE;
    return 0;
}

/* Append the footer, sector by sector up to that byte: so it ends the file at every instant. */
static int append_copies(struct vhd_disk *disk, uint64_t last)
{
    int err = 0;

    while (err == 0 && disk->footer_at < last)
        err = vhd_footer_append(disk, disk->footer_at + VHD_FOOTER_SIZE);
    return err;
}

/*
 * The old footer becomes the stale one, which stays until the new one is durable. Once the new one
 * is written, the stretch between them is a gap, even if a later step fails. If it cannot be
 * written, the last copy ends the file, and what lies before that is less than 4 KiB that nobody
 * uses.
 *
 * The host may delay the write of the footer until a program that truncates the file is done. So
 * the file is confirmed again before a slot in it is used.
 */
int vhd_disk_move_footer(struct vhd_disk *disk, uint64_t at)
{
    const uint64_t old = disk->footer_at, copy = last_copy_at(disk);
    /* The new footer may come into the same page. */
    const uint64_t last = copy < at ? copy : at - VHD_FOOTER_SIZE;
    const uint64_t first = vhd_block_next_bitmap(last, block_size(disk));

    if (at / VHD_SECTOR_SIZE >= VHD_UNALLOCATED)
        return -EFBIG;
    int err = append_copies(disk, last);
    if (err == 0)
        err = vhd_footer_append(disk, at);
    if (err < 0)
        return err;
    vhd_disk_note_stale_footer(disk, old, last + VHD_FOOTER_SIZE);
    err = vhd_slots_add_gap(&disk->slots, first < at ? first : at, at);
    if (err == 0)
        err = vhd_confirm_mark(disk, vhd_confirm_growth(disk));
    if (err < 0)
        return err;
    if (MUTATED(G2))
        vhd_disk_zero_stale_footer(disk);
    return vhd_disk_is_footer_first(disk) && !MUTATED(G4) ? vhd_disk_barrier(disk) : 0;
}

/* Make count slots behind the end of the file. They are holes, so only bitmaps are written. */
static int grow(struct vhd_disk *disk, unsigned count, unsigned *ret_made)
{
    uint32_t sector;

    int err = vhd_disk_move_footer(disk, end_of_growth(disk, count));
    while (err == 0 && *ret_made < count &&
           vhd_slots_cut(&disk->slots, block_size(disk), &sector)) {
        if (!MUTATED(G3))
            err = vhd_slot_put_bitmap(disk, sector);
        if (err == 0)
            err = wait_for_barrier(disk, sector);
        if (err == 0)
            ++*ret_made;
        else
            give_up_slot(disk, sector);
    }
    return err;
}

/*
 * Slots per growth: one at first, because a writer waits for it; then AHEAD_MIN; then four times
 * the slots used since open. Writers run about three times faster than a barrier flushes, so fewer
 * slots would stall them.
 */
static unsigned slots_ahead(const struct vhd_disk *disk)
{
    const unsigned most = disk->growth == VHD_GROWTH_ANY ? AHEAD_MAX_ANYWHERE : AHEAD_MAX;

    if (disk->slots_used == 0)
        return 1;
    if (disk->slots_used <= AHEAD_MIN / 4)
        return AHEAD_MIN;
    return disk->slots_used < most / 4 ? 4 * disk->slots_used : most;
}

/* Make slots that wait for a barrier, if the file is still ours. On a full host, try one slot. */
static int make_slots(struct vhd_disk *disk)
{
    int err = vhd_confirm_mark(disk, vhd_confirm_end(disk));
    if (err < 0)
        return err;
    size_t there = vhd_slots_ready(&disk->slots) + vhd_slots_waiting(&disk->slots);
    unsigned lacking = disk->unallocated - (unsigned)there, made;
    unsigned wanted = slots_ahead(disk), count = wanted < lacking ? wanted : lacking;

    disk->has_written = true;
    disk->is_growing = true;
    for (;; count = 1) {
        made = 0;
        err = prepare_gaps(disk, count, &made);
        if (made == 0 && err == 0)
            err = grow(disk, count, &made);
        if (made > 0 || (err != -ENOSPC && err != -EFBIG) || count <= 1)
            break;
    }
    disk->is_growing = false;
    pthread_cond_broadcast(&disk->slots_changed);
    return made > 0 ? 0 : err;
}

bool vhd_disk_is_short_of_slots(const struct vhd_disk *disk)
{
    size_t ready = vhd_slots_ready(&disk->slots);

    return disk->slots_used > 0 && !disk->is_growing && vhd_slots_waiting(&disk->slots) == 0 &&
           ready < disk->unallocated && ready < slots_ahead(disk) / 2;
}

void vhd_disk_grow_ahead(struct vhd_disk *disk)
{
    if (vhd_disk_is_short_of_slots(disk))
        (void)make_slots(disk);
}

int vhd_disk_wait_for_slot(struct vhd_disk *disk)
{
    if (vhd_disk_has_failed(disk))
        return -EIO;
    /* A growth at work, or a barrier that has begun, will make a slot ready. */
    if (disk->is_growing || vhd_slots_wait_for(&disk->slots, disk->barriers)) {
        pthread_cond_wait(&disk->slots_changed, &disk->growth_lock);
        return 0;
    }
    return vhd_slots_waiting(&disk->slots) == 0 ? make_slots(disk) : vhd_disk_barrier(disk);
}

int vhd_disk_get_slot(struct vhd_disk *disk, uint32_t *ret_sector)
{
    int err = 0;

    while (err == 0 && !vhd_slots_pop(&disk->slots, ret_sector))
        err = vhd_disk_wait_for_slot(disk);
    return err;
}
