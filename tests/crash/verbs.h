/* SPDX-License-Identifier: MIT */
/*
 * Verbs that the maker has done to a disk: a snapshot, and another parent. The disk is there
 * before, and each cut leaves it as before or as after the verb.
 */
#pragma once

#include <stdbool.h>

#include "maker.h"

/* The second parent of the disk that is rebased: a copy of the first one. */
#define OTHER_FILE "other.vhd"

/* Put the disk, and its parents, into the folder. All are durable afterwards. */
void verb_prepare(const struct maker *maker);

/*
 * Judge the disk by the library's reader: it is as before or as after the verb, and its content is
 * that of the parent, which is unchanged.
 *
 * Returns NULL, and in *ret_is_done whether the verb is done; or a sentence about the fault.
 */
const char *verb_judge(const struct maker *maker, bool *ret_is_done);

/* Judge the folder after the sweep, and the disk after an opening for writing. */
const char *verb_judge_rest(const struct maker *maker, bool is_done);
