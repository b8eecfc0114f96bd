/*
 * Renaming a disk.
 */
#pragma once

#include "image/children.h"
#include "store/store.h"

/*
 * Give a disk another name, durably. Never in place of another disk.
 *
 *   children  the index of that store
 *   name      the disk's name
 *   new_name  the name that it is to have, judged here
 *
 * Returns VHD_OK, or with a sentence in *ret, the first that applies:
 *   VHD_BUFFER_OVERFLOW, VHD_INVALID_NAME  new_name, as request/name.h says
 *   VHD_PATH_NOT_FOUND  there is no disk of the old name
 *   VHD_ALREADY_EXISTS  there is one of the new name
 *   VHD_IN_USE          it is open, or has children, which know it by its name
 *   VHD_READ_ONLY, VHD_ACCESS_DENIED, VHD_UNEXPECTED  as the host answers
 */
enum vhd_result vhd_rename(const struct vhd_store *store, struct vhd_children *children,
                           const char *name, const char *new_name, struct vhd_verdict *ret);
