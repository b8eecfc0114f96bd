/* SPDX-License-Identifier: MIT */
/*
 * Admission: the rules for a new disk that need the host, in their order. An admitted disk has a
 * draft in the store. So permission, read-only media and the longest file are tried, not guessed.
 */
#pragma once

#include "store/draft.h"

/* Free space that each new disk needs, even a small one: 8 MB. */
#define VHD_FREE_MIN (UINT64_C(8) << 20)

/*
 * Refuse a new disk, or a new name, because a file of the store has that name. Returns
 * VHD_ALREADY_EXISTS.
 */
enum vhd_result vhd_admit_refuse_existing(const struct vhd_store *store, const char *file,
                                          struct vhd_verdict *ret);

/*
 * Begin a new disk: its name is free, and a draft can be made.
 *
 *   file       the image's file name in the store
 *   is_named   as vhd_draft_begin()
 *   ret_draft  receives a draft, which the caller ends
 *
 * Returns VHD_OK, or with a sentence in *ret, the first that applies:
 *   VHD_ALREADY_EXISTS  a file of this name exists
 *   VHD_PATH_NOT_FOUND  the folder is gone
 *   VHD_ACCESS_DENIED, VHD_READ_ONLY  no file can be made in it
 *   another             vhd_result_of_errno() of the host's answer
 *
 * Source: Virtual Server 2005 reference, "IVMVirtualServer::CreateDynamicVirtualHardDisk".
 */
enum vhd_result vhd_admit_draft(const struct vhd_store *store, const char *file, bool is_named,
                                struct vhd_draft *ret_draft, struct vhd_verdict *ret);

/*
 * Judge whether the host can hold a file of a length.
 *
 *   fd           the file, or one beside it; its offset changes
 *   full_length  bytes of the file when every block is allocated
 *
 * Returns VHD_OK; or VHD_FILE_TOO_LARGE with a sentence in *ret, above the limit of the file system
 * or RLIMIT_FSIZE.
 */
enum vhd_result vhd_admit_file_length(const struct vhd_store *store, int fd, uint64_t full_length,
                                      struct vhd_verdict *ret);

/*
 * Judge whether the host can hold a new disk.
 *
 *   draft        of the disk, still empty
 *   full_length  bytes of the file when every block is allocated
 *   is_fixed     the file takes its full length at once
 *
 * Returns VHD_OK, or with a sentence in *ret, the first that applies:
 *   VHD_FILE_TOO_LARGE  full_length is above the limit of the file system, or RLIMIT_FSIZE
 *   VHD_DISK_FULL       less than VHD_FREE_MIN is free, or less than full_length (is_fixed)
 *   another             vhd_result_of_errno() of the host's answer
 *
 * Source: the same.
 */
enum vhd_result vhd_admit_length(const struct vhd_store *store, const struct vhd_draft *draft,
                                 uint64_t full_length, bool is_fixed, struct vhd_verdict *ret);
