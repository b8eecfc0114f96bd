/*
 * A user at play with one disk: each operation goes through the library and into the log. What
 * comes out otherwise than promised is a fault, and the first one is remembered.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "plan.h"
#include "recorder.h"

struct play {
    /* set by the test */
    struct vhd_store *store;
    struct vhd_children *children;
    const char *name; /* of the disk; its image is NAME.vhd */
    const struct plan *plan;
    struct log *log;
    bool may_fail; /* the host will fail: operations may, too */

    struct vhd_disk *disk; /* NULL while it is not open */
    bool has_failed_flush; /* and so must all that follows */
    bool has_denied;       /* an operation has failed, as it may */
    char fault[2000];      /* empty: none so far */
};

/* Remember a fault. */
void play_fault(struct play *play, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Open the disk, for writing unless is_for_reading, and observe what it holds: that must be what
 * was answered for. Returns false when it is not open.
 */
bool play_open(struct play *play, bool is_for_reading);

/* Read the disk, which nobody writes to meanwhile; what it holds is what it has to hold from now.
 */
void play_observe(struct play *play);

/* Write fresh values, or zeros, or one and the same value. Sectors. */
void play_write(struct play *play, uint32_t first, uint32_t count);
void play_write_zeros(struct play *play, uint32_t first, uint32_t count);
void play_write_value(struct play *play, uint32_t first, uint32_t value);

/* Write bytes that are no whole sectors; nobody else writes meanwhile. */
void play_write_bytes(struct play *play, uint64_t off, uint32_t len);

void play_discard(struct play *play, uint32_t first, uint32_t count);
void play_flush(struct play *play);
/* Close the disk, if it is open. Returns true when the library says that it has left it clean. */
bool play_close(struct play *play);

/* The first sector of a block of the plan. */
static inline uint32_t block(const struct play *play, uint32_t number)
{
    return number * play->plan->block_sectors;
}
