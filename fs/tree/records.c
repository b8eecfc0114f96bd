/* SPDX-License-Identifier: MIT */
#include "tree/records.h"

#include <errno.h>

#include "base/cleanup.h"
#include "tree/entry_table.h"

struct vhd_task *record_remove(struct fs_entries *entries, struct full_entry *entry)
{
    if (!entry->task)
        return NULL;
    TAILQ_REMOVE(&entries->records, entry, record_link);
    entries->record_count--;
    return TAKE(entry->task);
}

void record_put(struct fs_entries *entries, struct full_entry *entry, struct vhd_task *task)
{
    entry->task = task;
    TAILQ_INSERT_TAIL(&entries->records, entry, record_link);
    entries->record_count++;
}

bool record_is_at_work(const struct full_entry *entry)
{
    return entry->is_claimed || (entry->task && !vhd_task_has_ended(entry->task));
}

/* Forget the oldest records above the limit whose tasks have ended. */
static void trim_history(struct fs_entries *entries)
{
    struct full_entry *entry = TAILQ_FIRST(&entries->records);

    while (entry && entries->record_count > entries->history) {
        struct full_entry *next = TAILQ_NEXT(entry, record_link);
        if (!record_is_at_work(entry)) {
            vhd_task_unref(record_remove(entries, entry));
            entry_free_if_unused(entries, entry);
        }
        entry = next;
    }
}

struct vhd_task *fs_record_task(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    struct full_entry *full = full_entry_of(entry);
    return full->task ? vhd_task_ref(full->task) : NULL;
}

bool fs_record_is_at_work(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    return record_is_at_work(full_entry_of(entry));
}

static bool claim(struct full_entry *entry)
{
    if (!entry->is_current || record_is_at_work(entry))
        return false;
    entry->is_claimed = true;
    return true;
}

bool fs_record_claim(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    return claim(full_entry_of(entry));
}

int fs_records_claim(struct fs_entries *entries, const char *name, struct fs_entry **ret)
{
    HOLD_LOCK(&entries->lock);
    struct full_entry *entry = entry_get(entries, name);
    if (!entry)
        return -ENOMEM;
    if (!claim(entry))
        return -EBUSY;
    entry->refs++;
    *ret = &entry->entry;
    return 0;
}

void fs_record_end_claim(struct fs_entries *entries, struct fs_entry *entry, struct vhd_task *task)
{
    struct vhd_task *former = NULL;

    {
        HOLD_LOCK(&entries->lock);
        struct full_entry *full = full_entry_of(entry);
        full->is_claimed = false;
        if (task) {
            former = record_remove(entries, full);
            record_put(entries, full, vhd_task_ref(task));
            trim_history(entries);
        }
    }
    vhd_task_unref(former);
}

int fs_record_forget(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    struct full_entry *full = full_entry_of(entry);
    if (record_is_at_work(full))
        return -EBUSY;
    if (!full->task)
        return -ENOENT;
    vhd_task_unref(record_remove(entries, full));
    return 0;
}

int fs_records_each(struct fs_entries *entries,
                    int (*visit)(void *arg, const struct fs_entry *entry, bool is_at_work),
                    void *arg)
{
    HOLD_LOCK(&entries->lock);
    struct full_entry *full;
    TAILQ_FOREACH(full, &entries->records, record_link) {
        int result = visit(arg, &full->entry, record_is_at_work(full));
        if (result != 0)
            return result;
    }
    return 0;
}
