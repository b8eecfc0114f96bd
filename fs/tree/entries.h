/* SPDX-License-Identifier: MIT */
/*
 * Entries: one for each NAME in use. The kernel's lookups, open files, a record or a claim keep it;
 * then it is freed. So memory follows the names in use, not the size of the store.
 *
 * Every function may be called from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fs_disk;
struct fs_entries;

struct fs_entry {
    uint32_t serial; /* constant */
};

/*
 * The NAME. It changes when its disk is renamed. A name once returned stays valid as long as the
 * entry is referenced.
 */
const char *fs_entry_name(const struct fs_entry *entry);

/*
 * Make an empty table.
 *
 *   history  records to keep, 1 or more; tasks at work stay beyond it
 *
 * Returns NULL when memory is short.
 */
struct fs_entries *fs_entries_new(unsigned history);

/* Release a table; NULL is allowed. */
void fs_entries_free(struct fs_entries *entries);

/*
 * Find an entry by its name or serial, and reference it until fs_entry_put(). fs_entries_get()
 * makes it if there is none. Returns NULL when there is none, or (get) memory is short.
 */
struct fs_entry *fs_entries_get(struct fs_entries *entries, const char *name);
struct fs_entry *fs_entries_find(struct fs_entries *entries, const char *name);
struct fs_entry *fs_entries_by_serial(struct fs_entries *entries, uint32_t serial);

/* Take one more reference. Returns entry. */
struct fs_entry *fs_entry_ref(struct fs_entries *entries, struct fs_entry *entry);

/* Drop a reference; NULL is allowed. */
void fs_entry_put(struct fs_entries *entries, struct fs_entry *entry);

/* Count a lookup of the kernel; and take off as many as the kernel forgets. */
void fs_entry_looked_up(struct fs_entries *entries, struct fs_entry *entry);
void fs_entries_forgotten(struct fs_entries *entries, uint32_t serial, uint64_t count);

/*
 * The disk of this name was deleted. The kernel's nodes of the entry stay with it. A later lookup
 * of the name gives a new entry, with the same record and a new serial.
 */
void fs_entry_retire(struct fs_entries *entries, struct fs_entry *entry);

/*
 * The disk of this name was renamed. The entry, with the kernel's nodes, its files and its record,
 * takes the name of another entry, which is retired and loses its record. The caller has claimed
 * both, and the claims stay.
 */
void fs_entry_move(struct fs_entries *entries, struct fs_entry *entry, struct fs_entry *target);

/* Is it retired? Then the name leads to another entry, or to none. */
bool fs_entry_is_retired(struct fs_entries *entries, struct fs_entry *entry);

/*
 * Another program replaced the image of this disk, which is open. The open files keep the entry
 * with the kernel's nodes. The name gets a new entry, with the same record and a new serial.
 * Without effect while a task of the name is at work.
 */
void fs_entry_replace(struct fs_entries *entries, struct fs_entry *entry);
bool fs_entry_is_replaced(struct fs_entries *entries, struct fs_entry *entry);

/*
 * The disk of this name (open_disk.h), made at the first call; it lasts as long as the entry.
 * Returns NULL when memory is short.
 */
struct fs_disk *fs_entry_disk(struct fs_entries *entries, struct fs_entry *entry);

/* The same disk if a call has made it, else NULL. */
struct fs_disk *fs_entry_known_disk(struct fs_entries *entries, struct fs_entry *entry);

/* Count the files that are open for a request. While there is one, new/ has the name. */
void fs_entry_request_opened(struct fs_entries *entries, struct fs_entry *entry);
void fs_entry_request_closed(struct fs_entries *entries, struct fs_entry *entry);
bool fs_entry_has_request(struct fs_entries *entries, struct fs_entry *entry);

/*
 * Note that a process may not remove a file inside a disk: "find -delete" tries that before it
 * removes the folder. The note counts for five seconds.
 */
void fs_entry_note_refused_unlink(struct fs_entries *entries, struct fs_entry *entry, pid_t pid);
bool fs_entry_was_refused_unlink(struct fs_entries *entries, struct fs_entry *entry, pid_t pid);
