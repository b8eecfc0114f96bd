/* SPDX-License-Identifier: MIT */
/*
 * preads IMAGE: read the bytes of a sound dynamic image that a check must read, in their order in
 * the file and without any other work: the table, and the bitmap of each block. The entries ascend.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "format/block.h"
#include "format/footer.h"
#include "format/header.h"

/* Bytes of the table that are read at a time. */
enum { PIECE = 16 << 10 };

static int read_table(int fd, struct be32 *table, uint64_t len, uint64_t at)
{
    int err = 0;

    for (uint64_t done = 0; done < len && err == 0; done += PIECE)
        err = vhd_io_get(fd, (char *)table + done, len - done < PIECE ? len - done : PIECE,
                         at + done);
    return err;
}

static int read_bitmaps(int fd, const struct be32 *table, uint32_t entries, size_t len)
{
    AUTO_FREE void *bitmap = malloc(len);
    int err = bitmap ? 0 : -ENOMEM;

    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    for (uint32_t i = 0; i < entries && err == 0; i++) {
        if (be32_get(table[i]) != VHD_UNALLOCATED)
            err = vhd_io_get(fd, bitmap, len, (uint64_t)be32_get(table[i]) * VHD_SECTOR_SIZE);
    }
    return err;
}

int main(int argc, char **argv)
{
    struct vhd_header_disk header;

    AUTO_CLOSE int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || vhd_io_get(fd, &header, sizeof header, VHD_HEADER_OFFSET) < 0) {
        fputs("usage: preads IMAGE\n", stderr);
        return 2;
    }
    const uint32_t entries = be32_get(header.max_entries);
    const size_t bitmap_length = vhd_block_bitmap_length(be32_get(header.block_size));
    AUTO_FREE struct be32 *table = calloc(entries, sizeof *table);
    int err = table ? 0 : -ENOMEM;
    if (err == 0)
        err = read_table(fd, table, 4 * (uint64_t)entries, be64_get(header.table_offset));
    if (err == 0)
        err = read_bitmaps(fd, table, entries, bitmap_length);
    if (err < 0)
        fprintf(stderr, "%s: %s\n", argv[1], strerrordesc_np(-err));
    return err < 0;
}
