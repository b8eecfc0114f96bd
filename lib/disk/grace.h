/*
 * Grace: waiting until everybody who was inside has left, without a lock for those who come and go.
 *
 * Reads and writes are inside from before they load a table's entry until their transfer has ended.
 * Whoever has taken an entry away waits for grace; then nobody uses what it pointed at any more,
 * and its room may become another block's.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct vhd_grace {
    uint64_t epoch;     /* atomic; its last bit is the side on which newcomers are counted */
    uint64_t inside[2]; /* atomic; those who have not left yet, by side */
    bool is_waited_for; /* atomic */

    pthread_mutex_t turn; /* one waits at a time; outside of the other lock */
    pthread_mutex_t lock; /* with cond: for who waits until a side is empty */
    pthread_cond_t cond;
};

void vhd_grace_init(struct vhd_grace *grace);
void vhd_grace_destroy(struct vhd_grace *grace);

/* Go in. Returns the side, to leave by. May be nested. */
unsigned vhd_grace_enter(struct vhd_grace *grace);
void vhd_grace_leave(struct vhd_grace *grace, unsigned side);

/* Wait until all have left who are inside now. Not to be called from inside. */
void vhd_grace_wait(struct vhd_grace *grace);
