/* SPDX-License-Identifier: MIT */
/*
 * Verbs: what a user does to a finished disk through its file ctl, each as a task.
 */
#pragma once

#include "image/image.h"
#include "verb/verb.h"
#include "task/service.h"

/* Does a verb fit a disk, by its type? *image is as vhd_info_read() gives it. */
bool vhd_verb_fits(enum vhd_verb_kind verb, const struct vhd_image *image);

/*
 * Prepare a verb.
 *
 *   catalogue  of the store, referenced
 *   name       the disk's name
 *
 * Returns NULL when memory is short.
 */
struct vhd_verb *vhd_verb_new(struct vhd_catalogue *catalogue, const char *name,
                              const struct vhd_command *command);

/*
 * Hand a verb to the service.
 *
 *   verb      taken over, also when the call fails
 *   ret_task  as vhd_service_submit()
 *
 * The task ends as VHD_OK when the change is durable. Otherwise the disk is as it was, unless the
 * verb's own header says more. Outcomes of all verbs, in this order:
 *   VHD_CANCELLED
 *   VHD_PATH_NOT_FOUND  there is no such disk
 *   VHD_NOT_A_DISK      it has no footer (not of check and repair)
 *   VHD_WRONG_TYPE      the verb does not fit this type of disk
 *   those of the verb's operation
 *
 * Returns VHD_OK, VHD_SHUTTING_DOWN or VHD_OUT_OF_MEMORY.
 */
enum vhd_result vhd_verb_submit(struct vhd_service *service, struct vhd_verb *verb,
                                struct vhd_task **ret_task, struct vhd_verdict *ret);
