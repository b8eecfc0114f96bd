/*
 * A layer: one image of a chain, open, with its table in memory. The top one is the disk's own;
 * each differencing one has its parent below it. Disks with the same parent share its layer, which
 * then is constant but for its marks of full blocks (share.h).
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

/* Who knows bits of a layer's blocks that are bit_source than the bitmaps on disk. */
struct vhd_bit_source {
    /*
     * Look up bits of a block.
     *
     *   entry       of the block
     *   window      sector in the block that buf begins with
     *   first, end  the sectors whose bits are wanted; buf receives the whole bytes around them
     *
     * Returns false where there is nothing bit_source: the bitmap on disk tells all.
     */
    bool (*look)(const struct vhd_bit_source *bit_source, uint32_t block, uint32_t entry,
                 uint32_t window, uint32_t first, uint32_t end, uint8_t *buf);
};

struct vhd_layer {
    /* constant once the chain is open */
    struct vhd_layer *parent;       /* NULL: what is not here was never written */
    char parent_name[NAME_MAX + 1]; /* what this layer calls its parent, in sentences */
    char file[NAME_MAX + 1];
    bool is_raw;                        /* the file is nothing but content */
    int fd;                             /* for reading; holds the claim */
    struct vhd_fingerprint fingerprint; /* of the file, once it was claimed; without its parents */
    struct vhd_image image;
    uint32_t bitmap_length; /* of each block, bytes */

    enum vhd_claim claim; /* its owner's */

    pthread_mutex_t lock; /* a leaf; held to change what follows, which is read without */
    uint32_t *table;      /* atomic entries, image.blocks of them; NULL in a fixed disk */
    uint64_t *full;       /* bits, one a block: its bitmap is known to be all ones */

    const struct vhd_bit_source *bit_source; /* atomic; NULL where nobody knows any */

    struct vhd_shared shared; /* with other chains, where it is a parent */
};

enum vhd_layer_use {
    VHD_LAYER_LOOK,  /* only what its footer and header say; no claim, no table */
    VHD_LAYER_READ,  /* claimed for reading */
    VHD_LAYER_WRITE, /* claimed for writing, and what is unsynced of it made durable first */
};

/*
 * Open an image of a store as a layer, without its parents.
 *
 *   file       the image's file name
 *   ret_write  receives a descriptor for writing, to be closed; only with VHD_LAYER_WRITE
 *   ret_fault  receives what is wrong with the image
 *
 * Returns 0 and a layer; or a negative errno: of open(2), -EBUSY when another uses the image in a
 * way that does not go with this, -EAGAIN when another program holds a lease on it, -ESTALE when it
 * was deleted or renamed before it was claimed, -EUCLEAN when it is damaged, as *ret_fault says,
 * -EMFILE too when only the reserve of descriptors is left (store/reserve.h), -ENOMEM. A look may
 * use the reserve.
 */
int vhd_layer_open(const struct vhd_store *store, const char *file, enum vhd_layer_use use,
                   struct vhd_layer **ret, int *ret_write, struct vhd_fault *ret_fault);

/*
 * Open a file that is nothing but content, as blktap allows at the end of a chain: it is taken for
 * a fixed disk of no identity.
 *
 *   use  VHD_LAYER_LOOK or VHD_LAYER_READ
 *
 * Returns as vhd_layer_open(), but never -EUCLEAN.
 */
int vhd_layer_open_raw(const struct vhd_store *store, const char *file, enum vhd_layer_use use,
                       struct vhd_layer **ret);

/*
 * Raise a layer that was opened with VHD_LAYER_READ to VHD_LAYER_WRITE.
 *
 * Returns as vhd_layer_open(), -ESTALE too when the image's metadata was changed in spite of its
 * claim; after a failure the layer is as before. Where the file ends may have changed: that is read
 * again.
 */
int vhd_layer_make_writable(const struct vhd_store *store, struct vhd_layer *layer, int *ret_write,
                            struct vhd_fault *ret_fault);

/* Take that back. */
void vhd_layer_make_read_only(struct vhd_layer *layer);

/*
 * Take the fingerprint of a layer's file again: we have changed it ourselves.
 *
 * Returns 0, or the negative errno of fstat(2).
 */
int vhd_layer_keep_fingerprint(struct vhd_layer *layer);

/*
 * Confirm that the name of a layer leads to its file, and that nobody has changed that since its
 * fingerprint was taken. For layers that are not written to.
 *
 * Returns 0, -ESTALE when it is another file, changed or gone; another negative errno of
 * fstatat(2).
 */
int vhd_layer_confirm(const struct vhd_store *store, const struct vhd_layer *layer);

/* Close a layer and its parents, as far as nobody else shares them; NULL is allowed. */
void vhd_layer_close(struct vhd_layer *layer);

/* The entry of a block: the sector of its bitmap, or VHD_UNALLOCATED. */
static inline uint32_t vhd_layer_entry(const struct vhd_layer *layer, uint32_t block)
{
    return __atomic_load_n(&layer->table[block], __ATOMIC_SEQ_CST);
}

/* Byte offset in the file of the data of a block whose entry this is. */
static inline uint64_t vhd_layer_data(const struct vhd_layer *layer, uint32_t entry)
{
    return (uint64_t)entry * VHD_SECTOR_SIZE + layer->bitmap_length;
}

/*
 * Is the bitmap of the block with this entry known to be all ones? Then its data is simply here.
 * To be asked from inside the epoch, so that no other block can have the same entry meanwhile.
 */
bool vhd_layer_is_full(const struct vhd_layer *layer, uint32_t block, uint32_t entry);

/* Remember that it is, if the block still has this entry. */
void vhd_layer_set_full(struct vhd_layer *layer, uint32_t block, uint32_t entry);

/* Give a block another entry; is_full tells of the bitmap there. */
void vhd_layer_set_entry(struct vhd_layer *layer, uint32_t block, uint32_t entry, bool is_full);

/* A stretch of a layer that is all here, or all not. */
struct vhd_run {
    bool is_here;
    uint64_t len; /* bytes, above 0 */
    uint64_t at;  /* byte offset in the file, where it is here */
};

/*
 * Tell about the first stretch of a range.
 *
 *   off, len  bytes; inside the disk, len above 0
 *
 * To be called from inside the epoch, where the layer is written to.
 *
 * Returns 0, or a negative errno of pread(2): a bitmap cannot be read.
 */
int vhd_layer_run(struct vhd_layer *layer, uint64_t off, uint64_t len, struct vhd_run *ret);
