/* SPDX-License-Identifier: MIT */
/*
 * The inside of the table of entries. Only entry_table.c and records.c include it; entries.h and
 * records.h are the public headers.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "tree/entries.h"

/* A name that an entry has or had: a thread may still read it. */
struct former_name {
    struct former_name *next;
    char name[];
};

/* An unlink inside a disk that was refused to a process. */
struct refused_unlink {
    uint32_t serial;
    pid_t pid;
    time_t at; /* seconds of the monotonic clock */
};

/* Refused unlinks to remember; few programs remove disks at the same time. */
enum { REFUSED_UNLINKS = 64 };

TAILQ_HEAD(record_list, full_entry);

/* An entry with all members. The table's lock guards those that are not constant. */
struct full_entry {
    struct fs_entry entry;     /* first, so that pointers to both convert */
    const char *_Atomic name;  /* read without the lock */
    struct former_name *names; /* this one and those before it */
    bool is_current;           /* the name leads here; else it is retired or replaced */
    bool is_replaced;          /* by another image of the same name */

    /* the entry stays while one of these is set */
    unsigned refs;
    uint64_t lookups; /* of the kernel, not forgotten yet */

    bool is_claimed;
    struct vhd_task *task; /* the record; NULL without one */
    TAILQ_ENTRY(full_entry) record_link;

    unsigned open_requests;
    struct fs_disk *disk; /* NULL until it is asked for */
};

struct fs_entries {
    pthread_mutex_t lock;
    void *by_name;   /* trees of <search.h>; the current entries only */
    void *by_serial; /* all */
    uint32_t last_serial;
    struct record_list records; /* the oldest first */
    unsigned record_count;
    unsigned history;                               /* constant */
    struct refused_unlink refused[REFUSED_UNLINKS]; /* a ring */
    unsigned next_refused;
};

/* All members of an entry. */
static inline struct full_entry *full_entry_of(struct fs_entry *entry)
{
    return (struct full_entry *)entry;
}

/* All of these are called under the table's lock. */

/* The current entry of a name, made if there is none; NULL when memory is short. */
struct full_entry *entry_get(struct fs_entries *entries, const char *name);

/* Free an entry that nothing keeps. */
void entry_free_if_unused(struct fs_entries *entries, struct full_entry *entry);

/* Remove the record of an entry. Returns its task, whose reference is the caller's; or NULL. */
struct vhd_task *record_remove(struct fs_entries *entries, struct full_entry *entry);

/* Put a task on record, and take over its reference. The entry must not have a record. */
void record_put(struct fs_entries *entries, struct full_entry *entry, struct vhd_task *task);

/* Is a task of the entry at work, or is the entry claimed? */
bool record_is_at_work(const struct full_entry *entry);
