/* SPDX-License-Identifier: MIT */
#include "operation/blank.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/io.h"

struct vhd_blank vhd_blank_of(enum vhd_disk_type type, uint64_t size, const uuid_t uuid,
                              const struct vhd_locators *locators)
{
    struct vhd_blank blank = {
        .footer = vhd_footer_of(type, size, (uint32_t)(time(NULL) - VHD_EPOCH)),
    };

    uuid_copy(blank.footer.uuid, uuid);
    if (type == VHD_TYPE_FIXED)
        return blank;
    if (locators)
        blank.locators = *locators;
    blank.placement = vhd_placement_of(size, blank.locators.length);
    blank.header = (struct vhd_header){
        .table_offset = VHD_TABLE_OFFSET,
        .max_entries = blank.placement.entries,
        .block_size = VHD_BLOCK_DEFAULT,
    };
    return blank;
}

uint64_t vhd_blank_full_length(const struct vhd_blank *blank)
{
    return blank->footer.type == VHD_TYPE_FIXED ? blank->footer.current_size + VHD_FOOTER_SIZE
                                                : blank->placement.full_length;
}

int vhd_blank_write(int fd, const struct vhd_blank *blank)
{
    enum { PIECE = 16384, PIECES_MAX = 256 };
    static_assert(VHD_SIZE_MAX / VHD_BLOCK_DEFAULT * 4 <= (uint64_t)PIECE * PIECES_MAX, "pieces");

    struct vhd_footer_disk footer;
    struct vhd_header_disk header;
    uint8_t ones[PIECE];
    struct iovec iov[PIECES_MAX + 4];
    int count = 0;

    vhd_footer_encode(&blank->footer, &footer);
    vhd_header_encode(&blank->header, &header);
    iov[count++] = (struct iovec){&footer, sizeof footer};
    iov[count++] = (struct iovec){&header, sizeof header};
    /* The table and its padding are all ones, so the list repeats one small piece of ones. */
    size_t left = blank->placement.table_length;
    memset(ones, 0xFF, left < PIECE ? left : PIECE);
    while (left > 0) {
        size_t len = left < PIECE ? left : PIECE;
        iov[count++] = (struct iovec){ones, len};
        left -= len;
    }
    if (blank->locators.length > 0)
        iov[count++] = (struct iovec){(void *)blank->locators.data, blank->locators.length};
    iov[count++] = (struct iovec){&footer, sizeof footer};
    return vhd_io_write(fd, iov, count, 0);
}
