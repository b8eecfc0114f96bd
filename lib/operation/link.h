/* SPDX-License-Identifier: MIT */
/*
 * The link of a differencing disk to its parent: what the child records of it.
 */
#pragma once

#include "disk/disk.h"
#include "format/locator.h"
#include "operation/source.h"

struct vhd_link {
    struct vhd_disk *parent;      /* open for reading: no program writes to it meanwhile */
    unsigned files;               /* of its chain */
    uint32_t timestamp;           /* of its file's last change, seconds since VHD_EPOCH */
    char file[NAME_MAX + 1];      /* its file name */
    struct vhd_locators locators; /* of that file, for a child of the same size */
};

/* A link that has not begun. */
#define VHD_LINK_NONE ((struct vhd_link){.parent = NULL})

/*
 * Begin to link a new child to a disk: open it and its chain, and keep them from changing. The call
 * waits up to a second for a close that is under way.
 *
 *   catalogue  of the store of parent and child
 *   name       the parent, a disk of that store
 *   task       a cancel of it ends the wait; NULL for none
 *
 * Returns VHD_OK and a link, or with a sentence in *ret:
 *   VHD_PARENT_NOT_FOUND  there is no such disk
 *   VHD_CANCELLED         the task was cancelled meanwhile
 *   VHD_IN_USE            it is open for writing, or another program holds a lease on it
 *   VHD_INVALID_ARGUMENT  the child would be the 65th file of a chain, or the parent cannot be
 *                         recorded: it has no identity, or its name is not UTF-8 or
 *                         holds a backslash
 *   VHD_NOT_A_DISK, VHD_PARENT_LOST, VHD_PARENT_IDENTITY, VHD_PARENT_MODIFIED, VHD_CHAIN_ENDLESS
 *                         the parent, or one of its parents, is damaged or missing
 *   VHD_SIZE_TOO_LARGE    it is larger than 2040 GB
 *   another               vhd_result_of_errno() of the host's answer
 *
 * Source: Virtual Server 2005 reference, "CreateDifferencingVirtualHardDisk".
 */
enum vhd_result vhd_link_begin(struct vhd_catalogue *catalogue, const char *name,
                               struct vhd_task *task, struct vhd_link *ret_link,
                               struct vhd_verdict *ret);

/*
 * The same for a child that exists already, which has its own size and place for the locators.
 * Those stay empty here.
 *
 * Returns as vhd_link_begin(), but never VHD_SIZE_TOO_LARGE, and VHD_INVALID_ARGUMENT only for the
 * length of the chain.
 */
enum vhd_result vhd_link_open(struct vhd_catalogue *catalogue, const char *name,
                              struct vhd_task *task, struct vhd_link *ret_link,
                              struct vhd_verdict *ret);

/* Refuse a parent whose name no child can record. Returns VHD_INVALID_ARGUMENT. */
enum vhd_result vhd_link_refuse_name(const char *name, struct vhd_verdict *ret);

/*
 * Link a new child to a disk that is open, under another name of its file. The disk stays the
 * caller's: no vhd_link_end() follows.
 *
 *   file  the file's name, from which the child knows it
 *
 * Returns as vhd_link_begin(): VHD_INVALID_ARGUMENT, VHD_SIZE_TOO_LARGE, or another.
 */
enum vhd_result vhd_link_rename(struct vhd_disk *parent, const char *name, const char *file,
                                struct vhd_link *ret_link, struct vhd_verdict *ret);

/* Record the parent in a child's header: its identity, time and place. */
void vhd_link_record(const struct vhd_link *link, struct vhd_header *header);

/* Release the parent. VHD_LINK_NONE is allowed. */
void vhd_link_end(struct vhd_link *link);
