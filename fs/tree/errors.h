/* SPDX-License-Identifier: MIT */
/*
 * The last refusals. Some shells say "I/O error" for every errno, or nothing at all.
 */
#pragma once

#include "result/result.h"
#include "tree/text.h"

struct fs_errors;

/* Size of a path of the tree: a name in a folder of a name in a folder. */
#define FS_ERRORS_WHERE 600

/* Make an empty list. Returns NULL when memory is short. */
struct fs_errors *fs_errors_new(void);

/* Release a list; NULL is allowed. */
void fs_errors_free(struct fs_errors *errors);

/*
 * Add a refusal; of more than sixteen, the oldest goes.
 *
 *   where  path in the tree: "new/disk1"; cut at FS_ERRORS_WHERE
 */
void fs_errors_add(struct fs_errors *errors, const char *where, const struct vhd_verdict *verdict);

/* Drop all. */
void fs_errors_clear(struct fs_errors *errors);

/*
 * Print them, the oldest first, a line each: TIME WHERE ERRNO RESULT sentence.
 *
 * Returns the time of the last addition or clearing; zero when there was none.
 */
struct timespec fs_errors_show(struct fs_errors *errors, FILE *out);
