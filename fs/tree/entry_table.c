/* SPDX-License-Identifier: MIT */
#include "tree/entry_table.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "task/task.h"
#include "tree/open_disk.h"

/* How long a refused unlink counts, in seconds. */
#define REFUSED_UNLINK_SECONDS 5

static int compare_name(const void *a, const void *b)
{
    return strcmp(((const struct full_entry *)a)->name, ((const struct full_entry *)b)->name);
}

static int compare_serial(const void *a, const void *b)
{
    uint32_t first = ((const struct full_entry *)a)->entry.serial;
    uint32_t second = ((const struct full_entry *)b)->entry.serial;
    return (first > second) - (first < second);
}

/* The entry of a search tree's node; NULL for none. */
static struct full_entry *found(void *node)
{
    return node ? *(struct full_entry **)node : NULL;
}

static struct full_entry *find_name(struct fs_entries *entries, const char *name)
{
    const struct full_entry key = {.name = name};
    return found(tfind(&key, &entries->by_name, compare_name));
}

static struct full_entry *find_serial(struct fs_entries *entries, uint32_t serial)
{
    const struct full_entry key = {.entry.serial = serial};
    return found(tfind(&key, &entries->by_serial, compare_serial));
}

struct fs_entries *fs_entries_new(unsigned history)
{
    struct fs_entries *entries = calloc(1, sizeof *entries);
    if (!entries)
        return NULL;
    pthread_mutex_init(&entries->lock, NULL);
    TAILQ_INIT(&entries->records);
    entries->history = history;
    return entries;
}

static void entry_free(void *arg)
{
    struct full_entry *entry = arg;
    for (struct former_name *former = entry->names, *next; former; former = next) {
        next = former->next;
        free(former);
    }
    vhd_task_unref(entry->task);
    fs_disk_free(entry->disk);
    free(entry);
}

void fs_entries_free(struct fs_entries *entries)
{
    if (!entries)
        return;
    while (entries->by_name)
        tdelete(*(struct full_entry **)entries->by_name, &entries->by_name, compare_name);
    tdestroy(entries->by_serial, entry_free);
    pthread_mutex_destroy(&entries->lock);
    free(entries);
}

const char *fs_entry_name(const struct fs_entry *entry)
{
    return ((const struct full_entry *)entry)->name;
}

/*
 * Give an entry a copy of this name. The former names stay in memory until the entry is freed,
 * because fs_entry_name() has given out pointers to them. Returns false when memory is short.
 */
static bool set_name(struct full_entry *entry, const char *name)
{
    size_t size = strlen(name) + 1;
    struct former_name *former = malloc(sizeof *former + size);
    if (!former)
        return false;
    memcpy(former->name, name, size);
    former->next = entry->names;
    entry->names = former;
    entry->name = former->name;
    return true;
}

/* Make the current entry of a name; there must be none. */
static struct full_entry *entry_new(struct fs_entries *entries, const char *name)
{
    struct full_entry *entry = calloc(1, sizeof *entry);
    if (!entry || !set_name(entry, name)) {
        free(entry);
        return NULL;
    }
    do
        entry->entry.serial = ++entries->last_serial;
    while (entry->entry.serial == 0 || find_serial(entries, entry->entry.serial));
    entry->is_current = true;
    if (!tsearch(entry, &entries->by_serial, compare_serial)) {
        entry_free(entry);
        return NULL;
    }
    if (!tsearch(entry, &entries->by_name, compare_name)) {
        tdelete(entry, &entries->by_serial, compare_serial);
        entry_free(entry);
        return NULL;
    }
    return entry;
}

struct full_entry *entry_get(struct fs_entries *entries, const char *name)
{
    struct full_entry *entry = find_name(entries, name);
    return entry ? entry : entry_new(entries, name);
}

void entry_free_if_unused(struct fs_entries *entries, struct full_entry *entry)
{
    if (entry->refs > 0 || entry->lookups > 0 || entry->task || entry->is_claimed)
        return;
    if (entry->is_current)
        tdelete(entry, &entries->by_name, compare_name);
    tdelete(entry, &entries->by_serial, compare_serial);
    entry_free(entry);
}

static struct fs_entry *entry_ref(struct full_entry *entry)
{
    if (!entry)
        return NULL;
    entry->refs++;
    return &entry->entry;
}

struct fs_entry *fs_entries_get(struct fs_entries *entries, const char *name)
{
    HOLD_LOCK(&entries->lock);
    return entry_ref(entry_get(entries, name));
}

struct fs_entry *fs_entries_find(struct fs_entries *entries, const char *name)
{
    HOLD_LOCK(&entries->lock);
    return entry_ref(find_name(entries, name));
}

struct fs_entry *fs_entries_by_serial(struct fs_entries *entries, uint32_t serial)
{
    HOLD_LOCK(&entries->lock);
    return entry_ref(find_serial(entries, serial));
}

struct fs_entry *fs_entry_ref(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    return entry_ref(full_entry_of(entry));
}

void fs_entry_put(struct fs_entries *entries, struct fs_entry *entry)
{
    if (!entry)
        return;
    HOLD_LOCK(&entries->lock);
    full_entry_of(entry)->refs--;
    entry_free_if_unused(entries, full_entry_of(entry));
}

void fs_entry_looked_up(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    full_entry_of(entry)->lookups++;
}

void fs_entries_forgotten(struct fs_entries *entries, uint32_t serial, uint64_t count)
{
    HOLD_LOCK(&entries->lock);
    struct full_entry *entry = find_serial(entries, serial);
    if (!entry)
        return;
    entry->lookups -= count < entry->lookups ? count : entry->lookups;
    entry_free_if_unused(entries, entry);
}

/* Take the name off an entry. A record goes to a new entry of that name. Under the lock. */
static void retire(struct fs_entries *entries, struct full_entry *old)
{
    tdelete(old, &entries->by_name, compare_name);
    old->is_current = false;
    if (!old->task)
        return;
    struct full_entry *new = entry_new(entries, old->name);
    struct vhd_task *task = record_remove(entries, old);
    if (new)
        record_put(entries, new, task);
    else
        vhd_task_unref(task);
}

void fs_entry_retire(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    if (full_entry_of(entry)->is_current)
        retire(entries, full_entry_of(entry));
}

void fs_entry_replace(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    struct full_entry *full = full_entry_of(entry);
    /* A task at work changes the disk itself. */
    if (!full->is_current || record_is_at_work(full))
        return;
    full->is_replaced = true;
    retire(entries, full);
}

bool fs_entry_is_replaced(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    return full_entry_of(entry)->is_replaced;
}

void fs_entry_move(struct fs_entries *entries, struct fs_entry *entry, struct fs_entry *target)
{
    HOLD_LOCK(&entries->lock);
    struct full_entry *full = full_entry_of(entry), *gone = full_entry_of(target);

    if (gone->is_current)
        tdelete(gone, &entries->by_name, compare_name);
    gone->is_current = false;
    vhd_task_unref(record_remove(entries, gone));
    if (full->is_current)
        tdelete(full, &entries->by_name, compare_name);
    /* If memory is short, the entry goes on without a name: its serial still finds it. */
    full->is_current =
        set_name(full, gone->name) && tsearch(full, &entries->by_name, compare_name) != NULL;
}

bool fs_entry_is_retired(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    return !full_entry_of(entry)->is_current && !full_entry_of(entry)->is_replaced;
}

struct fs_disk *fs_entry_disk(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    struct full_entry *full = full_entry_of(entry);
    if (!full->disk)
        full->disk = fs_disk_new();
    return full->disk;
}

struct fs_disk *fs_entry_known_disk(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    return full_entry_of(entry)->disk;
}

/* The argument of a walk of a search tree. */
void fs_entry_request_opened(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    full_entry_of(entry)->open_requests++;
}

void fs_entry_request_closed(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    full_entry_of(entry)->open_requests--;
}

bool fs_entry_has_request(struct fs_entries *entries, struct fs_entry *entry)
{
    HOLD_LOCK(&entries->lock);
    return full_entry_of(entry)->open_requests > 0;
}

void fs_entry_note_refused_unlink(struct fs_entries *entries, struct fs_entry *entry, pid_t pid)
{
    HOLD_LOCK(&entries->lock);
    entries->refused[entries->next_refused++ % REFUSED_UNLINKS] =
        (struct refused_unlink){entry->serial, pid, clock_monotonic().tv_sec};
}

bool fs_entry_was_refused_unlink(struct fs_entries *entries, struct fs_entry *entry, pid_t pid)
{
    HOLD_LOCK(&entries->lock);
    const time_t now = clock_monotonic().tv_sec;
    for (unsigned i = 0; i < REFUSED_UNLINKS; i++) {
        const struct refused_unlink *refused = &entries->refused[i];
        if (refused->serial == entry->serial && refused->pid == pid &&
            now - refused->at < REFUSED_UNLINK_SECONDS)
            return true;
    }
    return false;
}
