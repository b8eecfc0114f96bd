/* SPDX-License-Identifier: MIT */
#include "format/batmap.h"

#include <string.h>

#include "format/footer.h"

bool vhd_batmap_decode(const struct vhd_batmap_disk *disk, uint64_t *ret_offset,
                       uint64_t *ret_length)
{
    if (memcmp(disk->cookie, "tdbatmap", sizeof disk->cookie) != 0)
        return false;
    *ret_offset = be64_get(disk->offset);
    *ret_length = (uint64_t)be32_get(disk->sectors) * VHD_SECTOR_SIZE;
    return true;
}
