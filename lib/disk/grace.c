#include "disk/grace.h"

#include "base/cleanup.h"

void vhd_grace_init(struct vhd_grace *grace)
{
    *grace = (struct vhd_grace){0};
    pthread_mutex_init(&grace->turn, NULL);
    pthread_mutex_init(&grace->lock, NULL);
    pthread_cond_init(&grace->cond, NULL);
}

void vhd_grace_destroy(struct vhd_grace *grace)
{
    pthread_cond_destroy(&grace->cond);
    pthread_mutex_destroy(&grace->lock);
    pthread_mutex_destroy(&grace->turn);
}

unsigned vhd_grace_enter(struct vhd_grace *grace)
{
    for (;;) {
        uint64_t epoch = __atomic_load_n(&grace->epoch, __ATOMIC_SEQ_CST);
        unsigned side = epoch & 1;
        __atomic_fetch_add(&grace->inside[side], 1, __ATOMIC_SEQ_CST);
        /*
         * Counted on a side that is waited for by now, who comes could be overlooked, for the
         * count may have been read before. In the same epoch the wait begins after the count.
         */
        if (__atomic_load_n(&grace->epoch, __ATOMIC_SEQ_CST) == epoch)
            return side;
        vhd_grace_leave(grace, side);
    }
}

void vhd_grace_leave(struct vhd_grace *grace, unsigned side)
{
    if (__atomic_sub_fetch(&grace->inside[side], 1, __ATOMIC_SEQ_CST) > 0 ||
        !__atomic_load_n(&grace->is_waited_for, __ATOMIC_SEQ_CST))
        return;
    HOLD_LOCK(&grace->lock);
    pthread_cond_broadcast(&grace->cond);
}

void vhd_grace_wait(struct vhd_grace *grace)
{
    HOLD_LOCK(&grace->turn);
    /* The other side is empty: the wait before this one has seen to that. */
    unsigned side = __atomic_fetch_add(&grace->epoch, 1, __ATOMIC_SEQ_CST) & 1;

    __atomic_store_n(&grace->is_waited_for, true, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&grace->lock);
    while (__atomic_load_n(&grace->inside[side], __ATOMIC_SEQ_CST) > 0)
        pthread_cond_wait(&grace->cond, &grace->lock);
    pthread_mutex_unlock(&grace->lock);
    __atomic_store_n(&grace->is_waited_for, false, __ATOMIC_SEQ_CST);
}
