/* SPDX-License-Identifier: MIT */
/*
 * A layer: one open image of a chain, with its table in memory. The top one is the disk's own; each
 * differencing one has its parent below it. Disks with the same parent share its layer, which is
 * then constant but for its marks of full blocks and its fingerprint (share.h).
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "image/share.h"
#include "store/claim.h"
#include "store/fingerprint.h"
#include "store/store.h"

/* A source of newer bits than the bitmaps on disk. */
struct vhd_bit_source {
    /*
     * Look up bits of a block.
     *
     *   entry       of the block
     *   window      sector in the block that buf begins with
     *   first, end  the wanted sectors; buf receives the whole bytes of the bitmap around them
     *
     * Returns false where it knows no more than the bitmap on disk.
     */
    bool (*lookup)(const struct vhd_bit_source *bit_source, uint32_t block, uint32_t entry,
                   uint32_t window, uint32_t first, uint32_t end, uint8_t *buf);
};

struct vhd_layer {
    /* constant once the chain is open */
    struct vhd_layer *parent;       /* NULL: sectors absent here are unwritten */
    char parent_name[NAME_MAX + 1]; /* this layer's name for its parent, in sentences */
    char file[NAME_MAX + 1];        /* empty for a scratch file */
    bool is_raw;                    /* the file is flat content, without metadata */
    int fd;                         /* for reading; holds the claim */
    struct vhd_image image;
    uint32_t bitmap_length; /* bytes, of each block */

    enum vhd_claim claim; /* held by fd */

    /*
     * A sector of a fixed disk that reads as zeros: an interrupted resize has left a footer there
     * (mark.h). Its byte offset, or 0 for none. The disk's writer zeroes the sector, then this.
     */
    _Atomic uint64_t hidden_at;

    pthread_mutex_t lock;               /* a leaf */
    struct vhd_fingerprint fingerprint; /* of the file, without its parents; under the lock */

    /* changed under the lock; readers go without */
    _Atomic uint32_t *table; /* image.blocks entries; NULL in a fixed disk */
    _Atomic uint64_t *full;  /* bits: the block's bitmap is known to be all ones */

    const struct vhd_bit_source *_Atomic bit_source; /* NULL: the bitmaps on disk have all bits */

    struct vhd_shared shared; /* with other chains, if it is a parent */
};

enum vhd_layer_use {
    VHD_LAYER_HEADERS, /* footer and header only; no claim, no table */
    VHD_LAYER_READ,    /* claimed for reading */
    VHD_LAYER_WRITE,   /* claimed for writing, and synced before it is read */
};

/*
 * Open an image of a store as a layer, without its parents.
 *
 *   file       the image's file name
 *   ret_write  receives a descriptor for writing, which the caller closes; only with
 *              VHD_LAYER_WRITE
 *   ret_fault  receives the fault of the image
 *
 * Returns 0 and a layer, or:
 *   -EBUSY    another program uses the image in a way that excludes this one
 *   -EAGAIN   another program holds a lease on it
 *   -ESTALE   it was deleted or renamed before the claim
 *   -EUCLEAN  it is damaged; see *ret_fault
 *   -ENOENT   there is no such regular file
 *   -EMFILE   only the reserve of descriptors is left (store/reserve.h). VHD_LAYER_HEADERS may use
 *             that
 *   -ENOMEM, or another negative errno of open(2), fstat(2), fcntl(2), fstatat(2) or fdatasync(2)
 */
int vhd_layer_open(const struct vhd_store *store, const char *file, enum vhd_layer_use use,
                   struct vhd_layer **ret, int *ret_write, struct vhd_fault *ret_fault);

/*
 * Open a raw file, flat content that blktap allows at the end of a chain, as a fixed disk without
 * identity.
 *
 *   use  VHD_LAYER_HEADERS or VHD_LAYER_READ
 *
 * Returns as vhd_layer_open(), but never -EUCLEAN.
 */
int vhd_layer_open_raw(const struct vhd_store *store, const char *file, enum vhd_layer_use use,
                       struct vhd_layer **ret);

/*
 * Open a scratch file as a raw layer: it has no name, and only this process knows it. So it has no
 * claim either.
 *
 *   fd  open for reading; stays the caller's
 *
 * Returns 0, -ENOMEM, -EMFILE as vhd_layer_open(), or another negative errno of fcntl(2) or
 * fstat(2).
 */
int vhd_layer_open_scratch(int fd, struct vhd_layer **ret);

/*
 * Raise a layer from VHD_LAYER_READ to VHD_LAYER_WRITE. The end of the file may have moved, so it
 * is read again.
 *
 * Returns as vhd_layer_open(); -ESTALE too when a program has changed the image's metadata in spite
 * of our claim. After a failure the layer is as before.
 */
int vhd_layer_make_writable(const struct vhd_store *store, struct vhd_layer *layer, int *ret_write,
                            struct vhd_fault *ret_fault);

/* Lower a layer from VHD_LAYER_WRITE to VHD_LAYER_READ; the caller closes the descriptor. */
void vhd_layer_make_read_only(struct vhd_layer *layer);

/*
 * Take the fingerprint of a layer's file again, after our own change.
 *
 * Returns 0, or the negative errno of fstat(2).
 */
int vhd_layer_keep_fingerprint(struct vhd_layer *layer);

/* The fingerprint of a layer's file, without its parents. */
struct vhd_fingerprint vhd_layer_fingerprint(struct vhd_layer *layer);

/*
 * Confirm that the name of a layer leads to its file, and that no program has changed the content
 * since the fingerprint was taken. For layers without a writer.
 *
 * chmod, chown and link change the ctime alone. After them, and where the fingerprint is not
 * reliable, footer, header and table are compared with those in memory, and the fingerprint is
 * taken again.
 *
 * Returns 0, -ESTALE when it is another file, changed or gone; another negative errno of
 * fstatat(2).
 */
int vhd_layer_confirm(const struct vhd_store *store, struct vhd_layer *layer);

/* Close a layer and its parents, down to the first that other chains share. NULL is allowed. */
void vhd_layer_close(struct vhd_layer *layer);

/* The entry of a block: the sector of its bitmap, or VHD_UNALLOCATED. */
static inline uint32_t vhd_layer_entry(const struct vhd_layer *layer, uint32_t block)
{
    return layer->table[block];
}

/* Byte offset in the file of a block's data, by the entry. */
static inline uint64_t vhd_layer_data(const struct vhd_layer *layer, uint32_t entry)
{
    return (uint64_t)entry * VHD_SECTOR_SIZE + layer->bitmap_length;
}

/*
 * Is the bitmap of the block with this entry known to be all ones? Then the file has all its data.
 * Call it inside the epoch, so that no other block gets the same entry meanwhile.
 */
bool vhd_layer_is_full(const struct vhd_layer *layer, uint32_t block, uint32_t entry);

/* Mark its bitmap as all ones, if the block still has this entry. */
void vhd_layer_set_full(struct vhd_layer *layer, uint32_t block, uint32_t entry);

/* Give a block another entry, or VHD_UNALLOCATED; is_full marks its bitmap as all ones. */
void vhd_layer_set_entry(struct vhd_layer *layer, uint32_t block, uint32_t entry, bool is_full);

/*
 * Make space in a layer's table for more blocks, which are unallocated. Nobody else may use the
 * layer meanwhile. The layer has as many blocks as before; the caller changes layer->image.
 *
 *   blocks  at least as many as now
 *
 * Returns 0 or -ENOMEM.
 */
int vhd_layer_make_space(struct vhd_layer *layer, uint32_t blocks);

/* A stretch of a layer that is present as a whole, or absent as a whole. */
struct vhd_run {
    bool is_here;
    uint64_t len; /* bytes, above 0 */
    uint64_t at;  /* byte offset in the file, if present */
};

/*
 * Find the first run of a range.
 *
 *   off, len  bytes; inside the disk, len above 0
 *
 * Call it inside the epoch, if the layer has a writer.
 *
 * Returns 0, or a negative errno of pread(2): a bitmap cannot be read.
 */
int vhd_layer_run(struct vhd_layer *layer, uint64_t off, uint64_t len, struct vhd_run *ret);
