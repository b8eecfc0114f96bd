/*
 * Deleting a disk.
 */
#pragma once

#include "image/children.h"
#include "store/store.h"

/*
 * Delete a disk, durably.
 *
 *   children  the index of that store
 *   name      the disk's name
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_PATH_NOT_FOUND  there is no such disk
 *   VHD_IN_USE          it is open, or has children, which would be lost with it
 *   VHD_READ_ONLY, VHD_ACCESS_DENIED, VHD_UNEXPECTED  as the host answers
 */
enum vhd_result vhd_delete(const struct vhd_store *store, struct vhd_children *children,
                           const char *name, struct vhd_verdict *ret);
