/* SPDX-License-Identifier: MIT */
/*
 * Parent locators: the forms in which a differencing disk stores the place of its parent, as
 * Windows paths or a URL. Only the file name at the end counts here, because a parent lies in the
 * same store.
 *
 * Sources: VHD specification 1.0, "Parent Locator Entry"; practice of Virtual PC, Hyper-V and
 * blktap for the data space in bytes and the byte order of paths.
 */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "format/header.h"

#define VHD_PLATFORM_W2RU 0x57327275u /* relative Windows path, UTF-16 little-endian */
#define VHD_PLATFORM_W2KU 0x57326B75u /* absolute Windows path, UTF-16 little-endian */
#define VHD_PLATFORM_MACX 0x4D616358u /* file:// URL, UTF-8 */

/* The longest path in bytes. A locator that claims more is not read. */
#define VHD_LOCATOR_MAX 65536u

/*
 * Extract the file name, ending included, from a locator's path or URL.
 *
 *   platform   its code
 *   data, len  the stored path
 *   buf        receives the name, always NUL-terminated, cut at a whole character to fit size;
 *              empty
 *              if the platform is not one of the three above, data is too long, or memory is short
 */
void vhd_locator_file(uint32_t platform, const void *data, size_t len, char *buf, size_t size);

/*
 * Bytes of the file that belong to a locator, at least its data. By the specification, data space
 * is in sectors, in practice in bytes; below 512 it is sectors.
 */
uint64_t vhd_locator_space(const struct vhd_locator *locator);

/* Cut a path down to the part after its last separator, '/' or '\'. */
void vhd_path_to_file(char *path);

/* The most bytes that vhd_locators_encode() lays out: three paths, two sectors each. */
#define VHD_LOCATORS_SPACE (6 * 512u)

/* What a differencing disk records of the place of its parent. */
struct vhd_locators {
    struct vhd_locator entries[VHD_LOCATORS];
    uint16_t parent_name[VHD_NAME_UNITS];
    uint32_t length; /* bytes of data, whole sectors */
    uint8_t data[VHD_LOCATORS_SPACE];
};

/*
 * Encode the place of a parent that lies in the folder of its child: its file name, the relative
 * Windows path ".\\NAME", and the URL "file://./NAME". The absolute Windows path is the relative
 * one too, as blktap writes it: readers refuse an absolute path that is no place on their host.
 *
 *   file  the parent's file name
 *   at    byte offset in the child's file where the data goes
 *
 * Returns 0, or -EILSEQ if the name is not UTF-8, or holds a backslash: a Windows path would lead
 * to another file.
 */
int vhd_locators_encode(const char *file, uint64_t at, struct vhd_locators *ret);
