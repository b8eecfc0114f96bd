/*
 * Epoch-based reclamation: a thread waits until all that were inside have left, and those that
 * come and go take no lock.
 *
 * Reads and writes are inside from before they load an entry of the table until their transfer
 * ends. A thread that removed an entry waits. Then nobody uses the slot any more, and it may
 * become another block's.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct vhd_epoch {
    _Atomic uint64_t number;    /* its last bit is the side that counts newcomers */
    _Atomic uint64_t inside[2]; /* threads that have not left yet, by side */
    _Atomic bool is_waited_for;

    pthread_mutex_t turn; /* one waits at a time; taken before the other lock */
    pthread_mutex_t lock; /* with cond: held to wait until a side is empty */
    pthread_cond_t cond;
};

void vhd_epoch_init(struct vhd_epoch *epoch);
void vhd_epoch_destroy(struct vhd_epoch *epoch);

/* Enter. Returns the side, to leave by. May be nested. */
unsigned vhd_epoch_enter(struct vhd_epoch *epoch);
void vhd_epoch_leave(struct vhd_epoch *epoch, unsigned side);

/* Wait until all have left that are inside now. Not to be called from inside. */
void vhd_epoch_wait(struct vhd_epoch *epoch);
