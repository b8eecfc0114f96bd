/* SPDX-License-Identifier: MIT */
#include "disk/slot.h"

#include <string.h>

#include "base/io.h"
#include "format/bitmap.h"
#include "format/block.h"

int vhd_slot_put_bitmap(const struct vhd_disk *disk, uint32_t sector)
{
    uint8_t bits[4096];
    uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;
    uint32_t left = disk->top->bitmap_length;
    int err = 0;

    memset(bits, vhd_disk_is_differencing(disk) ? 0 : 0xFF, sizeof bits);
    while (left > 0 && err == 0) {
        uint32_t len = left < sizeof bits ? left : sizeof bits;
        err = vhd_io_put(disk->write_fd, bits, len, at);
        at += len;
        left -= len;
    }
    return err;
}

int vhd_slot_zero(const struct vhd_disk *disk, uint32_t sector)
{
    const uint32_t bitmap = disk->top->bitmap_length;
    uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;

    if (vhd_disk_is_differencing(disk))
        return vhd_io_zero(disk->write_fd, at,
                           (uint64_t)bitmap + disk->top->image.header.block_size);
    return vhd_io_zero(disk->write_fd, at + bitmap, disk->top->image.header.block_size);
}

bool vhd_slot_has_full_bitmap(const struct vhd_disk *disk, uint32_t sector)
{
    const uint32_t bits_end = disk->top->image.header.block_size / VHD_SECTOR_SIZE;
    uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;
    uint8_t bits[4096];
    bool is_set = true;

    for (uint32_t done = 0, run = 0; done < bits_end && is_set; done += run) {
        const uint32_t left = bits_end - done;
        const uint32_t part = left < 8 * sizeof bits ? left : (uint32_t)(8 * sizeof bits);
        if (vhd_io_get(disk->top->fd, bits, div_round_up(part, 8), at + done / 8) < 0)
            return false;
        run = vhd_bitmap_run(bits, 0, part, &is_set);
        if (run < part)
            return false;
    }
    return is_set;
}

int vhd_slot_read(struct vhd_disk *disk, uint32_t block, uint8_t *buf)
{
    const bool is_child = vhd_disk_is_differencing(disk);
    const uint32_t block_size = disk->top->image.header.block_size;
    const uint32_t bitmap = disk->top->bitmap_length;
    const uint32_t entry = vhd_layer_entry(disk->top, block);

    if (is_child && entry != VHD_UNALLOCATED)
        return vhd_io_get(disk->top->fd, buf, bitmap + (size_t)block_size,
                          (uint64_t)entry * VHD_SECTOR_SIZE);
    memset(buf, is_child ? 0 : 0xFF, bitmap);
    memset(buf + bitmap, 0, block_size);
    return entry == VHD_UNALLOCATED
               ? 0
               : vhd_disk_read(disk, buf + bitmap, vhd_disk_block_length(disk, block),
                               (uint64_t)block * block_size, NULL);
}
