/* SPDX-License-Identifier: MIT */
#include "reshape/compact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mutation.h"
#include "base/zeros.h"
#include "disk/allocate.h"
#include "disk/barrier.h"
#include "disk/confirm.h"
#include "disk/recover.h"
#include "disk/slot.h"
#include "format/block.h"
#include "image/layout.h"

/* Blocks that move between two barriers. */
enum { BATCH = 32 };

/* A block and the sector of its slot. */
struct place {
    uint32_t block, sector;
};

struct vhd_packer {
    struct vhd_disk *disk;
    struct vhd_slots gaps; /* the lowest is cut first */
    struct place *places;  /* of the blocks that have not moved, by sector */
    uint32_t count;
    uint32_t left; /* moves that are left, about */
    uint8_t *buf;  /* of a slot */
};

uint32_t vhd_disk_blocks(const struct vhd_disk *disk)
{
    return vhd_disk_is_fixed(disk) ? 0 : disk->top->image.blocks;
}

uint32_t vhd_disk_block_size(const struct vhd_disk *disk)
{
    return vhd_disk_is_fixed(disk) ? 0 : disk->top->image.header.block_size;
}

uint32_t vhd_disk_allocated(const struct vhd_disk *disk)
{
    return vhd_disk_blocks(disk) - disk->unallocated;
}

int vhd_disk_drop_zeros(struct vhd_disk *disk, uint32_t block, void *buf, bool *ret_was)
{
    const uint64_t at = (uint64_t)block * disk->top->image.header.block_size;
    const uint64_t len = vhd_disk_block_length(disk, block);
    bool is_hole = false;

    *ret_was = vhd_layer_entry(disk->top, block) != VHD_UNALLOCATED;
    if (!*ret_was)
        return 0;
    int may = vhd_block_may_leave(disk, block);
    if (may <= 0)
        return may;
    int err = vhd_disk_read(disk, buf, len, at, &is_hole);
    vhd_disk_uncache(disk, at, len);
    if (err < 0 || (!is_hole && !is_zeros(buf, len)))
        return err;
    return vhd_disk_discard(disk, len, at);
}

static int compare_places(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    return (one->sector > other->sector) - (one->sector < other->sector);
}

/* List the blocks that have a slot, by the place of the slot. */
static int list_places(struct vhd_packer *packer)
{
    const struct vhd_disk *disk = packer->disk;

    packer->places = calloc((size_t)vhd_disk_allocated(disk) + 1, sizeof *packer->places);
    if (!packer->places)
        return -ENOMEM;
    for (uint32_t block = 0; block < disk->top->image.blocks; block++) {
        const uint32_t sector = vhd_layer_entry(disk->top, block);
        if (sector != VHD_UNALLOCATED)
            packer->places[packer->count++] = (struct place){block, sector};
    }
    qsort(packer->places, packer->count, sizeof *packer->places, compare_places);
    return 0;
}

/* List the gaps, so that the lowest is cut first: vhd_slots_cut() begins with the last. */
static int list_gaps(struct vhd_packer *packer)
{
    struct vhd_slots *gaps = &packer->gaps;
    struct vhd_layout content;

    int err = vhd_layout_list(packer->disk->top, &content);
    if (err < 0)
        return err;
    err = vhd_disk_find_gaps(packer->disk, &content, gaps);
    vhd_layout_free(&content);
    for (size_t low = 0, high = gaps->gap_count; low + 1 < high; low++) {
        const struct vhd_gap gap = gaps->gaps[low];
        gaps->gaps[low] = gaps->gaps[--high];
        gaps->gaps[high] = gap;
    }
    return err;
}

/* Count the moves: the n-th place from the end moves if the n-th slot of the gaps is lower. */
static uint32_t count_moves(const struct vhd_packer *packer)
{
    const uint64_t length = vhd_block_length(packer->disk->top->image.header.block_size);
    uint32_t moves = 0;

    for (size_t i = packer->gaps.gap_count; i > 0; i--) {
        const struct vhd_gap *gap = &packer->gaps.gaps[i - 1];
        for (uint64_t at = gap->at; at + length <= gap->end; at += length, moves++) {
            if (moves == packer->count ||
                at >= (uint64_t)packer->places[packer->count - 1 - moves].sector * VHD_SECTOR_SIZE)
                return moves;
        }
    }
    return moves;
}

int vhd_packer_new(struct vhd_disk *disk, struct vhd_packer **ret)
{
    struct vhd_packer *packer = calloc(1, sizeof *packer);
    if (!packer)
        return -ENOMEM;
    packer->disk = disk;
    packer->buf = malloc(vhd_block_length(disk->top->image.header.block_size));
    /* The removed entries must not reach the medium after another block's data in their slots. */
    int err = packer->buf ? 0 : -ENOMEM;
    if (err == 0)
        err = MUTATED(K1) ? 0 : vhd_disk_flush(disk);
    if (err == 0)
        err = list_places(packer);
    if (err == 0)
        err = list_gaps(packer);
    if (err < 0) {
        vhd_packer_free(packer);
        return err;
    }
    packer->left = count_moves(packer);
    /* From here on the gaps belong to the packer. */
    vhd_slots_free(&disk->slots);
    *ret = packer;
    return 0;
}

/* Copy a block's slot to a gap, whose content is unknown. */
static int copy_slot(const struct vhd_packer *packer, const struct place *place, uint32_t to_sector)
{
    struct vhd_disk *disk = packer->disk;
    const uint32_t bitmap = disk->top->bitmap_length;
    const uint64_t length = vhd_block_length(disk->top->image.header.block_size);
    const uint64_t to = (uint64_t)to_sector * VHD_SECTOR_SIZE;

    int err = vhd_slot_read(disk, place->block, packer->buf);
    if (err == 0)
        err = vhd_io_zero(vhd_disk_writing(disk), to, length);
    /* A bitmap of zeros is no hole, because a host that fills up has no place for the bits. */
    if (err == 0)
        err = vhd_io_put(disk->write_fd, packer->buf, bitmap, to);
    if (err == 0)
        err = vhd_io_put_sparse(disk->write_fd, packer->buf + bitmap, length - bitmap, to + bitmap);
    (void)posix_fadvise(disk->top->fd, (off_t)((uint64_t)place->sector * VHD_SECTOR_SIZE),
                        (off_t)length, POSIX_FADV_DONTNEED);
    return err;
}

/* Copy the last blocks of the file to lower gaps. moves receives their new places. */
static int copy_some(struct vhd_packer *packer, struct place moves[BATCH], unsigned *ret_count)
{
    const uint32_t block_size = packer->disk->top->image.header.block_size;
    uint32_t to;

    *ret_count = 0;
    while (*ret_count < BATCH && packer->count > 0 &&
           vhd_slots_cut(&packer->gaps, block_size, &to)) {
        const struct place *last = &packer->places[packer->count - 1];
        if (to >= last->sector) {
            packer->count = 0; /* all others lie lower still */
            break;
        }
        int err = copy_slot(packer, last, to);
        if (err < 0)
            return err;
        moves[(*ret_count)++] = (struct place){last->block, to};
        packer->count--;
    }
    return 0;
}

int vhd_packer_step(struct vhd_packer *packer, unsigned *ret_moved)
{
    struct vhd_disk *disk = packer->disk;
    struct place moves[BATCH];

    *ret_moved = 0;
    pthread_mutex_lock(&disk->growth_lock);
    int err = vhd_confirm_in_place(disk);
    pthread_mutex_unlock(&disk->growth_lock);
    if (err == 0)
        err = copy_some(packer, moves, ret_moved);
    if (err < 0 || *ret_moved == 0)
        return err;
    if (!MUTATED(K2))
        err = vhd_disk_barrier_now(disk);
    for (unsigned i = 0; i < *ret_moved && err == 0; i++)
        err = vhd_block_move(disk, moves[i].block, moves[i].sector);
    packer->left -= *ret_moved < packer->left ? *ret_moved : packer->left;
    return err == 0 ? vhd_disk_barrier_now(disk) : err;
}

uint32_t vhd_packer_left(const struct vhd_packer *packer)
{
    return packer->left;
}

void vhd_packer_free(struct vhd_packer *packer)
{
    if (!packer)
        return;
    vhd_slots_free(&packer->gaps);
    free(packer->places);
    free(packer->buf);
    free(packer);
}
