#include "disk/granules.h"

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

/* The bits of a granule that is here, as the specification's bitmap has them: one byte. */
#define WHOLE 0xFF

/* What is going on with a granule. */
enum state {
    BUSY = 1,     /* taken by a writer */
    PENDING = 2,  /* present, its bit not on disk */
    FLUSHING = 4, /* its bit is about to be written by the flush at work */
};

/* What is newer of one block. The granules' lock guards it, but for the constants. */
struct vhd_overlay {
    struct vhd_overlay *next_dead;
    LIST_ENTRY(vhd_overlay) link;
    LIST_ENTRY(vhd_overlay) flush_link; /* while something of it is FLUSHING */
    uint32_t block, entry;              /* constant */
    unsigned users;                     /* spans taken */
    unsigned pending;                   /* granules that are */
    uint8_t *present;                   /* atomic bytes: the bitmap as it is for readers */
    uint8_t *on_disk;                   /* the bitmap as it was last written */
    uint8_t *states;
    uint8_t bytes[];
};

LIST_HEAD(overlay_list, vhd_overlay);

struct vhd_granules {
    struct vhd_newer newer; /* first, so that the two convert */

    /* constant */
    struct vhd_layer *layer;
    int write_fd;
    uint32_t size;  /* bytes of one */
    uint32_t count; /* in a block */

    pthread_mutex_t lock; /* guards what follows, and is held while bits are written */
    pthread_cond_t given_back;
    struct vhd_overlay **by_block; /* atomic pointers, one a block */
    struct overlay_list all, flushing;
};

static struct vhd_overlay *find(const struct vhd_granules *granules, uint32_t block)
{
    return __atomic_load_n(&granules->by_block[block], __ATOMIC_SEQ_CST);
}

static bool look(const struct vhd_newer *newer, uint32_t block, uint32_t entry, uint32_t window,
                 uint32_t first, uint32_t end, uint8_t *buf)
{
    const struct vhd_overlay *overlay = find((const struct vhd_granules *)newer, block);

    if (!overlay || overlay->entry != entry)
        return false;
    for (uint32_t i = first / 8; i < (end + 7) / 8; i++)
        buf[i - window / 8] = __atomic_load_n(&overlay->present[i], __ATOMIC_ACQUIRE);
    return true;
}

struct vhd_granules *vhd_granules_new(struct vhd_layer *layer, int write_fd)
{
    struct vhd_granules *granules = calloc(1, sizeof *granules);
    if (!granules)
        return NULL;
    const uint32_t block_size = layer->image.header.block_size;
    granules->newer.look = look;
    granules->layer = layer;
    granules->write_fd = write_fd;
    granules->size = block_size < VHD_GRANULE ? block_size : VHD_GRANULE;
    granules->count = block_size / granules->size;
    granules->by_block = calloc(layer->image.blocks, sizeof(struct vhd_overlay *));
    if (!granules->by_block) {
        free(granules);
        return NULL;
    }
    pthread_mutex_init(&granules->lock, NULL);
    pthread_cond_init(&granules->given_back, NULL);
    LIST_INIT(&granules->all);
    LIST_INIT(&granules->flushing);
    return granules;
}

void vhd_granules_free(struct vhd_granules *granules)
{
    if (!granules)
        return;
    while (!LIST_EMPTY(&granules->all)) {
        struct vhd_overlay *overlay = LIST_FIRST(&granules->all);
        LIST_REMOVE(overlay, link);
        free(overlay);
    }
    pthread_cond_destroy(&granules->given_back);
    pthread_mutex_destroy(&granules->lock);
    free(granules->by_block);
    free(granules);
}

const struct vhd_newer *vhd_granules_newer(const struct vhd_granules *granules)
{
    return &granules->newer;
}

uint32_t vhd_granules_size(const struct vhd_granules *granules)
{
    return granules->size;
}

/* Make the overlay of a block from its bitmap on disk, and let readers see it. */
static int overlay_new(struct vhd_granules *granules, uint32_t block, uint32_t entry,
                       struct vhd_overlay **ret)
{
    const uint32_t count = granules->count;
    struct vhd_overlay *overlay = calloc(1, sizeof *overlay + 3 * (size_t)count);
    if (!overlay)
        return -ENOMEM;
    overlay->block = block;
    overlay->entry = entry;
    overlay->present = overlay->bytes;
    overlay->on_disk = overlay->bytes + count;
    overlay->states = overlay->bytes + 2 * (size_t)count;
    int err =
        vhd_io_get(granules->layer->fd, overlay->on_disk, count, (uint64_t)entry * VHD_SECTOR_SIZE);
    if (err < 0) {
        free(overlay);
        return err;
    }
    memcpy(overlay->present, overlay->on_disk, count);
    LIST_INSERT_HEAD(&granules->all, overlay, link);
    __atomic_store_n(&granules->by_block[block], overlay, __ATOMIC_SEQ_CST);
    *ret = overlay;
    return 0;
}

/* The overlay of a block that still has this entry. */
static int get(struct vhd_granules *granules, uint32_t block, uint32_t entry,
               struct vhd_overlay **ret)
{
    if (vhd_layer_entry(granules->layer, block) != entry)
        return -EAGAIN;
    *ret = find(granules, block);
    return *ret ? 0 : overlay_new(granules, block, entry, ret);
}

static bool is_any_busy(const struct vhd_overlay *overlay, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        if (overlay->states[i] & BUSY && !MUTATED(D4))
            return true;
    }
    return false;
}

/* Take what is free of a run; how much, tells count_of(). */
static int take(struct vhd_granules *granules, uint32_t block, uint32_t entry, uint32_t first,
                uint32_t end, uint32_t (*count_of)(const struct vhd_overlay *, uint32_t, uint32_t),
                struct vhd_span *ret)
{
    struct vhd_overlay *overlay;
    uint32_t count;

    HOLD_LOCK(&granules->lock);
    for (;;) {
        int err = get(granules, block, entry, &overlay);
        if (err < 0)
            return err;
        count = count_of(overlay, first, end);
        if (!is_any_busy(overlay, first, first + count))
            break;
        /* As long as somebody has a span of it, an overlay stays. */
        pthread_cond_wait(&granules->given_back, &granules->lock);
    }
    if (count == 0)
        return -EAGAIN;
    for (uint32_t i = first; i < first + count; i++)
        overlay->states[i] |= BUSY;
    overlay->users++;
    *ret = (struct vhd_span){overlay, first, first + count};
    return 0;
}

static uint32_t count_absent(const struct vhd_overlay *overlay, uint32_t first, uint32_t end)
{
    uint32_t i = first;

    while (i < end && overlay->present[i] != WHOLE)
        i++;
    return i - first;
}

static uint32_t count_all(const struct vhd_overlay *overlay, uint32_t first, uint32_t end)
{
    (void)overlay;
    return end - first;
}

int vhd_granules_take_absent(struct vhd_granules *granules, uint32_t block, uint32_t entry,
                             uint32_t first, uint32_t end, struct vhd_span *ret)
{
    return take(granules, block, entry, first, end, count_absent, ret);
}

int vhd_granules_take(struct vhd_granules *granules, uint32_t block, uint32_t entry, uint32_t first,
                      uint32_t end, struct vhd_span *ret)
{
    return take(granules, block, entry, first, end, count_all, ret);
}

/* Write a run of a bitmap as on_disk has it. */
static int put_bits(struct vhd_granules *granules, struct vhd_overlay *overlay, uint32_t first,
                    uint32_t end)
{
    return vhd_io_put(granules->write_fd, overlay->on_disk + first, end - first,
                      (uint64_t)overlay->entry * VHD_SECTOR_SIZE + first);
}

static uint8_t bits_of_granule(void)
{
    return MUTATED(D6) ? 0x80 : WHOLE;
}

/* The data of a granule has been written: readers see it from now on. */
static void set_present(struct vhd_overlay *overlay, uint32_t i, enum vhd_span_end how)
{
    __atomic_store_n(&overlay->present[i], WHOLE, __ATOMIC_RELEASE);
    if (how == VHD_SPAN_ON_DISK) {
        overlay->on_disk[i] = bits_of_granule();
    } else if (overlay->on_disk[i] != WHOLE && !(overlay->states[i] & (PENDING | FLUSHING))) {
        overlay->states[i] |= PENDING;
        overlay->pending++;
    }
}

/* The bits of a granule could not be written: the next flush is to try again. */
static void set_unwritten(struct vhd_overlay *overlay, uint32_t i)
{
    overlay->on_disk[i] = 0;
    overlay->states[i] |= PENDING;
    overlay->pending++;
}

int vhd_granules_give_back(struct vhd_granules *granules, const struct vhd_span *span,
                           enum vhd_span_end how)
{
    struct vhd_overlay *overlay = span->overlay;
    int err = 0;

    HOLD_LOCK(&granules->lock);
    for (uint32_t i = span->first; i < span->end; i++) {
        overlay->states[i] &= (uint8_t)~BUSY;
        if (how != VHD_SPAN_FAILED)
            set_present(overlay, i, how);
    }
    if (how == VHD_SPAN_ON_DISK)
        err = put_bits(granules, overlay, span->first, span->end);
    for (uint32_t i = span->first; i < span->end && err < 0; i++)
        set_unwritten(overlay, i);
    overlay->users--;
    pthread_cond_broadcast(&granules->given_back);
    return err;
}

bool vhd_granules_flush_begin(struct vhd_granules *granules)
{
    struct vhd_overlay *overlay;

    HOLD_LOCK(&granules->lock);
    LIST_FOREACH(overlay, &granules->all, link) {
        if (overlay->pending == 0)
            continue;
        for (uint32_t i = 0; i < granules->count; i++) {
            if (overlay->states[i] & PENDING)
                overlay->states[i] ^= PENDING | FLUSHING;
        }
        overlay->pending = 0;
        LIST_INSERT_HEAD(&granules->flushing, overlay, flush_link);
    }
    return !LIST_EMPTY(&granules->flushing);
}

/* Write what was taken down of one overlay, in one stretch. */
static int flush_one(struct vhd_granules *granules, struct vhd_overlay *overlay)
{
    uint32_t first = granules->count, end = 0;

    for (uint32_t i = 0; i < granules->count; i++) {
        if (!(overlay->states[i] & FLUSHING) && !(MUTATED(D3) && overlay->present[i] == WHOLE))
            continue;
        overlay->on_disk[i] = bits_of_granule();
        first = i < first ? i : first;
        end = i + 1;
    }
    int err = first < end ? put_bits(granules, overlay, first, end) : 0;
    for (uint32_t i = first; i < end; i++) {
        if (overlay->states[i] & FLUSHING && err < 0)
            set_unwritten(overlay, i);
        overlay->states[i] &= (uint8_t)~FLUSHING;
    }
    return err;
}

int vhd_granules_flush_finish(struct vhd_granules *granules)
{
    int err = 0;

    HOLD_LOCK(&granules->lock);
    while (!LIST_EMPTY(&granules->flushing)) {
        struct vhd_overlay *overlay = LIST_FIRST(&granules->flushing);
        LIST_REMOVE(overlay, flush_link);
        int failed = flush_one(granules, overlay);
        err = err ? err : failed;
    }
    return err;
}

bool vhd_granules_are_pending(struct vhd_granules *granules)
{
    const struct vhd_overlay *overlay;

    HOLD_LOCK(&granules->lock);
    LIST_FOREACH(overlay, &granules->all, link) {
        if (overlay->pending > 0)
            return true;
    }
    return false;
}

/* Take an overlay out: readers that come from now on do not find it. */
static void take_out(struct vhd_granules *granules, struct vhd_overlay *overlay,
                     struct vhd_overlay **list)
{
    __atomic_store_n(&granules->by_block[overlay->block], NULL, __ATOMIC_SEQ_CST);
    LIST_REMOVE(overlay, link);
    overlay->next_dead = *list;
    *list = overlay;
}

/* Is there nothing in it that is not on disk, and nobody at work on it? */
static bool is_idle(const struct vhd_granules *granules, const struct vhd_overlay *overlay)
{
    if (overlay->users > 0 || overlay->pending > 0)
        return false;
    return memcmp(overlay->present, overlay->on_disk, granules->count) == 0;
}

struct vhd_overlay *vhd_granules_prune(struct vhd_granules *granules)
{
    struct vhd_overlay *dead = NULL, *overlay;

    HOLD_LOCK(&granules->lock);
    overlay = LIST_FIRST(&granules->all);
    while (overlay) {
        struct vhd_overlay *next = LIST_NEXT(overlay, link);
        if (is_idle(granules, overlay))
            take_out(granules, overlay, &dead);
        overlay = next;
    }
    return dead;
}

void vhd_granules_bury(struct vhd_overlay *overlays)
{
    while (overlays) {
        struct vhd_overlay *next = overlays->next_dead;
        free(overlays);
        overlays = next;
    }
}

int vhd_granules_retire(struct vhd_granules *granules, uint32_t block,
                        int (*go)(void *arg, uint32_t block), void *arg, struct vhd_overlay **list)
{
    struct vhd_overlay *overlay;

    HOLD_LOCK(&granules->lock);
    while ((overlay = find(granules, block)) && overlay->users > 0)
        pthread_cond_wait(&granules->given_back, &granules->lock);
    int result = go(arg, block);
    if (result == 0 && overlay)
        take_out(granules, overlay, list);
    return result;
}
