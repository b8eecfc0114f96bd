/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a slot would go to another block while a thread still writes to it, and that
 * write would destroy the other block's data; or a discard would wait for ever.
 */
#include "base/epoch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "gate.h"

static void to_wait_for_nobody_takes_no_time(void **state)
{
    (void)state;
    struct vhd_epoch epoch;

    vhd_epoch_init(&epoch);
    for (int i = 0; i < 10; i++)
        vhd_epoch_wait(&epoch);
    for (int i = 0; i < 10; i++) {
        vhd_epoch_leave(&epoch, vhd_epoch_enter(&epoch));
        vhd_epoch_wait(&epoch);
    }
    vhd_epoch_destroy(&epoch);
}

struct waiter {
    struct vhd_epoch *epoch;
    struct gate begun;
    bool has_ended; /* atomic */
};

static void *wait_in_thread(void *arg)
{
    struct waiter *waiter = arg;

    gate_pass(&waiter->begun);
    vhd_epoch_wait(waiter->epoch);
    __atomic_store_n(&waiter->has_ended, true, __ATOMIC_SEQ_CST);
    return NULL;
}

static void waiter_begin(struct waiter *waiter, struct vhd_epoch *epoch, pthread_t *thread)
{
    *waiter = (struct waiter){.epoch = epoch, .begun = GATE_CLOSED};
    assert_int_equal(pthread_create(thread, NULL, wait_in_thread, waiter), 0);
    gate_await(&waiter->begun, 1);
    gate_open(&waiter->begun);
}

/* Let the other threads go on for a while. */
static void yield(void)
{
    for (int i = 0; i < 200; i++)
        sched_yield();
}

static void all_inside_are_waited_for(void **state)
{
    (void)state;
    enum { INSIDE = 3 };
    struct vhd_epoch epoch;
    struct waiter waiter;
    pthread_t thread;
    unsigned sides[INSIDE];

    vhd_epoch_init(&epoch);
    for (int i = 0; i < INSIDE; i++)
        sides[i] = vhd_epoch_enter(&epoch);
    waiter_begin(&waiter, &epoch, &thread);
    for (int i = 0; i < INSIDE; i++) {
        yield();
        assert_false(READ(waiter.has_ended));
        vhd_epoch_leave(&epoch, sides[i]);
    }
    pthread_join(thread, NULL);
    vhd_epoch_destroy(&epoch);
}

/* A thread that enters after the wait has begun finds the entry gone, so nothing waits for it. */
static void newcomers_are_not_waited_for(void **state)
{
    (void)state;
    struct vhd_epoch epoch;
    struct waiter waiter;
    pthread_t thread;

    vhd_epoch_init(&epoch);
    unsigned old = vhd_epoch_enter(&epoch);
    const uint64_t number = epoch.number;
    waiter_begin(&waiter, &epoch, &thread);
    UNTIL(epoch.number != number);
    unsigned young = vhd_epoch_enter(&epoch);
    vhd_epoch_leave(&epoch, old);
    pthread_join(thread, NULL); /* though a thread is inside */
    vhd_epoch_leave(&epoch, young);
    vhd_epoch_wait(&epoch);
    vhd_epoch_destroy(&epoch);
}

/* A thread inside may enter once more, also while another waits for it. */
static void may_be_nested(void **state)
{
    (void)state;
    struct vhd_epoch epoch;
    struct waiter waiter;
    pthread_t thread;

    vhd_epoch_init(&epoch);
    unsigned outer = vhd_epoch_enter(&epoch);
    const uint64_t number = epoch.number;
    waiter_begin(&waiter, &epoch, &thread);
    UNTIL(epoch.number != number);
    unsigned inner = vhd_epoch_enter(&epoch);
    vhd_epoch_leave(&epoch, inner);
    yield();
    assert_false(READ(waiter.has_ended));
    vhd_epoch_leave(&epoch, outer);
    pthread_join(thread, NULL);
    vhd_epoch_destroy(&epoch);
}

static void several_may_wait(void **state)
{
    (void)state;
    enum { WAITERS = 3 };
    struct vhd_epoch epoch;
    struct waiter waiters[WAITERS];
    pthread_t threads[WAITERS];

    vhd_epoch_init(&epoch);
    unsigned side = vhd_epoch_enter(&epoch);
    for (int i = 0; i < WAITERS; i++)
        waiter_begin(&waiters[i], &epoch, &threads[i]);
    yield();
    for (int i = 0; i < WAITERS; i++)
        assert_false(READ(waiters[i].has_ended));
    vhd_epoch_leave(&epoch, side);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    vhd_epoch_destroy(&epoch);
}

/* An object that is replaced and freed while others read it; memory checkers watch. */
enum { READERS = 3, REPLACEMENTS = 3000 };

struct shared {
    struct vhd_epoch epoch;
    int *thing;   /* atomic */
    bool is_over; /* atomic */
    unsigned wrong;
};

static void *read_often(void *arg)
{
    struct shared *shared = arg;

    while (!READ(shared->is_over)) {
        unsigned side = vhd_epoch_enter(&shared->epoch);
        const int *thing = __atomic_load_n(&shared->thing, __ATOMIC_SEQ_CST);
        if (*thing != 42)
            COUNT(shared->wrong);
        vhd_epoch_leave(&shared->epoch, side);
    }
    return NULL;
}

static int *make_thing(void)
{
    int *thing = malloc(sizeof *thing);
    assert_non_null(thing);
    *thing = 42;
    return thing;
}

static void no_removed_object_is_used_after_the_wait(void **state)
{
    (void)state;
    struct shared shared = {.thing = make_thing()};
    pthread_t threads[READERS];

    vhd_epoch_init(&shared.epoch);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &shared), 0);
    for (int i = 0; i < REPLACEMENTS; i++) {
        int *old = __atomic_exchange_n(&shared.thing, make_thing(), __ATOMIC_SEQ_CST);
        vhd_epoch_wait(&shared.epoch);
        *old = 0;
        free(old);
    }
    __atomic_store_n(&shared.is_over, true, __ATOMIC_SEQ_CST);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.wrong, 0);
    free(shared.thing);
    vhd_epoch_destroy(&shared.epoch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_wait_for_nobody_takes_no_time),
        cmocka_unit_test(all_inside_are_waited_for),
        cmocka_unit_test(newcomers_are_not_waited_for),
        cmocka_unit_test(may_be_nested),
        cmocka_unit_test(several_may_wait),
        cmocka_unit_test(no_removed_object_is_used_after_the_wait),
    };
    return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}
