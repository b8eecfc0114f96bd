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
 * Become the owner of a store. An owner that is ending is waited for, 5 s at most: one that has
 * marked the lock, or whose mount is gone from the mount table. Any other is not waited for.
 *
 *   fd, path      the directory, and its name in a sentence
 *   is_read_only  share the store with other owners that only read; without a lock file that can be
 *                 made or opened, go on without a lock
 *   ret_fd        receives the lock file's descriptor, which holds the lock; -1 without a lock
 *
 * The lock file has mode 0600, so that nobody but its owner and root can hold a lock on it.
 *
 * Returns VHD_OK, or
 *   VHD_IN_USE     another vhdfs has the store, or another program holds a lock on the file
 *   VHD_READ_ONLY  the file system is read-only, and is_read_only is false
 *   anything else  as the host answers
 */
enum vhd_result vhd_store_lock(int fd, const char *path, bool is_read_only, int *ret_fd,
                               struct vhd_verdict *ret);

/*
 * Describe the calling process to the next vhdfs: it names the process and the mount point when it
 * is refused, and it waits when the mount is gone. A failure costs only that.
 *
 *   fd            from vhd_store_lock()
 *   mountpoint    absolute path
 *   mount_id      as /proc/self/mountinfo has it; -1 when unknown
 *   is_read_only  write nothing: only the mount is described, by a lock
 */
void vhd_store_lock_describe(int fd, const char *mountpoint, int mount_id, bool is_read_only);

/* Mark the lock: this owner is ending, so the next one waits for it. Safe from any thread. */
void vhd_store_lock_mark_ending(int fd);

/*
 * Take a draft's lock, without waiting. A draft that is locked is at work: a sweep leaves it.
 *
 * Returns 0, -EAGAIN when somebody else has it, or another negative errno of fcntl(2).
 */
int vhd_draft_lock(int fd);
