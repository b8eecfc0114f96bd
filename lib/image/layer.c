/* SPDX-License-Identifier: MIT */
#include "image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mutation.h"
#include "base/rounding.h"
#include "image/mark.h"
#include "image/split.h"
#include "format/bitmap.h"
#include "format/block.h"
#include "store/reserve.h"

/* Sectors whose bits one read gets: a whole block of the usual size, 512 bytes of bits. */
#define WINDOW_SECTORS 4096u

/* The most unallocated blocks in one run, so that a walk down a chain of them stays cheap. */
#define BLOCKS_IN_A_RUN 64u

static int claim_image(struct vhd_layer *layer, enum vhd_layer_use use)
{
    enum vhd_claim wanted = use == VHD_LAYER_WRITE ? VHD_CLAIM_WRITE : VHD_CLAIM_READ;

    int err = vhd_claim(layer->fd, layer->claim, wanted);
    if (err == 0)
        layer->claim = wanted;
    return err;
}

/*
 * Open for writing, and sync writes of a killed process from the host's cache. Otherwise a power
 * loss could undo them after they are read.
 */
static int open_for_writing(const struct vhd_store *store, const struct vhd_layer *layer, int *ret)
{
    int fd = vhd_reserve_spare(vhd_store_open_again(store, layer->file, layer->fd, O_RDWR));
    if (fd < 0)
        return fd;
    if (!MUTATED(O1) && fdatasync(fd) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    *ret = fd;
    return 0;
}

static int load(const struct vhd_store *store, struct vhd_layer *layer, enum vhd_layer_use use)
{
    struct vhd_image *image = &layer->image;
    uint64_t hidden_at;

    bool is_sound = use == VHD_LAYER_HEADERS ? vhd_image_read(layer->fd, image)
                                             : vhd_image_load(layer->fd, image, &layer->table);
    if (vhd_split_judge(store, layer->file, image) || !is_sound)
        return -EUCLEAN;
    int err = vhd_mark_find(layer->fd, &image->footer, &hidden_at);
    layer->hidden_at = hidden_at;
    if (err < 0 || !layer->table)
        return err;
    layer->bitmap_length = vhd_block_bitmap_length(image->header.block_size);
    layer->full = bits_new(image->blocks);
    return layer->full ? 0 : -ENOMEM;
}

/* Make up the image of a raw file, which has no footer. */
static void load_raw(struct vhd_layer *layer, uint64_t length)
{
    layer->image = (struct vhd_image){
        .length = length,
        .footer = {.type = VHD_TYPE_FIXED, .current_size = length},
        .footer_at = length,
    };
}

int vhd_layer_keep_fingerprint(struct vhd_layer *layer)
{
    const struct timespec seen = clock_real();
    struct stat attributes;

    if (fstat(layer->fd, &attributes) < 0)
        return -errno;
    HOLD_LOCK(&layer->lock);
    layer->fingerprint = vhd_fingerprint_seen(&attributes, seen);
    return 0;
}

struct vhd_fingerprint vhd_layer_fingerprint(struct vhd_layer *layer)
{
    HOLD_LOCK(&layer->lock);
    return layer->fingerprint;
}

/* Open, claim and load, in this order: a claimed image no longer changes under us. */
static int begin(const struct vhd_store *store, enum vhd_layer_use use, struct vhd_layer *layer,
                 int *write_fd)
{
    struct stat attributes;

    layer->fd = use == VHD_LAYER_HEADERS
                    ? vhd_store_open_unlocked(store, layer->file)
                    : vhd_reserve_spare(vhd_store_open_to_use(store, layer->file));
    if (layer->fd < 0)
        return layer->fd;
    if (fstat(layer->fd, &attributes) < 0)
        return -errno;
    if (!S_ISREG(attributes.st_mode))
        return -ENOENT;
    int err = use == VHD_LAYER_HEADERS ? 0 : claim_image(layer, use);
    /*
     * A program that deletes or renames a disk claims it first, perhaps right before our claim. An
     * opening for writing checks the name again in any case.
     */
    if (err == 0 && use == VHD_LAYER_READ)
        err = vhd_store_confirm(store, layer->file, layer->fd);
    if (err == 0 && use == VHD_LAYER_WRITE)
        err = open_for_writing(store, layer, write_fd);
    /* Under the claim, before the image is read. */
    if (err == 0)
        err = vhd_layer_keep_fingerprint(layer);
    if (err == 0 && layer->is_raw)
        load_raw(layer, (uint64_t)layer->fingerprint.size);
    else if (err == 0)
        err = load(store, layer, use);
    return err;
}

static struct vhd_layer *layer_new(const char *file, bool is_raw)
{
    struct vhd_layer *layer = calloc(1, sizeof *layer);
    if (!layer)
        return NULL;
    pthread_mutex_init(&layer->lock, NULL);
    strncpy(layer->file, file, NAME_MAX);
    layer->is_raw = is_raw;
    return layer;
}

static int open_layer(const struct vhd_store *store, const char *file, enum vhd_layer_use use,
                      bool is_raw, struct vhd_layer **ret, int *ret_write,
                      struct vhd_fault *ret_fault)
{
    AUTO_CLOSE int write_fd = -1;
    struct vhd_layer *layer = layer_new(file, is_raw);
    if (!layer)
        return -ENOMEM;
    int err = begin(store, use, layer, &write_fd);
    if (err < 0) {
        *ret_fault = layer->image.fault;
        vhd_layer_close(layer);
        return err;
    }
    if (use == VHD_LAYER_WRITE && ret_write) {
        *ret_write = write_fd;
        write_fd = -1;
    }
    *ret = layer;
    return 0;
}

int vhd_layer_open(const struct vhd_store *store, const char *file, enum vhd_layer_use use,
                   struct vhd_layer **ret, int *ret_write, struct vhd_fault *ret_fault)
{
    return open_layer(store, file, use, false, ret, ret_write, ret_fault);
}

int vhd_layer_open_raw(const struct vhd_store *store, const char *file, enum vhd_layer_use use,
                       struct vhd_layer **ret)
{
    struct vhd_fault none;

    return open_layer(store, file, use, true, ret, NULL, &none);
}

int vhd_layer_open_scratch(int fd, struct vhd_layer **ret)
{
    struct vhd_layer *layer = layer_new("", true);
    if (!layer)
        return -ENOMEM;
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    layer->fd = vhd_reserve_spare(copy < 0 ? -errno : copy);
    int err = layer->fd < 0 ? layer->fd : vhd_layer_keep_fingerprint(layer);
    if (err < 0) {
        vhd_layer_close(layer);
        return err;
    }
    load_raw(layer, (uint64_t)layer->fingerprint.size);
    *ret = layer;
    return 0;
}

/* Are the two footers equal? */
static bool is_same_footer(const struct vhd_footer *a, const struct vhd_footer *b)
{
    struct vhd_footer_disk one, other;

    vhd_footer_encode(a, &one);
    vhd_footer_encode(b, &other);
    return memcmp(&one, &other, sizeof one) == 0;
}

/* Are footer, header and table still those that were read? The end of the file may have moved. */
static int judge_again(const struct vhd_layer *layer, struct vhd_image *ret_now)
{
    AUTO_FREE _Atomic uint32_t *table = NULL;

    if (!vhd_image_load(layer->fd, ret_now, &table))
        return -EUCLEAN;
    bool is_same = is_same_footer(&ret_now->footer, &layer->image.footer) &&
                   ret_now->blocks == layer->image.blocks && !table == !layer->table &&
                   ret_now->header.block_size == layer->image.header.block_size &&
                   (!table || memcmp(table, layer->table, ret_now->blocks * sizeof *table) == 0);
    return is_same ? 0 : -ESTALE;
}

/* Programs that honour claims change no claimed file, but others may. */
int vhd_layer_confirm(const struct vhd_store *store, struct vhd_layer *layer)
{
    const struct timespec seen = clock_real();
    struct vhd_fingerprint then = vhd_layer_fingerprint(layer);
    struct stat attributes;
    struct vhd_image image;

    if (fstatat(vhd_store_fd(store), layer->file, &attributes, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? -ESTALE : -errno;
    const struct vhd_fingerprint now = vhd_fingerprint_seen(&attributes, seen);
    if (then.is_reliable && vhd_fingerprint_is_same(&now, &then))
        return 0;
    then.ctime = now.ctime;
    if (!vhd_fingerprint_is_same(&now, &then) || (!layer->is_raw && judge_again(layer, &image) < 0))
        return -ESTALE;
    HOLD_LOCK(&layer->lock);
    layer->fingerprint = now;
    return 0;
}

int vhd_layer_make_writable(const struct vhd_store *store, struct vhd_layer *layer, int *ret_write,
                            struct vhd_fault *ret_fault)
{
    AUTO_CLOSE int write_fd = -1;
    struct vhd_image now = {0};

    int err = claim_image(layer, VHD_LAYER_WRITE);
    if (err < 0)
        return err;
    err = open_for_writing(store, layer, &write_fd);
    if (err == 0)
        err = vhd_layer_keep_fingerprint(layer);
    if (err == 0)
        err = judge_again(layer, &now);
    if (err == -EUCLEAN)
        *ret_fault = now.fault;
    if (err < 0) {
        vhd_layer_make_read_only(layer);
        return err;
    }
    /* An earlier attempt of ours to write may have moved the end of the file. */
    layer->image.length = now.length;
    layer->image.footer_at = now.footer_at;
    layer->image.fault = now.fault;
    *ret_write = write_fd;
    write_fd = -1;
    return 0;
}

void vhd_layer_make_read_only(struct vhd_layer *layer)
{
    vhd_claim_lower(layer->fd, VHD_CLAIM_WRITE, VHD_CLAIM_READ);
    layer->claim = VHD_CLAIM_READ;
}

void vhd_layer_close(struct vhd_layer *layer)
{
    while (layer && vhd_share_leave(&layer->shared)) {
        struct vhd_layer *parent = layer->parent;
        if (layer->fd >= 0)
            close(layer->fd);
        free(layer->table);
        free(layer->full);
        pthread_mutex_destroy(&layer->lock);
        free(layer);
        layer = parent;
    }
}

bool vhd_layer_is_full(const struct vhd_layer *layer, uint32_t block, uint32_t entry)
{
    /*
     * The mark is set after its entry and cleared before the entry goes. Inside the epoch a removed
     * entry does not return. So if the entry is the same before and after the mark is read, the
     * mark belongs to it.
     */
    return bits_get(layer->full, block) && vhd_layer_entry(layer, block) == entry;
}

void vhd_layer_set_full(struct vhd_layer *layer, uint32_t block, uint32_t entry)
{
    HOLD_LOCK(&layer->lock);
    if (vhd_layer_entry(layer, block) == entry)
        bits_set(layer->full, block);
}

void vhd_layer_set_entry(struct vhd_layer *layer, uint32_t block, uint32_t entry, bool is_full)
{
    HOLD_LOCK(&layer->lock);
    bits_clear(layer->full, block);
    layer->table[block] = entry;
    if (is_full)
        bits_set(layer->full, block);
}

int vhd_layer_make_space(struct vhd_layer *layer, uint32_t blocks)
{
    const uint32_t now = layer->image.blocks;
    AUTO_FREE _Atomic uint64_t *full = bits_new(blocks);
    _Atomic uint32_t *table = full ? reallocarray(layer->table, blocks, sizeof *table) : NULL;

    if (!table)
        return -ENOMEM;
    layer->table = table;
    for (uint32_t block = now; block < blocks; block++)
        table[block] = VHD_UNALLOCATED;
    for (uint32_t block = 0; block < now; block++) {
        if (bits_get(layer->full, block))
            bits_set(full, block);
    }
    free(layer->full);
    layer->full = TAKE(full);
    return 0;
}

/* A run of unallocated blocks. */
static struct vhd_run unallocated_run(const struct vhd_layer *layer, uint64_t off, uint64_t len)
{
    const uint64_t block_size = layer->image.header.block_size;
    const uint32_t first = (uint32_t)(off / block_size);
    const uint32_t last = (uint32_t)((off + len - 1) / block_size);
    uint32_t block = first + 1;

    while (block <= last && block - first < BLOCKS_IN_A_RUN &&
           vhd_layer_entry(layer, block) == VHD_UNALLOCATED)
        block++;
    uint64_t end = block * block_size;
    return (struct vhd_run){.len = end < off + len ? end - off : len};
}

static bool is_all_set(const uint8_t *bits, uint32_t sectors)
{
    bool is_set;
    return vhd_bitmap_run(bits, 0, sectors, &is_set) == sectors && is_set;
}

/*
 * Load the bits of sectors first to end of a block, from the bit source or else from disk. A bitmap
 * that is read whole and is all ones is marked as full.
 *
 *   first, end  within one window, whose bits go to their place in buf
 */
static int load_bits(struct vhd_layer *layer, uint32_t block, uint32_t entry, uint32_t first,
                     uint32_t end, uint8_t buf[WINDOW_SECTORS / 8])
{
    const uint32_t sectors = layer->image.header.block_size / VHD_SECTOR_SIZE;
    const uint32_t window = first / WINDOW_SECTORS * WINDOW_SECTORS;
    const uint32_t len = sectors < WINDOW_SECTORS ? (sectors + 7) / 8 : WINDOW_SECTORS / 8;

    const struct vhd_bit_source *bit_source = layer->bit_source;

    if (bit_source && bit_source->lookup(bit_source, block, entry, window, first, end, buf))
        return 0;
    int err = vhd_io_get(layer->fd, buf, len, (uint64_t)entry * VHD_SECTOR_SIZE + window / 8);
    if (err == 0 && vhd_image_has_old_bitmaps(&layer->image))
        vhd_bitmap_reverse(buf, len);
    if (err == 0 && sectors <= WINDOW_SECTORS && is_all_set(buf, sectors))
        vhd_layer_set_full(layer, block, entry);
    return err;
}

/* A run of an allocated block, by its bitmap. */
static int partial_run(struct vhd_layer *layer, uint32_t block, uint32_t entry, uint64_t within,
                       uint64_t len, struct vhd_run *ret)
{
    uint8_t bits[WINDOW_SECTORS / 8];
    const uint32_t first = (uint32_t)(within / VHD_SECTOR_SIZE);
    const uint32_t window = first / WINDOW_SECTORS * WINDOW_SECTORS;
    uint64_t end = div_round_up(within + len, VHD_SECTOR_SIZE);

    if (end > window + WINDOW_SECTORS)
        end = window + WINDOW_SECTORS;
    int err = load_bits(layer, block, entry, first, (uint32_t)end, bits);
    if (err < 0)
        return err;
    uint32_t sectors = vhd_bitmap_run(bits, first - window, (uint32_t)end - window, &ret->is_here);
    uint64_t run_end = (uint64_t)(first + sectors) * VHD_SECTOR_SIZE;
    ret->len = run_end < within + len ? run_end - within : len;
    ret->at = vhd_layer_data(layer, entry) + within;
    return 0;
}

/* A run of an allocated block, at most to its end. */
static int allocated_run(struct vhd_layer *layer, uint32_t block, uint32_t entry, uint64_t within,
                         uint64_t len, struct vhd_run *ret)
{
    const uint64_t left = layer->image.header.block_size - within;

    if (len > left)
        len = left;
    if (!vhd_layer_is_full(layer, block, entry))
        return partial_run(layer, block, entry, within, len, ret);
    *ret = (struct vhd_run){true, len, vhd_layer_data(layer, entry) + within};
    return 0;
}

/* The run of a fixed disk, where a hidden sector is absent. */
static int flat_run(const struct vhd_layer *layer, uint64_t off, uint64_t len, struct vhd_run *ret)
{
    const uint64_t hidden = layer->hidden_at;
    const bool is_here = hidden == 0 || off < hidden || off >= hidden + VHD_SECTOR_SIZE;
    const uint64_t end = !is_here ? hidden + VHD_SECTOR_SIZE : off < hidden ? hidden : off + len;

    *ret = (struct vhd_run){is_here, len < end - off ? len : end - off, off};
    return 0;
}

int vhd_layer_run(struct vhd_layer *layer, uint64_t off, uint64_t len, struct vhd_run *ret)
{
    uint32_t entry;
    int err;

    if (!layer->table)
        return flat_run(layer, off, len, ret);
    const uint32_t block_size = layer->image.header.block_size;
    const uint32_t block = (uint32_t)(off / block_size);
    /* Bits and entry must belong together, so begin again if the entry has changed. */
    do {
        entry = vhd_layer_entry(layer, block);
        if (entry == VHD_UNALLOCATED) {
            *ret = unallocated_run(layer, off, len);
            return 0;
        }
        err = allocated_run(layer, block, entry, off % block_size, len, ret);
    } while (err == 0 && vhd_layer_entry(layer, block) != entry);
    return err;
}
