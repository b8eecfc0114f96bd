/*
 * Locks on files of a store: the one that says who owns it, and those on drafts at work. All are
 * locks of the open file description, so they go with the last descriptor, whatever ends the
 * process.
 */
#pragma once

#include <stdbool.h>

#include "result/result.h"

/* The lock file of a store; made once, never removed: who holds it open could lock a ghost. */
#define VHD_LOCK_FILE ".vhdfs-lock"

/*
 * Become the owner of a store.
 *
 *   fd, path      the directory, and how to name it in a sentence
 *   is_read_only  share it with other owners that only read; then a lock file that is missing and
 *                 cannot be made is done without
 *   ret_fd        receives the lock file's descriptor, which holds the lock; -1 when done without
 *
 * Returns VHD_OK, VHD_IN_USE when another owner has it, or what the host answers.
 */
enum vhd_result vhd_store_lock(int fd, const char *path, bool is_read_only, int *ret_fd,
                               struct vhd_verdict *ret);

/*
 * Take a draft's lock, without waiting. A draft that is locked is at work: a sweep leaves it.
 *
 * Returns 0, -EAGAIN when somebody else has it, or another negative errno of fcntl(2).
 */
int vhd_draft_lock(int fd);
