/*
 * Parent locators: the forms in which a differencing disk stores where its parent lies. Each is a
 * path of Windows or a URL; of any of them only the file's name at the end means something here,
 * since a parent lies in the same store.
 *
 * Source: VHD specification 1.0, "Parent Locator Entry"; that the data space is counted in bytes,
 * and in which byte order the paths are, is what Virtual PC, Hyper-V and blktap do.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define VHD_PLATFORM_W2RU 0x57327275u /* relative Windows path, UTF-16 little-endian */
#define VHD_PLATFORM_W2KU 0x57326B75u /* absolute Windows path, UTF-16 little-endian */
#define VHD_PLATFORM_MACX 0x4D616358u /* file:// URL, UTF-8 */

/* No path is longer than this, in bytes; what claims to be is not read. */
#define VHD_LOCATOR_MAX 65536u

/*
 * The name of the file that a locator's path or URL leads to, with its ending.
 *
 *   platform   its code
 *   data, len  what is stored
 *   buf        receives the name, always NUL-terminated, cut at a whole character to fit size;
 *              empty where the platform is another than those above
 */
void vhd_locator_file(uint32_t platform, const void *data, size_t len, char *buf, size_t size);

/*
 * Cut a path down to what stands behind its last separator, '/' or '\'.
 */
void vhd_path_to_file(char *path);
