/* SPDX-License-Identifier: MIT */
/*
 * Epoch-based reclamation: a thread waits until all that were inside have left, and those that come
 * and go take no lock.
 *
 * Reads and writes are inside from before they load an entry of the table until their transfer
 * ends. A thread that removed an entry waits. Then no thread uses the slot any more, and it may
 * become another block's.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct vhd_epoch {
    _Atomic uint64_t number;    /* its last bit is the side that counts new threads */
    _Atomic uint64_t inside[2]; /* threads that have not left yet, by side */
    _Atomic bool is_waited_for;

    pthread_mutex_t turn; /* one waiter at a time; taken before `lock` */
    pthread_mutex_t lock; /* with cond: a waiter sleeps until a side is empty */
    pthread_cond_t cond;
};

/* Begin and end an epoch's life; no thread may be inside at its end. */
void vhd_epoch_init(struct vhd_epoch *epoch);
void vhd_epoch_destroy(struct vhd_epoch *epoch);

/* Enter, which may be nested. Returns the side to pass to vhd_epoch_leave(). */
unsigned vhd_epoch_enter(struct vhd_epoch *epoch);
void vhd_epoch_leave(struct vhd_epoch *epoch, unsigned side);

/* Wait until all have left that are inside now. Not to be called from inside. */
void vhd_epoch_wait(struct vhd_epoch *epoch);
