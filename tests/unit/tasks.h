/* SPDX-License-Identifier: MIT */
/*
 * Tasks for the records of a table of entries: one that works until the test ends it, one that has
 * ended. A file that includes this has included cmocka.h before.
 */
#pragma once

#include "task/task.h"
#include "tree/records.h"

static inline enum vhd_result task_run(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    (void)arg;
    return vhd_task_commit(task) ? VHD_OK : vhd_verdict_set(ret, VHD_CANCELLED, NULL);
}

static inline void task_drop(void *arg)
{
    (void)arg;
}

/* A queued task, which is at work until vhd_task_run(, NULL, NULL) or vhd_task_cancel(). */
static inline struct vhd_task *task_at_work(uint64_t id)
{
    static const struct vhd_work work = {"test", .run = task_run, .drop = task_drop};
    static int arg;

    struct vhd_task *task = vhd_task_new(id, &work, &arg, "d", "test");
    assert_non_null(task);
    return task;
}

static inline struct vhd_task *task_ended(uint64_t id)
{
    const struct vhd_verdict verdict = {VHD_DISK_FULL, "full"};

    struct vhd_task *task = vhd_task_new_refused(id, "test", "d", "test", &verdict);
    assert_non_null(task);
    return task;
}

static inline uint64_t task_id(struct vhd_task *task)
{
    struct vhd_task_status status;

    vhd_task_status(task, &status);
    return status.id;
}

/* Put a task on record for a name; its reference goes to the table. */
static inline void record(struct fs_entries *entries, const char *name, struct vhd_task *task)
{
    struct fs_entry *entry = NULL;

    assert_int_equal(fs_records_claim(entries, name, &entry), 0);
    fs_record_end_claim(entries, entry, task);
    fs_entry_put(entries, entry);
    vhd_task_unref(task);
}

/* The id of the task on record of an entry; 0 without one. */
static inline uint64_t recorded(struct fs_entries *entries, struct fs_entry *entry)
{
    struct vhd_task *task = fs_record_task(entries, entry);
    const uint64_t id = task ? task_id(task) : 0;

    vhd_task_unref(task);
    return id;
}

/* The same for a name; 0 where it has no entry. */
static inline uint64_t recorded_by(struct fs_entries *entries, const char *name)
{
    struct fs_entry *entry = fs_entries_find(entries, name);
    const uint64_t id = entry ? recorded(entries, entry) : 0;

    fs_entry_put(entries, entry);
    return id;
}
