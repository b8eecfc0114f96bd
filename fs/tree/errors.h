/*
 * The last refusals, for those whose shell says "I/O error" to every errno, or nothing at all.
 */
#pragma once

#include "result/result.h"
#include "tree/text.h"

struct fs_errors;

/* Room for a path of the tree: a name in a folder of a name in a folder. */
#define FS_ERRORS_WHERE 600

/* Returns NULL when memory is short. */
struct fs_errors *fs_errors_new(void);

void fs_errors_free(struct fs_errors *errors);

/*
 * Add a refusal; the sixteenth before it is dropped.
 *
 *   where  path in the tree: "new/disk1"; cut where it is longer than any is
 */
void fs_errors_add(struct fs_errors *errors, const char *where, const struct vhd_verdict *verdict);

/* Drop all. */
void fs_errors_clear(struct fs_errors *errors);

/*
 * Print them, the oldest first, a line each: TIME WHERE ERRNO RESULT sentence.
 *
 * Returns when one was last added, or they were cleared; zero when neither has happened.
 */
struct timespec fs_errors_show(struct fs_errors *errors, FILE *out);
