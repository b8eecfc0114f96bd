/* SPDX-License-Identifier: MIT */
/*
 * The parts of an open disk. Only files of this folder and of reshape/ include this; disk.h is its
 * face.
 *
 * read.c, write.c and discard.c move data, each by type of disk. They use extent.h (where a range
 * lies), confirm.h (is the file ours?), and allocate.h and grow.h (slots for new blocks).
 * subblocks.h knows bits that the bitmaps on disk lack; epoch.h knows the users of a slot.
 *
 * Lock order: flush_lock or fill_lock, then the subblocks' lock, then growth_lock, then one leaf:
 * sync_lock, the flusher's, a layer's, or the epoch's `turn` and below it its `lock`. An epoch wait
 * may hold flush_lock, because no thread takes that inside the epoch. A sync leaves growth_lock. No
 * lock is held over a transfer of user data. See README.md, "Locks of an open disk".
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "disk/flusher.h"
#include "base/epoch.h"
#include "disk/subblocks.h"
#include "image/layer.h"
#include "disk/slots.h"

struct vhd_disk {
    /* constant while open */
    struct vhd_catalogue *catalogue; /* referenced */
    char *name;
    struct vhd_layer *top;
    unsigned flags; /* of enum vhd_disk_flags, from vhd_disk_open() */

    struct vhd_epoch epoch; /* guards the top layer's entries and slots */

    /* constant once is_writable is true */
    _Atomic bool is_writable;
    int write_fd;
    _Atomic uint64_t *slot_was_ready; /* bits: the block's slot was ready in this opening */
    struct vhd_subblocks *subblocks;  /* NULL unless differencing; so is slot_was_ready */
    struct vhd_flusher *flusher;      /* NULL with VHD_DISK_NO_FLUSHER */
    enum vhd_growth growth;
    bool has_batmap;
    uint64_t blocks_at; /* where the first block lay at open; no slot lies before it */
    bool keeps_second;  /* the close leaves the second of the file's mtime, which children record */

    _Atomic bool has_failed;       /* a sync has failed, or is_lost; nothing more is written */
    _Atomic bool is_lost;          /* the file is no longer ours */
    _Atomic bool has_written;      /* since the disk was opened */
    _Atomic bool has_unsure_entry; /* a write to the table has failed */

    pthread_mutex_t sync_lock; /* one sync of the file at a time; a leaf */
    uint64_t synced;           /* the last barrier that a sync began after; under sync_lock */

    pthread_mutex_t flush_lock; /* one flush of a differencing disk at a time */
    pthread_mutex_t fill_lock;  /* one bitmap of another program's disk is filled at a time */

    pthread_mutex_t growth_lock;  /* guards all below, and each change of the table on disk */
    pthread_cond_t slots_changed; /* after each barrier and growth */
    int direct_fd;                /* writes footers past the page cache; -1 without one */
    struct vhd_slots slots;
    uint32_t unallocated;      /* blocks without a slot */
    uint32_t last_changed;     /* the block whose entry was changed last */
    uint64_t footer_at;        /* where the footer at the end begins */
    uint64_t length;           /* of the file, bytes */
    uint64_t tried_length;     /* that a failed growth may have given it; 0 for none */
    unsigned slots_used;       /* since the disk was opened */
    bool is_growing;           /* a thread is making slots, and may have left the lock */
    _Atomic uint64_t barriers; /* begun so far; above 0, a number names one; read by sync_for()
                                  without the lock */
    uint64_t stale_footer_at;  /* zeroed after stale_barrier, with its copies; 0 for none */
    uint64_t stale_footer_end; /* of its last copy */
    uint64_t stale_barrier;
    bool has_freed; /* a block has lost its slot since the last barrier */
};

/* Release a disk without another word to its file, and all its parts. */
void vhd_disk_free(struct vhd_disk *disk);

/* The store that the disk's files are in. */
static inline struct vhd_store *vhd_disk_store(const struct vhd_disk *disk)
{
    return vhd_catalogue_store(disk->catalogue);
}

/* Is it a differencing disk? */
static inline bool vhd_disk_is_differencing(const struct vhd_disk *disk)
{
    return disk->top->image.footer.type == VHD_TYPE_DIFFERENCING;
}

/* Is it a fixed disk? Only a fixed disk has no table. */
static inline bool vhd_disk_is_fixed(const struct vhd_disk *disk)
{
    return !disk->top->table;
}

/* Bytes of the disk in a block: a whole block, but for the last one. */
static inline uint64_t vhd_disk_block_length(const struct vhd_disk *disk, uint32_t block)
{
    uint64_t size = disk->top->image.header.block_size, at = block * size;
    uint64_t left = disk->top->image.footer.current_size - at;
    return left < size ? left : size;
}

/*
 * Judge whether a range may be written now.
 *
 * Returns 0, -ERANGE, -EROFS or -EIO, as vhd_disk_write().
 */
int vhd_disk_judge_write(const struct vhd_disk *disk, uint64_t len, uint64_t off);

/* The descriptor for a change of the file, which counts as written from now on. */
static inline int vhd_disk_writing(struct vhd_disk *disk)
{
    if (!disk->has_written)
        disk->has_written = true;
    return disk->write_fd;
}

/* Note that a write or discard has ended, so that the flusher flushes it. */
static inline void vhd_disk_touched(struct vhd_disk *disk)
{
    if (disk->flusher)
        vhd_flusher_touch(disk->flusher);
}

/* Mix the parents of a disk, as they were when opened, into the fingerprint of its top. */
void vhd_disk_add_parents(const struct vhd_disk *disk, struct vhd_fingerprint *fingerprint);

/*
 * The flusher's work: make slots ahead, also on class X, then flush.
 *
 *   arg  the disk
 *
 * Returns as vhd_disk_flush().
 */
int vhd_disk_flush_behind(void *arg);
