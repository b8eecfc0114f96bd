#include "disk/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/mutation.h"
#include "format/bitmap.h"
#include "format/block.h"
#include "format/table.h"

/* Rooms that one growth makes at most. The first makes one, each further twice as many. */
#define STEP_MAX 128u

static uint32_t block_size(const struct vhd_disk *disk)
{
    return disk->top->image.header.block_size;
}

/* The footer that was valid until a growth: its sector is a gap now, and gaps are zero. */
static void zero_stale_footer(struct vhd_disk *disk)
{
    static const char zeros[VHD_FOOTER_SIZE];

    if (disk->stale_footer_at == 0)
        return;
    /* Should this fail, no harm is done: no reader looks into a gap. */
    (void)vhd_io_put(disk->write_fd, zeros, sizeof zeros, disk->stale_footer_at);
    disk->stale_footer_at = 0;
}

/*
 * The host has not written everything, and may go on showing what it has not: an entry taken away
 * that is still on the medium, say. Whoever opens the disk next would build on that. So have the
 * host drop its cache: what is read from now on is what there is.
 */
static void forget_what_was_lost(const struct vhd_disk *disk)
{
    (void)posix_fadvise(disk->write_fd, 0, 0, POSIX_FADV_DONTNEED);
}

int vhd_barrier(struct vhd_disk *disk)
{
    if (__atomic_load_n(&disk->has_failed, __ATOMIC_ACQUIRE))
        return -EIO;
    const uint64_t barrier = ++disk->barriers;

    disk->has_freed = false;
    disk->barriers_at_work++;
    pthread_mutex_unlock(&disk->growth_lock);
    int err = fdatasync(disk->write_fd) < 0 ? -errno : 0;
    pthread_mutex_lock(&disk->growth_lock);
    disk->barriers_at_work--;
    if (err < 0) {
        __atomic_store_n(&disk->has_failed, true, __ATOMIC_RELEASE);
        forget_what_was_lost(disk);
    } else {
        vhd_rooms_settle(&disk->rooms, barrier);
        if (disk->stale_barrier <= barrier)
            zero_stale_footer(disk);
    }
    pthread_cond_broadcast(&disk->settled);
    return err;
}

int vhd_barrier_now(struct vhd_disk *disk)
{
    HOLD_LOCK(&disk->growth_lock);
    return vhd_barrier(disk);
}

int vhd_put_footer(const struct vhd_disk *disk, int fd, uint64_t at)
{
    /* O_DIRECT wants it aligned in memory too. */
    _Alignas(4096) struct vhd_footer_disk footer;

    vhd_footer_encode(&disk->top->image.footer, &footer);
    return vhd_io_put(fd, &footer, sizeof footer, at);
}

/*
 * Put a footer behind the file's end. Past the page cache the new length is durable only after the
 * footer itself; where the host does not take 512 bytes so, through it, as all else.
 */
static int append_footer(struct vhd_disk *disk, uint64_t at)
{
    if (disk->direct_fd >= 0) {
        int err = vhd_put_footer(disk, disk->direct_fd, at);
        if (err != -EINVAL)
            return err;
        close(disk->direct_fd);
        disk->direct_fd = -1;
    }
    return vhd_put_footer(disk, disk->write_fd, at);
}

/*
 * Write the bitmap of a room: all ones in a dynamic disk, so that it is never written again. In a
 * differencing disk it is zeros; a hole would be too, but then a host that is full by the time of
 * a flush would have no place for the bits of data that it has taken.
 */
static int put_bitmap(const struct vhd_disk *disk, uint32_t sector)
{
    uint8_t bits[4096];
    uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;
    uint32_t left = disk->top->bitmap_length;
    int err = 0;

    memset(bits, vhd_disk_is_differencing(disk) ? 0 : 0xFF, sizeof bits);
    while (left > 0 && err == 0) {
        uint32_t len = left < sizeof bits ? left : sizeof bits;
        err = vhd_io_put(disk->write_fd, bits, len, at);
        at += len;
        left -= len;
    }
    return err;
}

/* Have a room, for which all has been written, wait for the next barrier. */
static int wait_for_barrier(struct vhd_disk *disk, uint32_t sector)
{
    int err = vhd_rooms_wait(&disk->rooms, sector, disk->barriers + 1);
    if (err == 0 && MUTATED(G1))
        vhd_rooms_settle(&disk->rooms, UINT64_MAX);
    return err;
}

/* Zero a room, and its bitmap where that is to be zero. */
static int zero_room(const struct vhd_disk *disk, uint32_t sector)
{
    const uint32_t bitmap = disk->top->bitmap_length;
    uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;

    if (vhd_disk_is_differencing(disk))
        return vhd_io_zero(disk->write_fd, at, (uint64_t)bitmap + block_size(disk));
    return vhd_io_zero(disk->write_fd, at + bitmap, block_size(disk));
}

/* A room could not be made: its place is as unknown as before. */
static void give_up_room(struct vhd_disk *disk, uint32_t sector)
{
    uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;
    /* Where memory is short for that, it is found again when the image is opened anew. */
    (void)vhd_rooms_add_gap(&disk->rooms, at, at + vhd_block_length(block_size(disk)));
}

/* Make up to count rooms where the file has gaps. Nothing is known of what lies there. */
static int prepare_gaps(struct vhd_disk *disk, unsigned count, unsigned *ret_made)
{
    uint32_t sector;

    while (*ret_made < count && vhd_rooms_carve(&disk->rooms, block_size(disk), &sector)) {
        int err = 0;
        if (!MUTATED(O2)) {
            err = zero_room(disk, sector);
            err = err ? err : put_bitmap(disk, sector);
        }
        if (err == 0)
            err = wait_for_barrier(disk, sector);
        if (err < 0) {
            give_up_room(disk, sector);
            return err;
        }
        ++*ret_made;
    }
    return 0;
}

/* Where count new rooms behind the footer end, and with them the file but for its footer. */
static uint64_t end_of_growth(const struct vhd_disk *disk, unsigned count)
{
    uint64_t at = disk->footer_at;

    for (unsigned i = 0; i < count; i++)
        at = vhd_block_next_bitmap(at, block_size(disk)) + vhd_block_length(block_size(disk));
    return at;
}

bool vhd_is_footer_first(const struct vhd_disk *disk)
{
    return disk->growth == VHD_GROWTH_XFS && disk->direct_fd < 0;
}

/*
 * Append the footer that closes count new rooms, and remember the old one, which stays as it is
 * until the new is durable. From here on the rooms are a gap, whatever else fails.
 */
static int move_footer(struct vhd_disk *disk, unsigned count)
{
    const uint64_t old = disk->footer_at, at = end_of_growth(disk, count);

    if (at / VHD_SECTOR_SIZE >= VHD_UNALLOCATED)
        return -EFBIG;
    int err = append_footer(disk, at);
    if (err == 0)
        err = vhd_rooms_add_gap(&disk->rooms, vhd_block_next_bitmap(old, block_size(disk)), at);
    if (err < 0)
        return err;
    disk->footer_at = at;
    disk->stale_footer_at = old;
    disk->stale_barrier = disk->barriers + 1;
    if (MUTATED(G2))
        zero_stale_footer(disk);
    return vhd_is_footer_first(disk) && !MUTATED(G4) ? vhd_barrier(disk) : 0;
}

/* Make count rooms behind the file's end. They are holes, so all that is to be written is bitmaps.
 */
static int grow(struct vhd_disk *disk, unsigned count, unsigned *ret_made)
{
    uint32_t sector;

    int err = move_footer(disk, count);
    while (err == 0 && *ret_made < count &&
           vhd_rooms_carve(&disk->rooms, block_size(disk), &sector)) {
        if (!MUTATED(G3))
            err = put_bitmap(disk, sector);
        if (err == 0)
            err = wait_for_barrier(disk, sector);
        if (err == 0)
            ++*ret_made;
        else
            give_up_room(disk, sector);
    }
    return err;
}

/* Make up to count rooms, of gaps or else by growth. */
static int make_up_to(struct vhd_disk *disk, unsigned count, unsigned *ret_made)
{
    *ret_made = 0;
    int err = prepare_gaps(disk, count, ret_made);
    return *ret_made == 0 && err == 0 ? grow(disk, count, ret_made) : err;
}

/* Make rooms that wait for a barrier. A host that has no space for many may have it for one. */
static int make_rooms(struct vhd_disk *disk)
{
    size_t there = vhd_rooms_ready(&disk->rooms) + vhd_rooms_waiting(&disk->rooms);
    unsigned lacking = disk->unallocated - (unsigned)there, made;
    unsigned count = disk->step < lacking ? disk->step : lacking;

    disk->is_growing = true;
    int err = make_up_to(disk, count, &made);
    if (made == 0 && err == -ENOSPC && count > 1)
        err = make_up_to(disk, 1, &made);
    disk->is_growing = false;
    pthread_cond_broadcast(&disk->settled);
    if (made == disk->step && disk->step < STEP_MAX)
        disk->step *= 2;
    return made > 0 ? 0 : err;
}

/* Are so few rooms left that it is time to make others? */
static bool is_short_of_rooms(const struct vhd_disk *disk)
{
    size_t ready = vhd_rooms_ready(&disk->rooms);

    return disk->has_taken && !disk->is_growing && vhd_rooms_waiting(&disk->rooms) == 0 &&
           ready < disk->unallocated && (ready == 0 || ready < disk->step / 2);
}

void vhd_grow_ahead(struct vhd_disk *disk)
{
    if (is_short_of_rooms(disk))
        (void)make_rooms(disk);
}

/* Has a barrier begun that will make a room READY? */
static bool is_barrier_under_way(const struct vhd_disk *disk)
{
    for (size_t i = 0; i < disk->rooms.waiting_count; i++) {
        if (disk->rooms.waiting[i].barrier <= disk->barriers)
            return true;
    }
    return false;
}

/* One step towards a READY room. */
static int wait_for_room(struct vhd_disk *disk)
{
    if (__atomic_load_n(&disk->has_failed, __ATOMIC_ACQUIRE))
        return -EIO;
    if (disk->is_growing || is_barrier_under_way(disk)) {
        pthread_cond_wait(&disk->settled, &disk->growth_lock);
        return 0;
    }
    return vhd_rooms_waiting(&disk->rooms) == 0 ? make_rooms(disk) : vhd_barrier(disk);
}

/*
 * Give a READY room to a block: on disk, then in memory. Whoever finds it in memory may write and
 * flush; the entry must be on disk by then. An entry that could not be written may be there or not,
 * so its room is given to nobody else.
 */
static int publish(struct vhd_disk *disk, uint32_t block, uint32_t sector)
{
    const bool is_full = !vhd_disk_is_differencing(disk);

    if (MUTATED(R3) && zero_room(disk, sector) < 0)
        return -EIO;
    if (MUTATED(G3) && put_bitmap(disk, sector) < 0)
        return -EIO;
    if (MUTATED(W1))
        vhd_layer_set_entry(disk->top, block, sector, is_full);
    int err = vhd_table_write_entry(disk->write_fd, &disk->top->image.header, block, sector);
    if (err < 0)
        return err;
    vhd_layer_set_entry(disk->top, block, sector, is_full);
    if (disk->fresh)
        bits_set(disk->fresh, block);
    disk->unallocated--;
    disk->has_taken = true;
    return 0;
}

int vhd_allocate(struct vhd_disk *disk, uint32_t block)
{
    uint32_t sector;
    int err = 0;

    HOLD_LOCK(&disk->growth_lock);
    while (err == 0 && vhd_layer_entry(disk->top, block) == VHD_UNALLOCATED) {
        if (vhd_rooms_take(&disk->rooms, &sector))
            err = publish(disk, block, sector);
        else
            err = wait_for_room(disk);
    }
    if (disk->flusher && is_short_of_rooms(disk))
        vhd_flusher_hurry(disk->flusher);
    return err;
}

int vhd_deallocate(struct vhd_disk *disk, uint32_t block, uint32_t *ret_sector)
{
    HOLD_LOCK(&disk->growth_lock);
    const uint32_t sector = vhd_layer_entry(disk->top, block);
    if (sector != VHD_UNALLOCATED) {
        int err =
            vhd_table_write_entry(disk->write_fd, &disk->top->image.header, block, VHD_UNALLOCATED);
        if (err < 0)
            return err;
        if (disk->fresh)
            bits_clear(disk->fresh, block);
        vhd_layer_set_entry(disk->top, block, VHD_UNALLOCATED, false);
        disk->unallocated++;
        disk->has_freed = true;
    }
    *ret_sector = sector;
    return 0;
}

/* Is the bitmap of what was a block all ones? One that cannot be read is not. */
static bool is_bitmap_full(const struct vhd_disk *disk, uint32_t sector)
{
    const uint32_t bits_end = block_size(disk) / VHD_SECTOR_SIZE;
    uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;
    uint8_t bits[4096];
    bool is_set = true;

    for (uint32_t done = 0, run = 0; done < bits_end && is_set; done += run) {
        const uint32_t left = bits_end - done;
        const uint32_t part = left < 8 * sizeof bits ? left : (uint32_t)(8 * sizeof bits);
        if (vhd_io_get(disk->top->fd, bits, div_round_up(part, 8), at + done / 8) < 0)
            return false;
        run = vhd_bitmap_run(bits, 0, part, &is_set);
        if (run < part)
            return false;
    }
    return is_set;
}

/*
 * Make of what was a block a room that only lacks a barrier. In a dynamic disk one that another
 * program has written to in part cannot be made that: with its bitmap filled, and the power lost
 * before its entry's end is durable, what lies under the bits that were clear would be read. It is
 * found as a gap when the image is opened anew.
 *
 * Returns false when it is of no use until then.
 */
static bool clear_room(const struct vhd_disk *disk, uint32_t sector)
{
    if (MUTATED(R2))
        return true;
    if (MUTATED(R3)) /* not before it is taken: publish() */
        return true;
    if (zero_room(disk, sector) < 0)
        return false;
    return vhd_disk_is_differencing(disk) ? put_bitmap(disk, sector) == 0
                                          : is_bitmap_full(disk, sector);
}

void vhd_free_rooms(struct vhd_disk *disk, const uint32_t *sectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!clear_room(disk, sectors[i]))
            continue;
        HOLD_LOCK(&disk->growth_lock);
        int err = vhd_rooms_wait(&disk->rooms, sectors[i], disk->barriers + 1);
        if (err == 0 && MUTATED(R1))
            vhd_rooms_settle(&disk->rooms, UINT64_MAX);
    }
}

void vhd_recycle_room(struct vhd_disk *disk, uint32_t block)
{
    uint32_t sector;

    if (vhd_deallocate(disk, block, &sector) < 0 || sector == VHD_UNALLOCATED)
        return;
    HOLD_LOCK(&disk->growth_lock);
    if (vhd_rooms_wait(&disk->rooms, sector, 0) == 0)
        vhd_rooms_settle(&disk->rooms, 0);
}
