/*
 * The names in use: one entry for each NAME that the kernel has looked up, that a file is open of,
 * or whose task is remembered. An entry goes when none of that holds any more, so memory follows
 * what is in use and not what the store holds.
 *
 * Every function may be called from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "task/task.h"

struct fs_disk;
struct fs_names;

struct fs_name {
    uint32_t serial; /* constant */
};

/*
 * The NAME. It changes when its disk is renamed; a text once returned stays valid as long as the
 * entry is referenced.
 */
const char *fs_name_text(const struct fs_name *name);

/*
 * Make an empty table.
 *
 *   history  ended tasks remembered at most, 1 or more
 *
 * Returns NULL when memory is short.
 */
struct fs_names *fs_names_new(unsigned history);

void fs_names_free(struct fs_names *names);

/*
 * References. All of these return an entry to be dropped with fs_name_put(), or NULL: get when
 * memory is short, the others when there is none.
 */
struct fs_name *fs_names_get(struct fs_names *names, const char *text);
struct fs_name *fs_names_find(struct fs_names *names, const char *text);
struct fs_name *fs_names_by_serial(struct fs_names *names, uint32_t serial);
struct fs_name *fs_name_ref(struct fs_names *names, struct fs_name *name);
void fs_name_put(struct fs_names *names, struct fs_name *name);

/* The kernel has been told of a node of this name, and: it has forgotten count such tellings. */
void fs_name_looked_up(struct fs_names *names, struct fs_name *name);
void fs_names_forgotten(struct fs_names *names, uint32_t serial, uint64_t count);

/*
 * The disk of this name is gone. The kernel's nodes of the entry stay with it; whoever asks for the
 * name from now on gets a new entry, with the same record and a new serial.
 */
void fs_name_retire(struct fs_names *names, struct fs_name *name);

/*
 * The disk of this name has been renamed: the entry, with the kernel's nodes, its files and its
 * record, goes on under the name of another entry, which is retired and loses its record. Both are
 * claimed by the caller, and stay so.
 */
void fs_name_move(struct fs_names *names, struct fs_name *name, struct fs_name *target);

/* Has its disk been deleted? Then the name leads to another by now, or to none. */
bool fs_name_is_retired(struct fs_names *names, struct fs_name *name);

/*
 * Another program has put another image in the place of this disk's, which is open. The kernel's
 * nodes of the entry stay with the files that are open of it. The name gets a new entry, with the
 * same record and a new serial.
 */
void fs_name_replace(struct fs_names *names, struct fs_name *name);
bool fs_name_is_replaced(struct fs_names *names, struct fs_name *name);

/*
 * The use of the disk of this name (open_disk.h), made at the first call; it lasts as long as the
 * entry. NULL when memory is short.
 */
struct fs_disk *fs_name_disk(struct fs_names *names, struct fs_name *name);

/* The same where it was made already, else NULL. */
struct fs_disk *fs_name_known_disk(struct fs_names *names, struct fs_name *name);

/* Call visit() for each name whose disk has been looked at, under the names' lock. */
void fs_names_each_disk(struct fs_names *names,
                        void (*visit)(void *arg, const struct fs_name *name, struct fs_disk *disk),
                        void *arg);

/*
 * Records. A name has at most one: its latest task. It is at work from fs_name_claim() on until
 * that task has ended.
 */

/* The task on record, referenced; or NULL. */
struct vhd_task *fs_name_task(struct fs_names *names, struct fs_name *name);

/* Is a task of this name at work, or about to be? */
bool fs_name_is_at_work(struct fs_names *names, struct fs_name *name);

/*
 * Claim the name for a new task, or for what must not meet one. Returns false when it is at work,
 * or retired.
 */
bool fs_name_claim(struct fs_names *names, struct fs_name *name);

/*
 * Find or make the entry of a NAME and claim it, so that it cannot be retired in between.
 *
 * Returns 0 and the entry, to be settled and dropped; -EBUSY when it is at work; or -ENOMEM.
 */
int fs_names_claim(struct fs_names *names, const char *text, struct fs_name **ret);

/* End a claim: put task, referenced, on record in place of the former; NULL leaves that as it is.
 */
void fs_name_settle(struct fs_names *names, struct fs_name *name, struct vhd_task *task);

/*
 * Forget the record.
 *
 * Returns 0, -ENOENT when there is none, or -EBUSY when its task is at work.
 */
int fs_name_forget_record(struct fs_names *names, struct fs_name *name);

/*
 * Call visit() for each name with a record, the oldest first, until it returns other than 0. It is
 * called under the names' lock.
 *
 * Returns what the last call returned.
 */
int fs_names_each_record(struct fs_names *names,
                         int (*visit)(void *arg, const struct fs_name *name, bool is_at_work),
                         void *arg);

/*
 * Files open for a request. While there is one, the name can be looked up in new/.
 */
void fs_name_request_opened(struct fs_names *names, struct fs_name *name);
void fs_name_request_closed(struct fs_names *names, struct fs_name *name);
bool fs_name_has_request(struct fs_names *names, struct fs_name *name);

/*
 * Processes that were refused to remove a file inside a disk, as "find -delete" is before it goes
 * on to remove the folder: they are noted, and asked for when a folder is to go.
 */
void fs_name_note_refused_unlink(struct fs_names *names, struct fs_name *name, pid_t pid);
bool fs_name_was_refused_unlink(struct fs_names *names, struct fs_name *name, pid_t pid);
