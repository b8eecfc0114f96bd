/* SPDX-License-Identifier: MIT */
/*
 * VHD disks for programs: Virtual Server's CreateDynamicVirtualHardDisk,
 * CreateFixedVirtualHardDisk and CreateDifferencingVirtualHardDisk, their tasks and their codes.
 *
 *     struct vhd_service *service;
 *     struct vhd_task *task;
 *     if (vhd_service_new(2, 2, &service) == 0 &&
 *         vhd_create_dynamic(service, "/srv/disks/disk1.vhd", 4096, &task, NULL) == VHD_OK) {
 *         vhd_task_wait(task, -1);
 *         ...
 *
 * The rest of the interface: task/service.h (start and stop), task/task.h (status, wait, cancel)
 * and result/result.h (codes, numbers, sentences). store/store.h (a folder of images),
 * image/catalogue.h (the disks in it) and disk/disk.h (open, read, write, discard, flush) reach the
 * content of any disk.
 */
#pragma once

#include <stdint.h>

#include "result/result.h"
#include "task/service.h"
#include "task/task.h"

/*
 * Make a dynamically growing virtual hard disk.
 *
 *   service     does the work
 *   image_path  absolute path of the file to make, by custom ending in ".vhd". A missing folder is
 *               made if only its last component is missing
 *   size_mb     size in MB (2^20 bytes), 3 to 2,088,960, both allowed
 *   ret_task    receives the task that does the rest; drop it with vhd_task_unref()
 *   ret_why     receives the sentence when the outcome is not VHD_OK; may be NULL
 *
 * The call judges all that it can at once. After VHD_OK the task does the work. It ends as VHD_OK
 * when the whole disk is durable; otherwise it leaves no file. Any thread may call this, except the
 * service's own.
 *
 * Returns the first that applies:
 *   VHD_SHUTTING_DOWN   vhd_service_stop() has been called
 *   VHD_NULL_POINTER    service, image_path or ret_task is NULL
 *   VHD_BAD_PATHNAME    image_path is empty or relative
 *   VHD_BUFFER_OVERFLOW it takes 260 UTF-16 units or more, or the file's name over 255 bytes
 *   VHD_INVALID_NAME    the file's name is not allowed: see request/name.h. Nothing judges the
 *                       characters of the folders but the host
 *   VHD_INVALID_ARGUMENT size_mb is not above 0
 *   VHD_SIZE_TOO_SMALL  it is below 3
 *   VHD_SIZE_TOO_LARGE  it is above 2,088,960
 *   VHD_ALREADY_EXISTS  a file of this name exists
 *   VHD_PATH_NOT_FOUND  the folder cannot be made or reached
 *   VHD_ACCESS_DENIED, VHD_READ_ONLY  no file can be made there
 *   VHD_FILE_TOO_LARGE  fully grown it would be longer than the file system or RLIMIT_FSIZE allow
 *   VHD_DISK_FULL       less than 8 MB is free there
 *   VHD_OUT_OF_MEMORY
 *   another             vhd_result_of_errno() of the host's answer, often VHD_UNEXPECTED
 *
 * Source: Virtual Server 2005 reference, "IVMVirtualServer::CreateDynamicVirtualHardDisk"; the
 * order of the checks is ours.
 */
enum vhd_result vhd_create_dynamic(struct vhd_service *service, const char *image_path,
                                   int64_t size_mb, struct vhd_task **ret_task,
                                   struct vhd_verdict *ret_why);

/*
 * Make a virtual hard disk of a fixed size, which takes all its space at once.
 *
 * Arguments and outcomes are those of vhd_create_dynamic(), but VHD_DISK_FULL means that the whole
 * size does not fit. The task moves its progress, and a cancel takes effect within a second.
 *
 * Source: Virtual Server 2005 reference, "IVMVirtualServer::CreateFixedVirtualHardDisk".
 */
enum vhd_result vhd_create_fixed(struct vhd_service *service, const char *image_path,
                                 int64_t size_mb, struct vhd_task **ret_task,
                                 struct vhd_verdict *ret_why);

/*
 * Make a differencing virtual hard disk, which holds its differences from a parent of the same
 * size.
 *
 *   parent_path  path of the parent's file, a disk in the folder of image_path
 *
 * One of the two paths may be relative. It is then taken as relative to the folder of the other.
 * The other arguments, and all outcomes but those of the size, are those of vhd_create_dynamic().
 * VHD_NULL_POINTER and the codes of paths apply to both paths. And, behind VHD_READ_ONLY:
 *   VHD_INVALID_ARGUMENT  the parent lies in another folder
 *   those of vhd_link_begin() (operation/link.h), such as VHD_PARENT_NOT_FOUND or VHD_IN_USE
 *
 * The call reads the parent, so it may wait up to a second for a close that is under way.
 *
 * Source: Virtual Server 2005 reference, "IVMVirtualServer::CreateDifferencingVirtualHardDisk".
 */
enum vhd_result vhd_create_differencing(struct vhd_service *service, const char *image_path,
                                        const char *parent_path, struct vhd_task **ret_task,
                                        struct vhd_verdict *ret_why);
