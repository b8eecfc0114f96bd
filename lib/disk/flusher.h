/* SPDX-License-Identifier: MIT */
/*
 * The flusher: a thread that flushes a disk five seconds after its first write, and makes slots
 * ahead when they run short. It serves programs that never call fsync.
 */
#pragma once

struct vhd_flusher;

/*
 * Make a flusher; its thread starts with the first work.
 *
 *   flush, arg  called on the thread, which ignores the result: later flushes report the failure
 *
 * Returns NULL when memory is short.
 */
struct vhd_flusher *vhd_flusher_new(int (*flush)(void *arg), void *arg);

/* Stop the thread after the flush that it runs, and free the flusher. NULL is allowed. */
void vhd_flusher_free(struct vhd_flusher *flusher);

/* Note a write. Further calls before the next flush cost next to nothing. */
void vhd_flusher_touch(struct vhd_flusher *flusher);

/* Flush now, without the five seconds. */
void vhd_flusher_hurry(struct vhd_flusher *flusher);
