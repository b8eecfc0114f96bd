/* SPDX-License-Identifier: MIT */
/*
 * The remains of a store after a cut: the whole disk or none, and nothing else after the next
 * owner's sweep but the unchanged parent of a differencing disk. After a verb: the disk as before
 * or after it.
 */
#pragma once

#include <stdbool.h>

#include "maker.h"

/*
 * Read the image that the maker has made, and judge its type, size and parent. Fields that differ
 * between disks, UUID and time, are zero in *ret.
 *
 * Returns NULL, or a sentence about the fault. The caller frees ret->bytes.
 */
const char *image_read(const struct maker *maker, struct image *ret);

/*
 * Judge the remains of a run, and open the store as its owner, which sweeps it.
 *
 *   whole     the image of a disk that was made without a cut
 *   is_told   the child process reported success, so the disk must be there
 *
 * Returns NULL, with the presence of the disk in *ret_is_there, or a sentence about the fault.
 */
const char *remains_judge(const struct maker *maker, const struct image *whole, bool is_told,
                          bool *ret_is_there);

/* Remove the folder and its files; it may be missing. */
void remains_remove(const char *folder);
