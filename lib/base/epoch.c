/* SPDX-License-Identifier: MIT */
#include "base/epoch.h"

#include "base/cleanup.h"

void vhd_epoch_init(struct vhd_epoch *epoch)
{
    *epoch = (struct vhd_epoch){0};
    pthread_mutex_init(&epoch->turn, NULL);
    pthread_mutex_init(&epoch->lock, NULL);
    pthread_cond_init(&epoch->cond, NULL);
}

void vhd_epoch_destroy(struct vhd_epoch *epoch)
{
    pthread_cond_destroy(&epoch->cond);
    pthread_mutex_destroy(&epoch->lock);
    pthread_mutex_destroy(&epoch->turn);
}

unsigned vhd_epoch_enter(struct vhd_epoch *epoch)
{
    for (;;) {
        const uint64_t number = epoch->number;
        const unsigned side = number & 1;
        epoch->inside[side]++;
        /*
         * A wait that began before this count may have read the side as empty already. The wait
         * raises the number first, so an unchanged number means that it will see the count.
         */
        if (epoch->number == number)
            return side;
        vhd_epoch_leave(epoch, side);
    }
}

void vhd_epoch_leave(struct vhd_epoch *epoch, unsigned side)
{
    if (--epoch->inside[side] > 0 || !epoch->is_waited_for)
        return;
    HOLD_LOCK(&epoch->lock);
    pthread_cond_broadcast(&epoch->cond);
}

void vhd_epoch_wait(struct vhd_epoch *epoch)
{
    HOLD_LOCK(&epoch->turn);
    /* The wait before this one has emptied the other side. */
    const unsigned side = epoch->number++ & 1;

    epoch->is_waited_for = true;
    pthread_mutex_lock(&epoch->lock);
    while (epoch->inside[side] > 0)
        pthread_cond_wait(&epoch->cond, &epoch->lock);
    pthread_mutex_unlock(&epoch->lock);
    epoch->is_waited_for = false;
}
