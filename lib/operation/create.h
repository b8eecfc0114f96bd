/* SPDX-License-Identifier: MIT */
/*
 * Making a disk of any type: admission, the writer, and the task that runs them.
 */
#pragma once

#include "request/request.h"
#include "image/catalogue.h"
#include "operation/formatter.h"
#include "task/service.h"

/* A disk that will be made. */
struct vhd_create;

/* The operation of such a task. */
#define VHD_CREATE_OPERATION "create"

/*
 * Prepare a new disk.
 *
 *   catalogue  of the store, referenced
 *   file       the image's file name in the store, already judged
 *   request    as vhd_request_parse() gives it; a null UUID means a random one
 *
 * Returns NULL when memory is short.
 */
struct vhd_create *vhd_create_new(struct vhd_catalogue *catalogue, const char *file,
                                  const struct vhd_request *request);

/*
 * Release a creation. This deletes an unpublished draft, and a folder that was made for the disk
 * and is still empty.
 */
void vhd_create_free(struct vhd_create *create);

/*
 * Set the formatter of a disk with a file system, before the disk is submitted. By default it is
 * vhd_formatter_direct.
 *
 *   formatter  stays the caller's, and lives longer than the creation
 */
void vhd_create_set_formatter(struct vhd_create *create, const struct vhd_formatter *formatter);

/* Give the draft a name although the file system has O_TMPFILE: for tests. */
void vhd_create_name_draft(struct vhd_create *create);

/*
 * Judge the rules that need the host, with the outcomes of vhd_admit_draft(), vhd_link_begin() for
 * a differencing disk or vhd_source_open() for a copy, vhd_admit_length(), then
 * vhd_partition_admit() for a file system, in this order. And:
 *   VHD_INVALID_ARGUMENT  the size is not the parent's, or less than that of the disk to be copied
 *   VHD_FILE_NOT_FOUND    there is no disk to be copied
 *   VHD_SIZE_TOO_SMALL, VHD_SIZE_TOO_LARGE  no size is given, and that disk's is out of range
 *
 * The host may be slow, so the mount, which must not wait, does not call this. The task judges if
 * no caller has done so.
 */
enum vhd_result vhd_create_admit(struct vhd_create *create, struct vhd_verdict *ret);

/*
 * Hand a creation to the service. A fixed disk, a copy of a disk, or one with a file system is long
 * work.
 *
 *   create    taken over, also when the call fails
 *   ret_task  as vhd_service_submit()
 *
 * The task ends as VHD_OK when the whole disk is durable. Otherwise there is no such disk, unless
 * removing it failed, and the outcome is one of these:
 *   those of vhd_create_admit()
 *   VHD_ALREADY_EXISTS  another maker of the name was faster
 *   VHD_DISK_FULL       the host filled up meanwhile
 *   VHD_IN_USE          another program has changed the disk that is copied
 *   those of vhd_partition_make()
 *   VHD_CANCELLED
 *
 * Returns VHD_OK, VHD_SHUTTING_DOWN or VHD_OUT_OF_MEMORY.
 */
enum vhd_result vhd_create_submit(struct vhd_service *service, struct vhd_create *create,
                                  struct vhd_task **ret_task, struct vhd_verdict *ret);

/* Bytes of the longest text of vhd_create_describe(). */
#define VHD_DESCRIPTION_SIZE (2 * NAME_MAX + 80)

/*
 * Describe a creation in one line: Create dynamic virtual hard disk "disk1" (4096 MB), the same
 * with (512 MB, FAT16), or Create differencing virtual hard disk "disk2" on "disk1".
 *
 *   file       the image's file name, or the disk's name
 *   request  its size is 0 where a refused request had none
 */
void vhd_create_describe(const char *file, const struct vhd_request *request,
                         char buf[VHD_DESCRIPTION_SIZE]);
