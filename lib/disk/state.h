/*
 * What an open disk is made of, for the files of this folder alone; disk.h is its face.
 *
 * The way of data: read.c, write.c, discard.c, each by type of disk; beneath them
 * extent.h (where a range is), confirm.h (is the file ours), allocate.h and grow.h (slots for what
 * is new), subblocks.h (what is bit_source than the bitmaps of a differencing disk), epoch.h (who
 * still uses what), flush.c (what is durable when), recover.h (order after a crash).
 *
 * Lock order, outermost first: flush_lock and fill_lock, the subblocks', growth_lock, a layer's.
 * That of shared layers (share.h) is innermost. No lock is held over a transfer of data or while
 * waiting for epoch; growth_lock is left for a barrier, and what the syncs have then, sync_lock, is
 * for them alone.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "disk/flusher.h"
#include "disk/epoch.h"
#include "disk/subblocks.h"
#include "image/layer.h"
#include "disk/slots.h"

struct vhd_disk {
    /* constant while open */
    struct vhd_store *store; /* referenced */
    char *name;
    struct vhd_layer *top;
    unsigned flags; /* of enum vhd_disk_flags, as opened */

    struct vhd_epoch epoch; /* of the top layer's entries and slots */

    /* constant once is_writable, an atomic, is true */
    bool is_writable;
    int write_fd;
    uint64_t *slot_was_ready; /* bits, one a block of a differencing disk: its slot was ready since
                        it was opened */
    struct vhd_subblocks *subblocks; /* of a differencing disk */
    struct vhd_flusher *flusher;     /* NULL with VHD_DISK_NO_FLUSHER */
    enum vhd_growth growth;
    bool has_batmap;

    bool has_failed;          /* atomic: a barrier has, or is_lost; nothing is written any more */
    _Atomic bool is_lost;     /* the file is not ours any more */
    _Atomic bool has_written; /* since it was opened */
    _Atomic bool has_unsure_entry; /* of the table: writing it has failed */

    pthread_mutex_t sync_lock; /* one sync of the file at a time; a leaf */
    uint64_t synced;           /* the last barrier that a sync began after; under sync_lock */

    pthread_mutex_t flush_lock; /* one flush of a differencing disk at a time */
    pthread_mutex_t fill_lock;  /* one bitmap of another program's is filled at a time */

    pthread_mutex_t
        growth_lock; /* guards what follows; changes of the table on disk are made under it */
    pthread_cond_t settled; /* after each barrier */
    int direct_fd;          /* for footers, past the page cache; -1 without one */
    struct vhd_slots slots;
    uint32_t unallocated;     /* blocks without a slot */
    uint64_t footer_at;       /* where the footer at the end is */
    uint64_t length;          /* of the file */
    uint64_t tried_length;    /* that a failed growth may have given it */
    unsigned slots_used;      /* slots, since it was opened */
    bool is_growing;          /* somebody is making slots, and may have left the lock */
    uint64_t barriers;        /* begun so far; a number above 0 names one; atomic for who syncs */
    uint64_t stale_footer_at; /* to be zeroed after that barrier; 0 for none */
    uint64_t stale_barrier;
    bool has_freed; /* a slot since the last barrier */
};

static inline bool vhd_disk_is_differencing(const struct vhd_disk *disk)
{
    return disk->top->image.footer.type == VHD_TYPE_DIFFERENCING;
}

static inline bool vhd_disk_is_fixed(const struct vhd_disk *disk)
{
    return !disk->top->table;
}

/* Bytes of the disk in a block: all but the last are whole. */
static inline uint64_t vhd_disk_block_length(const struct vhd_disk *disk, uint32_t block)
{
    uint64_t size = disk->top->image.header.block_size, at = block * size;
    uint64_t left = disk->top->image.footer.current_size - at;
    return left < size ? left : size;
}

/*
 * May a range be written to just now? What vhd_disk_write() says: 0, -ERANGE, -EROFS or -EIO.
 */
int vhd_disk_judge_write(const struct vhd_disk *disk, uint64_t len, uint64_t off);

/* The descriptor of who is about to change the file. */
static inline int vhd_disk_writing(struct vhd_disk *disk)
{
    if (!disk->has_written)
        disk->has_written = true;
    return disk->write_fd;
}

/* A write or a discard has been done: the flusher is to flush it, unless somebody else does. */
static inline void vhd_disk_touched(struct vhd_disk *disk)
{
    if (disk->flusher)
        vhd_flusher_touch(disk->flusher);
}

/* Mix the parents of a disk, as they were when it was opened, into the fingerprint of its top. */
void vhd_disk_add_parents(const struct vhd_disk *disk, struct vhd_fingerprint *fingerprint);

/* What the flusher does: slots made ahead, whatever that takes, and a flush; arg is the disk. */
int vhd_disk_flush_behind(void *arg);
