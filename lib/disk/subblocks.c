/* SPDX-License-Identifier: MIT */
#include "disk/subblocks.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mutation.h"
#include "format/bitmap.h"
#include "format/block.h"

/* The bits of a whole present subblock: one byte of the bitmap. */
#define WHOLE 0xFF

/* States of a subblock. */
enum state {
    BUSY = 1,     /* reserved by a writer */
    FLUSHING = 2, /* the flush at work will write its bits */
};

/* The pending bitmap of one block. The subblocks' lock guards it, but for the constants. */
struct vhd_pending_bitmap {
    struct vhd_pending_bitmap *next_removed;
    LIST_ENTRY(vhd_pending_bitmap) link;
    LIST_ENTRY(vhd_pending_bitmap) flush_link; /* while one of its subblocks is FLUSHING */
    uint32_t block, entry;                     /* constant */
    unsigned users;                            /* reserved ranges */
    uint8_t *on_disk;                          /* the bitmap as last written */
    uint8_t *states;
    _Atomic uint8_t present[]; /* the bitmap for readers; the other two lie behind it */
};

LIST_HEAD(bitmap_list, vhd_pending_bitmap);

struct vhd_subblocks {
    struct vhd_bit_source bit_source; /* first, so that a cast converts the two */

    /* constant */
    struct vhd_layer *layer;
    int write_fd;
    uint32_t size;  /* bytes of a subblock */
    uint32_t count; /* subblocks of a block */

    pthread_mutex_t lock; /* guards all below; held while bits are written */
    pthread_cond_t given_back;
    struct vhd_pending_bitmap *_Atomic *by_block; /* one a block */
    struct bitmap_list all, flushing;
};

static struct vhd_pending_bitmap *find(const struct vhd_subblocks *subblocks, uint32_t block)
{
    return subblocks->by_block[block];
}

static bool lookup(const struct vhd_bit_source *bit_source, uint32_t block, uint32_t entry,
                   uint32_t window, uint32_t first, uint32_t end, uint8_t *buf)
{
    const struct vhd_pending_bitmap *bitmap = find((const struct vhd_subblocks *)bit_source, block);

    if (!bitmap || bitmap->entry != entry)
        return false;
    for (uint32_t i = first / 8; i < (end + 7) / 8; i++)
        buf[i - window / 8] = bitmap->present[i];
    return true;
}

struct vhd_subblocks *vhd_subblocks_new(struct vhd_layer *layer, int write_fd)
{
    struct vhd_subblocks *subblocks = calloc(1, sizeof *subblocks);
    if (!subblocks)
        return NULL;
    const uint32_t block_size = layer->image.header.block_size;
    subblocks->bit_source.lookup = lookup;
    subblocks->layer = layer;
    subblocks->write_fd = write_fd;
    subblocks->size = block_size < VHD_SUBBLOCK ? block_size : VHD_SUBBLOCK;
    subblocks->count = block_size / subblocks->size;
    subblocks->by_block = calloc(layer->image.blocks, sizeof *subblocks->by_block);
    if (!subblocks->by_block) {
        free(subblocks);
        return NULL;
    }
    pthread_mutex_init(&subblocks->lock, NULL);
    pthread_cond_init(&subblocks->given_back, NULL);
    LIST_INIT(&subblocks->all);
    LIST_INIT(&subblocks->flushing);
    return subblocks;
}

void vhd_subblocks_free(struct vhd_subblocks *subblocks)
{
    if (!subblocks)
        return;
    while (!LIST_EMPTY(&subblocks->all)) {
        struct vhd_pending_bitmap *bitmap = LIST_FIRST(&subblocks->all);
        LIST_REMOVE(bitmap, link);
        free(bitmap);
    }
    pthread_cond_destroy(&subblocks->given_back);
    pthread_mutex_destroy(&subblocks->lock);
    free(subblocks->by_block);
    free(subblocks);
}

const struct vhd_bit_source *vhd_subblocks_bit_source(const struct vhd_subblocks *subblocks)
{
    return &subblocks->bit_source;
}

uint32_t vhd_subblocks_size(const struct vhd_subblocks *subblocks)
{
    return subblocks->size;
}

/*
 * Make the pending bitmap of a block that has none, with the present bits of its bitmap on disk.
 * Readers see it at once. Call it under the lock.
 *
 *   entry  of the block
 *   ret    receives the bitmap, which belongs to subblocks
 *
 * Returns 0, -ENOMEM, or a negative errno of pread(2).
 */
static int bitmap_new(struct vhd_subblocks *subblocks, uint32_t block, uint32_t entry,
                      struct vhd_pending_bitmap **ret)
{
    const uint32_t count = subblocks->count;
    struct vhd_pending_bitmap *bitmap = calloc(1, sizeof *bitmap + 3 * (size_t)count);
    if (!bitmap)
        return -ENOMEM;
    bitmap->block = block;
    bitmap->entry = entry;
    bitmap->on_disk = (uint8_t *)(bitmap->present + count);
    bitmap->states = bitmap->on_disk + count;
    int err =
        vhd_io_get(subblocks->layer->fd, bitmap->on_disk, count, (uint64_t)entry * VHD_SECTOR_SIZE);
    if (err < 0) {
        free(bitmap);
        return err;
    }
    memcpy(bitmap->present, bitmap->on_disk, count);
    LIST_INSERT_HEAD(&subblocks->all, bitmap, link);
    subblocks->by_block[block] = bitmap;
    *ret = bitmap;
    return 0;
}

/* Get the pending bitmap of a block; *ret is NULL if the block has another entry now. */
static int get(struct vhd_subblocks *subblocks, uint32_t block, uint32_t entry,
               struct vhd_pending_bitmap **ret)
{
    *ret = NULL;
    if (vhd_layer_entry(subblocks->layer, block) != entry)
        return 0;
    *ret = find(subblocks, block);
    return *ret ? 0 : bitmap_new(subblocks, block, entry, ret);
}

static bool is_any_busy(const struct vhd_pending_bitmap *bitmap, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        if (bitmap->states[i] & BUSY && !MUTATED(D4))
            return true;
    }
    return false;
}

/* Reserve the start of a run, as far as count_of() counts. Waits while another writer holds it. */
static int reserve(struct vhd_subblocks *subblocks, uint32_t block, uint32_t entry, uint32_t first,
                   uint32_t end,
                   uint32_t (*count_of)(const struct vhd_pending_bitmap *, uint32_t, uint32_t),
                   struct vhd_subblock_range *ret)
{
    struct vhd_pending_bitmap *bitmap;
    uint32_t count;

    *ret = (struct vhd_subblock_range){NULL, first, first};
    HOLD_LOCK(&subblocks->lock);
    for (;;) {
        int err = get(subblocks, block, entry, &bitmap);
        if (err < 0 || !bitmap)
            return err;
        count = count_of(bitmap, first, end);
        if (!is_any_busy(bitmap, first, first + count))
            break;
        /* It stays while a range of it is reserved; later it may go, so get it again. */
        pthread_cond_wait(&subblocks->given_back, &subblocks->lock);
    }
    if (count == 0)
        return 0;
    for (uint32_t i = first; i < first + count; i++)
        bitmap->states[i] |= BUSY;
    bitmap->users++;
    *ret = (struct vhd_subblock_range){bitmap, first, first + count};
    return 0;
}

static uint32_t count_absent(const struct vhd_pending_bitmap *bitmap, uint32_t first, uint32_t end)
{
    uint32_t i = first;

    while (i < end && bitmap->present[i] != WHOLE)
        i++;
    return i - first;
}

static uint32_t count_all(const struct vhd_pending_bitmap *bitmap, uint32_t first, uint32_t end)
{
    (void)bitmap;
    return end - first;
}

int vhd_subblocks_reserve_absent(struct vhd_subblocks *subblocks, uint32_t block, uint32_t entry,
                                 uint32_t first, uint32_t end, struct vhd_subblock_range *ret)
{
    return reserve(subblocks, block, entry, first, end, count_absent, ret);
}

int vhd_subblocks_reserve(struct vhd_subblocks *subblocks, uint32_t block, uint32_t entry,
                          uint32_t first, uint32_t end, struct vhd_subblock_range *ret)
{
    return reserve(subblocks, block, entry, first, end, count_all, ret);
}

/* Write a run of the on_disk bitmap. */
static int put_bits(struct vhd_subblocks *subblocks, struct vhd_pending_bitmap *bitmap,
                    uint32_t first, uint32_t end)
{
    return vhd_io_put(subblocks->write_fd, bitmap->on_disk + first, end - first,
                      (uint64_t)bitmap->entry * VHD_SECTOR_SIZE + first);
}

static uint8_t bits_of_subblock(void)
{
    return MUTATED(D6) ? 0x80 : WHOLE;
}

/* Note that the data of a subblock is written: readers see it from now on. */
static void set_present(struct vhd_pending_bitmap *bitmap, uint32_t i,
                        enum vhd_subblock_outcome how)
{
    bitmap->present[i] = WHOLE;
    if (how == VHD_SUBBLOCKS_ON_DISK)
        bitmap->on_disk[i] = bits_of_subblock();
}

/* Is a subblock present, its bits not on disk, and no flush about to write them? */
static bool is_pending(const struct vhd_pending_bitmap *bitmap, uint32_t i)
{
    return bitmap->present[i] == WHOLE && bitmap->on_disk[i] != WHOLE &&
           !(bitmap->states[i] & FLUSHING);
}

int vhd_subblocks_release(struct vhd_subblocks *subblocks, const struct vhd_subblock_range *range,
                          enum vhd_subblock_outcome how)
{
    struct vhd_pending_bitmap *bitmap = range->bitmap;
    int err = 0;

    HOLD_LOCK(&subblocks->lock);
    for (uint32_t i = range->first; i < range->end; i++) {
        bitmap->states[i] &= (uint8_t)~BUSY;
        if (how != VHD_SUBBLOCKS_FAILED)
            set_present(bitmap, i, how);
    }
    if (how == VHD_SUBBLOCKS_ON_DISK)
        err = put_bits(subblocks, bitmap, range->first, range->end);
    for (uint32_t i = range->first; i < range->end && err < 0; i++)
        bitmap->on_disk[i] = 0;
    bitmap->users--;
    pthread_cond_broadcast(&subblocks->given_back);
    return err;
}

bool vhd_subblocks_flush_begin(struct vhd_subblocks *subblocks)
{
    struct vhd_pending_bitmap *bitmap;

    HOLD_LOCK(&subblocks->lock);
    LIST_FOREACH(bitmap, &subblocks->all, link) {
        bool is_any = false;
        for (uint32_t i = 0; i < subblocks->count; i++) {
            if (!is_pending(bitmap, i))
                continue;
            bitmap->states[i] |= FLUSHING;
            is_any = true;
        }
        if (is_any)
            LIST_INSERT_HEAD(&subblocks->flushing, bitmap, flush_link);
    }
    return !LIST_EMPTY(&subblocks->flushing);
}

/* Write the bits of one bitmap's snapshot, in one stretch. */
static int flush_one(struct vhd_subblocks *subblocks, struct vhd_pending_bitmap *bitmap)
{
    uint32_t first = subblocks->count, end = 0;

    for (uint32_t i = 0; i < subblocks->count; i++) {
        if (!(bitmap->states[i] & FLUSHING) && !(MUTATED(D3) && bitmap->present[i] == WHOLE))
            continue;
        bitmap->on_disk[i] = bits_of_subblock();
        first = i < first ? i : first;
        end = i + 1;
    }
    int err = first < end ? put_bits(subblocks, bitmap, first, end) : 0;
    for (uint32_t i = first; i < end; i++) {
        if (bitmap->states[i] & FLUSHING && err < 0)
            bitmap->on_disk[i] = 0;
        bitmap->states[i] &= (uint8_t)~FLUSHING;
    }
    return err;
}

int vhd_subblocks_flush_finish(struct vhd_subblocks *subblocks)
{
    int err = 0;

    HOLD_LOCK(&subblocks->lock);
    while (!LIST_EMPTY(&subblocks->flushing)) {
        struct vhd_pending_bitmap *bitmap = LIST_FIRST(&subblocks->flushing);
        LIST_REMOVE(bitmap, flush_link);
        int failed = flush_one(subblocks, bitmap);
        err = err ? err : failed;
    }
    return err;
}

void vhd_subblocks_flush_abandon(struct vhd_subblocks *subblocks)
{
    HOLD_LOCK(&subblocks->lock);
    while (!LIST_EMPTY(&subblocks->flushing)) {
        struct vhd_pending_bitmap *bitmap = LIST_FIRST(&subblocks->flushing);
        LIST_REMOVE(bitmap, flush_link);
        for (uint32_t i = 0; i < subblocks->count; i++)
            bitmap->states[i] &= (uint8_t)~FLUSHING;
    }
}

bool vhd_subblocks_are_pending(struct vhd_subblocks *subblocks)
{
    const struct vhd_pending_bitmap *bitmap;

    HOLD_LOCK(&subblocks->lock);
    LIST_FOREACH(bitmap, &subblocks->all, link) {
        for (uint32_t i = 0; i < subblocks->count; i++) {
            if (is_pending(bitmap, i))
                return true;
        }
    }
    return false;
}

/* Remove a bitmap: later readers do not find it. It joins the list. */
static void unpublish(struct vhd_subblocks *subblocks, struct vhd_pending_bitmap *bitmap,
                      struct vhd_pending_bitmap **list)
{
    subblocks->by_block[bitmap->block] = NULL;
    LIST_REMOVE(bitmap, link);
    bitmap->next_removed = *list;
    *list = bitmap;
}

/* Does the disk have all bits of a bitmap, and does no writer use it? */
static bool is_idle(const struct vhd_subblocks *subblocks, const struct vhd_pending_bitmap *bitmap)
{
    return bitmap->users == 0 && memcmp(bitmap->present, bitmap->on_disk, subblocks->count) == 0;
}

struct vhd_pending_bitmap *vhd_subblocks_prune(struct vhd_subblocks *subblocks)
{
    struct vhd_pending_bitmap *dead = NULL, *bitmap;

    HOLD_LOCK(&subblocks->lock);
    bitmap = LIST_FIRST(&subblocks->all);
    while (bitmap) {
        struct vhd_pending_bitmap *next = LIST_NEXT(bitmap, link);
        if (is_idle(subblocks, bitmap))
            unpublish(subblocks, bitmap, &dead);
        bitmap = next;
    }
    return dead;
}

void vhd_subblocks_free_removed(struct vhd_pending_bitmap *bitmaps)
{
    while (bitmaps) {
        struct vhd_pending_bitmap *next = bitmaps->next_removed;
        free(bitmaps);
        bitmaps = next;
    }
}

int vhd_subblocks_remove_block(struct vhd_subblocks *subblocks, uint32_t block,
                               int (*go)(void *arg, uint32_t block), void *arg,
                               struct vhd_pending_bitmap **list)
{
    struct vhd_pending_bitmap *bitmap;

    HOLD_LOCK(&subblocks->lock);
    while ((bitmap = find(subblocks, block)) && bitmap->users > 0)
        pthread_cond_wait(&subblocks->given_back, &subblocks->lock);
    int result = go(arg, block);
    if (result == 0 && bitmap)
        unpublish(subblocks, bitmap, list);
    return result;
}
