/*
 * Making a dynamic disk: admission, the writer, and the task that runs them.
 */
#pragma once

#include "request/request.h"
#include "store/store.h"
#include "task/service.h"

/* A disk to be made. */
struct vhd_create;

/* What the task's operation is called. */
#define VHD_CREATE_OPERATION "create"

/*
 * Prepare to make a disk.
 *
 *   store    referenced
 *   file     the image's file name in the store, judged already
 *   request  size, and identity or a null UUID for a random one
 *
 * Returns NULL when memory is short.
 */
struct vhd_create *vhd_create_new(struct vhd_store *store, const char *file,
                                  const struct vhd_request *request);

/* Release a creation; what was begun and not published is gone, a folder made for it too. */
void vhd_create_free(struct vhd_create *create);

/* Have the draft carry a name although the file system could do without: for tests. */
void vhd_create_name_draft(struct vhd_create *create);

/*
 * Judge what only the host can, as vhd_admit_new() says. It may wait for the host; so a caller
 * that must not (the mount) leaves it to the task, which begins with it unless it has been done.
 */
enum vhd_result vhd_create_admit(struct vhd_create *create, struct vhd_verdict *ret);

/*
 * Hand a creation to the service.
 *
 *   create    taken over, also when the call fails
 *   ret_task  as vhd_service_submit()
 *
 * The task ends as VHD_OK when the disk is there, whole and durable; otherwise nothing is there:
 * with the outcomes of vhd_admit_new(), VHD_ALREADY_EXISTS too when another maker of the name was
 * faster, VHD_DISK_FULL when the host filled up meanwhile, or VHD_CANCELLED.
 *
 * Returns VHD_OK, VHD_SHUTTING_DOWN or VHD_OUT_OF_MEMORY.
 */
enum vhd_result vhd_create_submit(struct vhd_service *service, struct vhd_create *create,
                                  struct vhd_task **ret_task, struct vhd_verdict *ret);

/* Room for any description that vhd_create_describe() writes. */
#define VHD_DESCRIPTION_SIZE (NAME_MAX + 80)

/*
 * One line on what is to be done: Create dynamic virtual hard disk "disk1" (4096 MB).
 *
 *   file  the image's file name, or the disk's name
 *   size  bytes; 0 where it is not known, for a request that was refused
 */
void vhd_create_describe(const char *file, uint64_t size, char buf[VHD_DESCRIPTION_SIZE]);
