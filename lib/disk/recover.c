#include "disk/recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mutation.h"
#include "base/rounding.h"
#include "disk/grow.h"
#include "format/batmap.h"
#include "format/block.h"

/* Copy of the footer, header, table, batmap's header and map, locators. */
enum { METADATA_MAX = 5 + VHD_LOCATORS };

/* The stretches of a file that hold what is no block; bytes. */
struct metadata {
    struct vhd_gap stretches[METADATA_MAX];
    size_t count;
};

/* Add a stretch; what claims to lie beyond the footer is no part of this file. */
static void add(struct metadata *metadata, const struct vhd_image *image, uint64_t at, uint64_t len)
{
    if (at < image->footer_at && len <= image->footer_at - at)
        metadata->stretches[metadata->count++] = (struct vhd_gap){at, at + len};
}

/* Data space is in bytes in practice, in sectors in the specification: below 512 it is that. */
static uint64_t locator_space(const struct vhd_locator *locator)
{
    uint64_t space = locator->data_space;

    if (space < VHD_SECTOR_SIZE)
        space *= VHD_SECTOR_SIZE;
    return space > locator->data_length ? space : locator->data_length;
}

/* blktap puts a batmap right behind its table, and says by its creator's code that it does. */
static int find_batmap(struct vhd_disk *disk, struct metadata *metadata, uint64_t table_end)
{
    const struct vhd_image *image = &disk->top->image;
    struct vhd_batmap_disk batmap;
    uint64_t at, len;
    size_t have;

    if (memcmp(image->footer.creator_app, "tap", 4) != 0)
        return 0;
    int err = vhd_io_read(disk->top->fd, &batmap, sizeof batmap, table_end, &have);
    if (err < 0 || have < sizeof batmap || !vhd_batmap_decode(&batmap, &at, &len))
        return err;
    disk->has_batmap = true;
    add(metadata, image, table_end, VHD_SECTOR_SIZE);
    add(metadata, image, at, len);
    return 0;
}

static int find_metadata(struct vhd_disk *disk, struct metadata *ret)
{
    const struct vhd_image *image = &disk->top->image;
    const struct vhd_header *header = &image->header;
    const uint64_t table_length = round_up(UINT64_C(4) * header->max_entries, VHD_SECTOR_SIZE);

    ret->count = 0;
    add(ret, image, 0, VHD_FOOTER_SIZE);
    add(ret, image, image->footer.data_offset, VHD_HEADER_SIZE);
    add(ret, image, header->table_offset, table_length);
    for (int i = 0; i < VHD_LOCATORS; i++) {
        const struct vhd_locator *locator = &header->locators[i];
        if (locator->platform != 0)
            add(ret, image, locator->data_offset, locator_space(locator));
    }
    int err = find_batmap(disk, ret, header->table_offset + table_length);
    disk->metadata_end = 0;
    for (size_t i = 0; i < ret->count; i++) {
        uint64_t end = round_up(ret->stretches[i].end, VHD_SECTOR_SIZE);
        disk->metadata_end = end > disk->metadata_end ? end : disk->metadata_end;
    }
    return err;
}

/* Where the last block ends, and with it all that the file has to hold before its footer. */
static uint64_t end_of_content(const struct vhd_disk *disk)
{
    const struct vhd_layer *top = disk->top;
    const uint64_t length = vhd_block_length(top->image.header.block_size);
    uint64_t last = disk->metadata_end;

    for (uint32_t block = 0; block < top->image.blocks; block++) {
        uint32_t entry = vhd_layer_entry(top, block);
        uint64_t end = (uint64_t)entry * VHD_SECTOR_SIZE + length;
        if (entry != VHD_UNALLOCATED && end > last)
            last = end;
    }
    return last;
}

/* Put the footer behind the content, and once it is durable cut off what stands behind it. */
static int cut_at(struct vhd_disk *disk, uint64_t at, bool is_without_barrier)
{
    int err = vhd_put_footer(disk, disk->write_fd, at);
    if (err == 0 && !is_without_barrier)
        err = vhd_barrier_now(disk);
    if (err == 0 && ftruncate(disk->write_fd, (off_t)(at + VHD_FOOTER_SIZE)) < 0)
        err = -errno;
    if (err == 0)
        disk->footer_at = at;
    return err;
}

int vhd_cut_slack(struct vhd_disk *disk)
{
    const uint64_t at = end_of_content(disk);
    int err = 0;

    if (at >= disk->footer_at)
        return 0;
    /* In a packed file of another program the footer may go where a freed block has its bitmap. */
    if (disk->has_freed)
        err = vhd_barrier_now(disk);
    return err == 0 ? cut_at(disk, at, MUTATED(C1)) : err;
}

/* The footer at the end: there, whole, and right behind the content? */
static int mend_footer(struct vhd_disk *disk)
{
    const struct vhd_image *image = &disk->top->image;
    const uint64_t at = end_of_content(disk);

    disk->footer_at = image->footer_at;
    if (image->footer_at == at && image->length == at + VHD_FOOTER_SIZE)
        return 0;
    return cut_at(disk, at, MUTATED(O3));
}

/* A resize that was cut off has left the copy behind, or a disk's first sector has been lost. */
static int mend_copy(struct vhd_disk *disk)
{
    struct vhd_footer_disk copy, footer;

    int err = vhd_io_get(disk->top->fd, &copy, sizeof copy, 0);
    if (err < 0)
        return err;
    vhd_footer_encode(&disk->top->image.footer, &footer);
    if (memcmp(&copy, &footer, sizeof copy) == 0)
        return 0;
    err = vhd_put_footer(disk, disk->write_fd, 0);
    return err == 0 ? vhd_barrier_now(disk) : err;
}

static bool is_in_order(const struct vhd_gap *stretches, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (stretches[i].at < stretches[i - 1].at)
            return false;
    }
    return true;
}

static int compare_stretches(const void *a, const void *b)
{
    const struct vhd_gap *one = a, *other = b;
    return (one->at > other->at) - (one->at < other->at);
}

/*
 * All that is in the file, by where it begins: blocks and metadata. Returns how many stretches, or
 * a negative errno.
 */
static ssize_t list_content(const struct vhd_disk *disk, const struct metadata *metadata,
                            struct vhd_gap **ret)
{
    const struct vhd_layer *top = disk->top;
    const uint64_t length = vhd_block_length(top->image.header.block_size);
    size_t count = metadata->count;

    struct vhd_gap *all = malloc((top->image.allocated + metadata->count) * sizeof *all);
    if (!all)
        return -ENOMEM;
    memcpy(all, metadata->stretches, count * sizeof *all);
    for (uint32_t block = 0; block < top->image.blocks; block++) {
        uint32_t entry = vhd_layer_entry(top, block);
        uint64_t at = (uint64_t)entry * VHD_SECTOR_SIZE;
        if (entry != VHD_UNALLOCATED)
            all[count++] = (struct vhd_gap){at, at + length};
    }
    if (!is_in_order(all, count))
        qsort(all, count, sizeof *all, compare_stretches);
    *ret = all;
    return (ssize_t)count;
}

/* Where the first block of the file begins; UINT64_MAX without one. */
static uint64_t start_of_blocks(const struct vhd_disk *disk)
{
    uint32_t first = VHD_UNALLOCATED;

    for (uint32_t block = 0; block < disk->top->image.blocks; block++) {
        uint32_t entry = vhd_layer_entry(disk->top, block);
        first = entry < first ? entry : first;
    }
    return first == VHD_UNALLOCATED ? UINT64_MAX : (uint64_t)first * VHD_SECTOR_SIZE;
}

/*
 * Find where blocks are missing between others. What lies between the table and the first block is
 * left alone, for other programs may have put there what we do not know.
 */
static int find_gaps(struct vhd_disk *disk, const struct metadata *metadata)
{
    const uint64_t length = vhd_block_length(disk->top->image.header.block_size);
    const uint64_t start = start_of_blocks(disk);
    AUTO_FREE struct vhd_gap *all = NULL;
    uint64_t end = 0; /* of what has been passed */
    int err = 0;

    ssize_t count = list_content(disk, metadata, &all);
    if (count < 0)
        return (int)count;
    for (ssize_t i = 0; i < count && err == 0; i++) {
        if (end > start && end < all[i].at && all[i].at - end >= length)
            err = vhd_rooms_add_gap(&disk->rooms, end, all[i].at);
        end = all[i].end > end ? all[i].end : end;
    }
    return err;
}

int vhd_recover(struct vhd_disk *disk)
{
    struct metadata metadata;

    if (vhd_disk_is_fixed(disk))
        return 0;
    disk->unallocated = disk->top->image.blocks - disk->top->image.allocated;
    disk->step = 1;
    int err = find_metadata(disk, &metadata);
    if (err == 0)
        err = mend_footer(disk);
    if (err == 0)
        err = mend_copy(disk);
    return err == 0 ? find_gaps(disk, &metadata) : err;
}
