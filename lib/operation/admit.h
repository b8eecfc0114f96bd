/*
 * Admission: the rules for a new disk that only the host can judge, in their order. What passes
 * holds a draft on the store's file system, so that permission, read-only media and the longest
 * file are not guessed but tried.
 */
#pragma once

#include "store/draft.h"

/* Free space below which no disk is made, however small: 8 MB. */
#define VHD_FREE_MIN (UINT64_C(8) << 20)

/* Refuse a new disk or a new name because a file of the store has it: VHD_ALREADY_EXISTS. */
enum vhd_result vhd_admit_refuse_existing(const struct vhd_store *store, const char *file,
                                          struct vhd_verdict *ret);

/*
 * Admit a new disk.
 *
 *   file         the image's file name in the store
 *   full_length  bytes of the file once every block is allocated
 *   is_named     as vhd_draft_begin()
 *   ret_draft    receives a draft, to be ended by the caller
 *
 * Returns VHD_OK, or with a sentence in *ret, the first that applies:
 *   VHD_ALREADY_EXISTS  there is such a file
 *   VHD_PATH_NOT_FOUND  the folder is gone
 *   VHD_ACCESS_DENIED, VHD_READ_ONLY  no file can be made in it
 *   VHD_FILE_TOO_LARGE  full_length is above what the file system, or RLIMIT_FSIZE, allows
 *   VHD_DISK_FULL       less than VHD_FREE_MIN is free
 *   VHD_UNEXPECTED      as the host answers
 *
 * Source: Virtual Server 2005 reference, "IVMVirtualServer::CreateDynamicVirtualHardDisk".
 */
enum vhd_result vhd_admit_new(const struct vhd_store *store, const char *file, uint64_t full_length,
                              bool is_named, struct vhd_draft *ret_draft, struct vhd_verdict *ret);
