/* SPDX-License-Identifier: MIT */
/*
 * Records: the latest task of each name. A name has one record at most. The name is at work from a
 * claim on until the task ends.
 *
 * Every function may be called from any thread.
 */
#pragma once

#include <stdbool.h>

#include "task/task.h"
#include "tree/entries.h"

/* The task on record, referenced; or NULL. */
struct vhd_task *fs_record_task(struct fs_entries *entries, struct fs_entry *entry);

/* Is a task of this name at work, or about to be? */
bool fs_record_is_at_work(struct fs_entries *entries, struct fs_entry *entry);

/*
 * Claim a name for a new task, or for a change that must not meet one. Returns false when it is at
 * work, retired or replaced.
 */
bool fs_record_claim(struct fs_entries *entries, struct fs_entry *entry);

/*
 * Find or make the entry of a name and claim it, so that it cannot be retired in between.
 *
 * Returns 0 and the entry, referenced, with a claim to end; -EBUSY when it is at work; or -ENOMEM.
 */
int fs_records_claim(struct fs_entries *entries, const char *name, struct fs_entry **ret);

/*
 * End a claim.
 *
 *   task  put on record, referenced, in place of the former one; NULL leaves that as it is
 */
void fs_record_end_claim(struct fs_entries *entries, struct fs_entry *entry, struct vhd_task *task);

/*
 * Forget the record.
 *
 * Returns 0, -ENOENT when there is none, or -EBUSY when its task is at work.
 */
int fs_record_forget(struct fs_entries *entries, struct fs_entry *entry);

/*
 * Call visit() for each name with a record, the oldest first, until it returns other than 0. It is
 * called under the lock of the table.
 *
 * Returns the result of the last call.
 */
int fs_records_each(struct fs_entries *entries,
                    int (*visit)(void *arg, const struct fs_entry *entry, bool is_at_work),
                    void *arg);
