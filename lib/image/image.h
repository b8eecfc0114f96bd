/*
 * An image file, read and judged: what its footer, header and block allocation table say, and
 * whether that can be believed. Nothing is ever written here, whatever state the file is in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/footer.h"
#include "format/header.h"

/*
 * The largest disk that opens: as many sectors as 32 bits can number. Other programs make larger
 * ones than the specification's 2040 GiB, XenServer up to 2,093,050 MB; a file cannot hold all
 * blocks of the very largest, which the write that finds no place is told (EFBIG).
 */
#define VHD_IMAGE_SIZE_MAX (UINT64_C(1) << 41)

/*
 * Blocks of a disk that opens at most: each costs memory for as long as the disk is open, 64 MiB
 * for so many. A disk of 2 TiB has that many in blocks of 128 KiB; no program makes blocks of less
 * than 512 KiB.
 */
#define VHD_IMAGE_BLOCKS_MAX (UINT32_C(1) << 24)

/* What was found. Values behind footer are meaningful only where their condition holds. */
struct vhd_image {
    uint64_t length;          /* bytes of the file */
    bool has_footer;          /* footer is valid */
    struct vhd_footer footer; /* the one at the end, or its copy where that one is lost */
    uint64_t footer_at;       /* where the one at the end begins; length where it is lost */
    bool has_header;          /* header is valid: dynamic and differencing disks only */
    struct vhd_header header;
    uint32_t blocks;    /* entries of the table that the disk's size needs; with has_header */
    uint32_t allocated; /* of them, those that point at a block; with has_header */
    struct vhd_fault fault;
};

/* Is it a differencing disk, with a header that tells its parent? */
static inline bool vhd_image_is_differencing(const struct vhd_image *image)
{
    return image->has_header && image->footer.type == VHD_TYPE_DIFFERENCING;
}

/*
 * Are the bitmaps of an image those of tapdisk 0.1, where the least significant bit of a byte is
 * its first sector?
 *
 * Source: blktap, vhd/lib/libvhd.c, vhd_bitmap_test().
 */
bool vhd_image_has_old_bitmaps(const struct vhd_image *image);

/*
 * Tell why an image is not to be written to, whoever wants to: VHD_DISABLED, VHD_OLD_BITMAPS, or
 * VHD_SOUND for no reason.
 *
 *   image  read, with a footer
 *
 * Source: blktap opens neither to write, by default: vhd/lib/libvhd.c, vhd_open(), and its tapdisk.
 */
enum vhd_defect vhd_image_read_only_reason(const struct vhd_image *image);

/*
 * Read the footer and, where the type has one, the header of an image; the table is not looked at.
 *
 *   fd  open for reading
 *
 * Returns true when they are sound: ret->fault is VHD_SOUND, VHD_FOOTER_LOST or what
 * vhd_image_read_only_reason() tells. Otherwise ret->fault says what is wrong.
 */
bool vhd_image_read(int fd, struct vhd_image *ret);

/*
 * Read an image and judge all of it but the blocks' content.
 *
 *   fd  open for reading
 *
 * Accepted as sound, for other programs make them: a footer of 511 bytes (before Virtual PC 2004),
 * surplus entries in the table, gaps, slack behind the last block, geometry that differs from the
 * size, an original size that differs from the current one. An image that grows meanwhile is read
 * again.
 *
 * Returns true when the disk can be read: ret->fault is VHD_SOUND, VHD_FOOTER_LOST or what
 * vhd_image_read_only_reason() tells. Otherwise ret->fault says what is wrong and where.
 */
bool vhd_image_judge(int fd, struct vhd_image *ret);

/*
 * The same, and keep the table.
 *
 *   ret_table  receives ret->blocks entries in host order, to be freed; NULL where the type has no
 *              table. Only set when true is returned
 */
bool vhd_image_load(int fd, struct vhd_image *ret, uint32_t **ret_table);
