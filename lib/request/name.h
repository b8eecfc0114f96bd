/* SPDX-License-Identifier: MIT */
/*
 * The rules for disk names. A name must work as a file name on Linux and on Windows. Temporary
 * names of editors and copying tools never become disks.
 */
#pragma once

#include <stddef.h>

#include "result/result.h"

/* The ending of an image's file name, in any case. */
#define VHD_ENDING ".vhd"

/* The longest path of an image in UTF-16 units: Windows' MAX_PATH less its NUL. */
#define VHD_PATH_UNITS_MAX 259

/*
 * The length of a name without its ending ".vhd", in any case: 5 for "disk1.VHD".
 *
 * Returns the length of the whole name if it has no such ending.
 */
size_t vhd_name_stem_length(const char *name);

/*
 * Judge the length of an image's path, as CreateDynamicVirtualHardDisk does.
 *
 *   folder  absolute path of the folder; nothing judges its characters but the host
 *   file    name of the file in it, with its ending
 *
 * Returns VHD_OK, or VHD_BUFFER_OVERFLOW if folder/file takes 260 UTF-16 units or more, or the
 * file's name more than 255 bytes.
 *
 * Source: Virtual Server 2005 reference, "IVMVirtualServer::CreateDynamicVirtualHardDisk".
 */
enum vhd_result vhd_name_judge_length(const char *folder, const char *file,
                                      struct vhd_verdict *ret);

/*
 * Judge the name of a disk whose file is NAME.vhd in a folder: its length, then its characters.
 *
 * Returns VHD_OK, or a refusal of vhd_name_judge_length() or vhd_name_judge().
 */
enum vhd_result vhd_name_judge_disk(const char *folder, const char *name, struct vhd_verdict *ret);

/*
 * Judge the characters of a disk's name, which has no ending.
 *
 * Returns VHD_OK, or VHD_INVALID_NAME if the name
 *   - is empty, is not UTF-8, or contains a control byte or one of * ? : < > / | " \
 *   - begins with '.' or '-', or ends in '~', '.' or a blank
 *   - is a device of Windows (NUL, COM1.x, ...)
 *   - ends in .vhd, .vhdx, .avhd, .avhdx, .qcow2, .vmdk, .vdi, .img, .raw or .iso, in any case
 *
 * Source: the same; "Naming Files, Paths, and Namespaces" for endings and devices.
 */
enum vhd_result vhd_name_judge(const char *name, struct vhd_verdict *ret);
