/* SPDX-License-Identifier: MIT */
/*
 * The old metadata of a repaired image: a file of the store beside it, ".NAME.vhd.before-repair".
 * No disk has such a name. The next repair replaces it, and it goes and moves with its image.
 *
 * The file is the line "vhdfs before-repair LENGTH", with the old length of the image in bytes,
 * then for each stretch that the repair changed the line "AT BYTES" and that many old bytes.
 */
#pragma once

#include "repair/plan.h"
#include "store/store.h"

/*
 * Keep the bytes that a plan changes, durably, in place of those of an earlier repair.
 *
 *   file  the image's file name
 *   fd    the image, open for reading
 *
 * Returns 0; -ENAMETOOLONG when the file's name would be longer than 255 bytes; -ENOMEM; or the
 * negative errno of a call of the host.
 */
int vhd_backup_write(const struct vhd_store *store, const char *file, int fd,
                     const struct vhd_repair_plan *plan);

/* Remove the file of an image, if there is one. The caller syncs the directory. */
void vhd_backup_remove(const struct vhd_store *store, const char *file);

/* Give it the name that belongs to another name of the image. The caller syncs the directory. */
void vhd_backup_rename(const struct vhd_store *store, const char *file, const char *new_file);
