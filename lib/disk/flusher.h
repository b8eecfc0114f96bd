/*
 * The flusher: a thread that makes durable what was written for those who never ask for it, five
 * seconds after the first write, and makes slots ahead when they run short.
 */
#pragma once

struct vhd_flusher;

/*
 * Make a flusher; its thread begins with the first work.
 *
 *   flush, arg  what to call, on the thread; what it returns is told by later flushes
 *
 * Returns NULL when memory is short.
 */
struct vhd_flusher *vhd_flusher_new(int (*flush)(void *arg), void *arg);

/* Stop the thread, once it has ended a flush at work. NULL is allowed. */
void vhd_flusher_free(struct vhd_flusher *flusher);

/* Something has been written. Costs next to nothing where that is known already. */
void vhd_flusher_touch(struct vhd_flusher *flusher);

/* Flush soon. */
void vhd_flusher_hurry(struct vhd_flusher *flusher);
