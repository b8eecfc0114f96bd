/* SPDX-License-Identifier: MIT */
#include "format/table.h"

#include "base/io.h"

int vhd_table_write_entry(int fd, const struct vhd_header *header, uint32_t block, uint32_t sector)
{
    const struct be32 entry = be32_of(sector);
    return vhd_io_put(fd, &entry, sizeof entry, vhd_table_entry_offset(header, block));
}
