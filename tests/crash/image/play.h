/* SPDX-License-Identifier: MIT */
/*
 * A play: a user's operations on one disk, through the library and into the log. A result that
 * breaks a promise is a fault; the first one is kept.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "plan.h"
#include "recorder.h"

struct play {
    /* set by the test */
    struct vhd_catalogue *catalogue;
    const char *name; /* of the disk; its image is NAME.vhd */
    const struct plan *plan;
    struct log *log;
    bool may_fail; /* the host will fail, so operations may fail too */

    struct vhd_disk *disk; /* NULL while the disk is closed */
    bool has_failed_flush; /* all later operations must fail */
    bool has_denied;       /* an operation has failed, as it may */
    char fault[2000];      /* empty: none so far */
};

/* Record a fault, unless there is one. */
void play_fault(struct play *play, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Open the disk, for writing unless is_for_reading, and read it. Its content must fit the replies
 * so far. Returns false if the disk is not open.
 */
bool play_open(struct play *play, bool is_for_reading);

/* Read the disk while nobody writes. The content counts from now on. */
void play_observe(struct play *play);

/* Write fresh values, zeros, or one value. Ranges are in sectors. */
void play_write(struct play *play, uint32_t first, uint32_t count);
void play_write_zeros(struct play *play, uint32_t first, uint32_t count);
void play_write_value(struct play *play, uint32_t first, uint32_t value);

/* Write bytes that are not whole sectors, while nobody else writes. */
void play_write_bytes(struct play *play, uint64_t off, uint32_t len);

/* Discard a range of sectors. */
void play_discard(struct play *play, uint32_t first, uint32_t count);
/* Give the closed disk another record of its parent: plan_parents[number]. */
void play_relink(struct play *play, uint32_t number);

/* Flush the disk. After a failure all later operations must fail. */
void play_flush(struct play *play);

/*
 * Merge a child into the disk, whose content the child's sectors replace durably.
 *
 *   child  a dynamic plan, as large as the disk; what its bitmaps hold is the child's
 */
void play_merge(struct play *play, const struct plan *child);

/*
 * Compact the disk, whose content stays the same. After it only play_close() may follow.
 */
void play_compact(struct play *play);

/* Close the disk if it is open. Returns true when the library reports a clean close. */
bool play_close(struct play *play);

/* The first sector of a block of the plan. */
static inline uint32_t block(const struct play *play, uint32_t number)
{
    return number * play->plan->block_sectors;
}
