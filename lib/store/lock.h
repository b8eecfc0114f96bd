/* SPDX-License-Identifier: MIT */
/*
 * Locks on files of a store: its owner's, and those of drafts in use. All belong to the open file
 * description, so they end with the last descriptor, even after kill -9.
 */
#pragma once

#include <stdbool.h>

#include "result/result.h"

/*
 * The lock file of a store. It is never removed: otherwise a process could keep a lock on the
 * removed one.
 */
#define VHD_LOCK_FILE ".vhdfs-lock"

/*
 * Become the owner of a store. The call waits up to 5 s for an owner that is ending. Such an owner
 * has marked the lock, or its mount is gone from the mount table. The call does not wait for
 * others.
 *
 *   fd, path      the directory, and its name in a sentence
 *   is_read_only  share the store with other owners that only read; go on without a lock if the
 *                 lock
 *                 file cannot be made or opened
 *   ret_fd        receives the lock file's descriptor, which holds the lock; -1 without a lock
 *
 * The lock file has mode 0600, so that only its owner and root can hold a lock on it.
 *
 * Returns VHD_OK, or
 *   VHD_IN_USE     another vhdfs has the store, or another program holds a lock on the file
 *   VHD_READ_ONLY  the file system is read-only, and is_read_only is false
 *   another        vhd_result_of_errno() of the host's answer
 */
enum vhd_result vhd_store_lock(int fd, const char *path, bool is_read_only, int *ret_fd,
                               struct vhd_verdict *ret);

/*
 * Describe the calling process for the next vhdfs. That one names our process and mount point when
 * it refuses to start, and waits if our mount is gone. Failures are ignored.
 *
 *   fd            from vhd_store_lock()
 *   mountpoint    absolute path
 *   mount_id      as in /proc/self/mountinfo; -1 when unknown
 *   is_read_only  write nothing; only a lock describes the mount
 */
void vhd_store_lock_describe(int fd, const char *mountpoint, int mount_id, bool is_read_only);

/* Mark the lock: this owner is ending, so the next one waits. Any thread may call this. */
void vhd_store_lock_mark_ending(int fd);

/*
 * Lock a draft, without waiting. A sweep leaves a locked draft.
 *
 * Returns 0, -EAGAIN if another process has the lock, or another negative errno of fcntl(2).
 */
int vhd_draft_lock(int fd);
