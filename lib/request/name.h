/*
 * The names that a disk may be given. They must work as file names on Linux and on Windows, and
 * names that editors and copying tools use for their temporary files must never become disks.
 */
#pragma once

#include <stddef.h>

#include "result/result.h"

/* The ending of an image's file name; any case of it is an image's too. */
#define VHD_ENDING ".vhd"

/* The longest path that the method takes, in UTF-16 units: Windows' MAX_PATH less its NUL. */
#define VHD_PATH_UNITS_MAX 259

/*
 * The length of a name without its ending ".vhd", any case: of "disk1.VHD" 5.
 *
 * Returns the length of the whole name when it has no such ending.
 */
size_t vhd_name_stem_length(const char *name);

/*
 * Judge the length of an image's path, as the method would see it.
 *
 *   folder  absolute path of the folder; its characters are the host's affair
 *   file    name of the file in it, with its ending
 *
 * Returns VHD_OK, or VHD_BUFFER_OVERFLOW when folder/file takes 260 UTF-16 units or more, or the
 * file's name more than 255 bytes.
 *
 * Source: Virtual Server 2005 reference, "IVMVirtualServer::CreateDynamicVirtualHardDisk".
 */
enum vhd_result vhd_name_judge_length(const char *folder, const char *file,
                                      struct vhd_verdict *ret);

/*
 * Judge the name of a disk that is to be NAME.vhd in a folder: its length, then its characters.
 *
 * Returns VHD_OK, or the refusals of vhd_name_judge_length() and vhd_name_judge().
 */
enum vhd_result vhd_name_judge_disk(const char *folder, const char *name, struct vhd_verdict *ret);

/*
 * Judge a disk's name (without ending) by its characters.
 *
 * Returns VHD_OK, or VHD_INVALID_NAME: empty, begins with '.' or '-', ends in '~', '.' or a blank,
 * holds one of * ? : < > / | " \ or a control byte, is not UTF-8, is a device of Windows (NUL,
 * COM1.x, ...), or ends as an image's file does (.vhd, .vhdx, .avhd, .avhdx, .qcow2, .vmdk, .vdi,
 * .img, .raw, .iso, in any case): "d.img" would be the file d.img.vhd, and no raw image.
 *
 * Source: the same; "Naming Files, Paths, and Namespaces" for endings and devices.
 */
enum vhd_result vhd_name_judge(const char *name, struct vhd_verdict *ret);
