/* SPDX-License-Identifier: MIT */
/*
 * An image file, read and judged: its footer, header and block allocation table, and whether they
 * are sound. Nothing here ever writes to a file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/footer.h"
#include "format/header.h"
#include "image/places.h"

/*
 * The largest disk that opens: as many sectors as 32 bits can number. Other programs exceed the
 * specification's 2040 GiB; XenServer makes up to 2,093,050 MB. No file holds all blocks of the
 * very largest, so a write that finds no place for one fails with EFBIG.
 */
#define VHD_IMAGE_SIZE_MAX (UINT64_C(1) << 41)

/* An image. Values behind the footer are meaningful only where their condition holds. */
struct vhd_image {
    uint64_t length;          /* bytes of the file */
    bool has_footer;          /* footer is valid */
    struct vhd_footer footer; /* the one at the end, or its copy if that is lost */
    uint64_t footer_at;       /* where the one at the end begins; length if that is lost */
    bool has_header;          /* header is valid: dynamic and differencing disks only */
    struct vhd_header header;
    uint32_t blocks;    /* entries that the disk's size needs; with has_header */
    uint32_t allocated; /* allocated blocks; with has_header */
    struct vhd_fault fault;
};

/* The space of an image with a header; valid as long as *image. */
static inline struct vhd_bounds vhd_image_bounds(const struct vhd_image *image)
{
    return (struct vhd_bounds){&image->footer, &image->header, image->footer_at};
}

/* Is it a differencing disk, whose header names a parent? */
static inline bool vhd_image_is_differencing(const struct vhd_image *image)
{
    return image->has_header && image->footer.type == VHD_TYPE_DIFFERENCING;
}

/*
 * Does the image have bitmaps of tapdisk 0.1, where the least significant bit of a byte is its
 * first sector?
 *
 * Source: blktap, vhd/lib/libvhd.c, vhd_bitmap_test().
 */
bool vhd_image_has_old_bitmaps(const struct vhd_image *image);

/*
 * Say why no program may write to an image: VHD_DISABLED, VHD_OLD_BITMAPS, or VHD_SOUND for no
 * reason.
 *
 *   image  read, with a footer
 *
 * Source: blktap opens neither to write, by default: vhd/lib/libvhd.c, vhd_open(), and its tapdisk.
 */
enum vhd_defect vhd_image_read_only_reason(const struct vhd_image *image);

/*
 * Read the footer and, where the type has one, the header of an image, but not the table.
 *
 *   fd  open for reading
 *
 * Returns true when they are sound: ret->fault is VHD_SOUND, VHD_FOOTER_LOST or the result of
 * vhd_image_read_only_reason(). Otherwise ret->fault is the fault found.
 */
bool vhd_image_read(int fd, struct vhd_image *ret);

/*
 * Read an image and judge all of it but the blocks' content.
 *
 *   fd  open for reading
 *
 * Other programs' habits count as sound: a footer of 511 bytes (before Virtual PC 2004), surplus
 * entries in the table, gaps, slack behind the last block. So do a geometry that differs from the
 * size, and an original size that differs from the current one. An image that grows meanwhile is
 * read again.
 *
 * Returns true when the disk can be read: ret->fault is VHD_SOUND, VHD_FOOTER_LOST or the result of
 * vhd_image_read_only_reason(). Otherwise ret->fault is the fault found, with its place.
 */
bool vhd_image_judge(int fd, struct vhd_image *ret);

/*
 * The same, and keep the table.
 *
 *   ret_table  receives ret->blocks entries in host order, which the caller frees; NULL where the
 *              type has no table. Only set when true is returned
 */
bool vhd_image_load(int fd, struct vhd_image *ret, _Atomic uint32_t **ret_table);
