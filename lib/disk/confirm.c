/* SPDX-License-Identifier: MIT */
#include "disk/confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "image/chain.h"

int vhd_confirm_layer(const struct vhd_disk *disk, struct vhd_layer *layer)
{
    return vhd_layer_confirm(vhd_disk_store(disk), layer);
}

int vhd_confirm_name(const struct vhd_disk *disk)
{
    return vhd_store_confirm(vhd_disk_store(disk), disk->top->file, disk->top->fd);
}

/*
 * Check that the disk's footer stands at a byte of the file. Other programs may encode it with 511
 * bytes, or with the checksum of an early tapdisk.
 */
static int confirm_footer(const struct vhd_disk *disk, uint64_t at)
{
    struct vhd_footer_disk found = {0}, expected;
    struct vhd_footer footer;
    struct vhd_fault fault;
    size_t have;

    int err = vhd_io_read(disk->top->fd, &found, sizeof found, at, &have);
    if (err < 0)
        return err;
    if (have < VHD_FOOTER_SIZE - 1 || vhd_footer_decode(&found, &footer, &fault) != VHD_SOUND)
        return -ESTALE;
    vhd_footer_encode(&footer, &found);
    vhd_footer_encode(&disk->top->image.footer, &expected);
    return memcmp(&found, &expected, sizeof found) == 0 ? 0 : -ESTALE;
}

/* Check that the header still gives the table, block size and parent that were read at open. */
static int confirm_header(const struct vhd_disk *disk)
{
    const struct vhd_image *image = &disk->top->image;
    struct vhd_header_disk found;
    struct vhd_header header;
    struct vhd_fault fault;

    int err = vhd_io_get(disk->top->fd, &found, sizeof found, image->footer.data_offset);
    if (err < 0)
        return err == -EIO ? -ESTALE : err;
    if (vhd_header_decode(&found, &header, &fault) != VHD_SOUND)
        return -ESTALE;
    bool is_same = header.table_offset == image->header.table_offset &&
                   header.max_entries == image->header.max_entries &&
                   header.block_size == image->header.block_size &&
                   uuid_compare(header.parent_uuid, image->header.parent_uuid) == 0;
    return is_same ? 0 : -ESTALE;
}

/* Entries that are read at a time: 16 KiB. */
enum { PIECE = 4096 };

/* Check that the table's entries from first on, at most PIECE, equal those in memory. */
static int confirm_piece(const struct vhd_disk *disk, uint32_t first)
{
    const struct vhd_image *image = &disk->top->image;
    const uint32_t rest = image->blocks - first, count = rest < PIECE ? rest : PIECE;
    struct be32 entries[PIECE];

    int err = vhd_io_get(disk->top->fd, entries, count * sizeof *entries,
                         image->header.table_offset + UINT64_C(4) * first);
    if (err < 0)
        return err;
    for (uint32_t i = 0; i < count; i++) {
        if (be32_get(entries[i]) != vhd_layer_entry(disk->top, first + i))
            return disk->has_unsure_entry ? -EIO : -ESTALE;
    }
    return 0;
}

static int confirm_table(const struct vhd_disk *disk)
{
    int err = 0;

    for (uint32_t first = 0; first < disk->top->image.blocks && err == 0; first += PIECE)
        err = confirm_piece(disk, first);
    return err;
}

/* Is this a length that we gave the file? A failed growth may have moved its end already. */
static bool is_length_ours(const struct vhd_disk *disk, uint64_t length)
{
    return length == disk->length || (length > disk->length && length <= disk->tried_length);
}

int vhd_confirm_end(const struct vhd_disk *disk)
{
    struct stat attributes;

    if (fstat(disk->top->fd, &attributes) < 0)
        return -errno;
    int err = is_length_ours(disk, (uint64_t)attributes.st_size) ? 0 : -ESTALE;
    if (err == 0)
        err = confirm_footer(disk, disk->footer_at);
    return err == 0 && !vhd_disk_is_fixed(disk) ? confirm_footer(disk, 0) : err;
}

int vhd_confirm_in_place(struct vhd_disk *disk)
{
    if (vhd_disk_has_failed(disk))
        return -EIO;
    int err = vhd_confirm_end(disk);
    /* A restored image may have our length and footers. It then lacks our last entries. */
    if (err == 0 && !vhd_disk_is_fixed(disk) && !disk->has_unsure_entry)
        err = confirm_piece(disk, disk->last_changed - disk->last_changed % PIECE);
    return vhd_confirm_mark(disk, err);
}

int vhd_confirm_all(const struct vhd_disk *disk)
{
    int err = vhd_confirm_end(disk);
    if (err == 0 && !vhd_disk_is_fixed(disk))
        err = confirm_header(disk);
    return err == 0 && !vhd_disk_is_fixed(disk) ? confirm_table(disk) : err;
}

int vhd_confirm_growth(const struct vhd_disk *disk)
{
    int err = vhd_confirm_end(disk);
    if (err == 0)
        err = confirm_footer(disk, disk->stale_footer_at);
    return err == 0 && !disk->has_unsure_entry ? confirm_table(disk) : err;
}

int vhd_confirm_cut(const struct vhd_disk *disk, uint64_t length, uint64_t footer_at)
{
    struct stat attributes;

    if (fstat(disk->top->fd, &attributes) < 0)
        return -errno;
    const uint64_t now = (uint64_t)attributes.st_size;
    int err = now == length || is_length_ours(disk, now) ? 0 : -ESTALE;
    if (err == 0)
        err = confirm_footer(disk, footer_at);
    if (err == 0)
        err = confirm_header(disk);
    return err == 0 ? confirm_table(disk) : err;
}

int vhd_confirm_mark(struct vhd_disk *disk, int err)
{
    if (err != -ESTALE)
        return err;
    disk->is_lost = true;
    disk->has_failed = true;
    return -EIO;
}

/* Confirm the top of a writable disk. */
static int confirm_written(struct vhd_disk *disk)
{
    if (disk->is_lost)
        return -ESTALE;
    int err = vhd_confirm_name(disk);
    HOLD_LOCK(&disk->growth_lock);
    /* After a failed sync the host may show other content than ours. */
    return err == 0 && !vhd_disk_has_failed(disk) ? vhd_confirm_end(disk) : err;
}

int vhd_disk_confirm(const struct vhd_disk *disk)
{
    int err = 0;

    for (struct vhd_layer *layer = disk->top->parent; layer && err == 0; layer = layer->parent)
        err = vhd_confirm_layer(disk, layer);
    if (err < 0)
        return err;
    return vhd_disk_is_writable(disk) ? confirm_written((struct vhd_disk *)disk)
                                      : vhd_confirm_layer(disk, disk->top);
}

void vhd_disk_add_parents(const struct vhd_disk *disk, struct vhd_fingerprint *fingerprint)
{
    struct vhd_layer *layers[VHD_CHAIN_MAX];
    size_t count = 0;

    for (struct vhd_layer *layer = disk->top->parent; layer && count < VHD_CHAIN_MAX;
         layer = layer->parent)
        layers[count++] = layer;
    if (count == 0)
        return;
    struct vhd_fingerprint below = vhd_layer_fingerprint(layers[count - 1]);
    for (size_t i = count - 1; i > 0; i--) {
        struct vhd_fingerprint above = vhd_layer_fingerprint(layers[i - 1]);
        vhd_fingerprint_add_parent(&above, &below);
        below = above;
    }
    vhd_fingerprint_add_parent(fingerprint, &below);
}

int vhd_disk_fingerprint(const struct vhd_disk *disk, struct vhd_fingerprint *ret)
{
    const struct timespec seen = clock_real();
    struct stat attributes;

    if (fstat(disk->top->fd, &attributes) < 0)
        return -errno;
    *ret = vhd_fingerprint_seen(&attributes, seen);
    vhd_disk_add_parents(disk, ret);
    return 0;
}

int vhd_disk_each_file(const struct vhd_disk *disk,
                       int (*visit)(void *arg, const char *file, const struct stat *attributes),
                       void *arg)
{
    struct stat attributes;
    int result = 0;

    for (const struct vhd_layer *layer = disk->top; layer && result == 0; layer = layer->parent)
        result = fstat(layer->fd, &attributes) < 0 ? -errno : visit(arg, layer->file, &attributes);
    return result;
}

const char *vhd_disk_parent(const struct vhd_disk *disk, struct stat *ret)
{
    const struct vhd_layer *parent = disk->top->parent;

    return parent && fstat(parent->fd, ret) == 0 ? parent->file : NULL;
}

bool vhd_disk_has_failed(const struct vhd_disk *disk)
{
    return disk->has_failed;
}
