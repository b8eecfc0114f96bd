/* SPDX-License-Identifier: MIT */
/*
 * If this failed, one thread would undo a bit that another has set for a block, and data would be
 * written or read as if it were not there.
 */
#include "base/bits.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static void all_are_clear_at_first(void **state)
{
    (void)state;
    for (size_t count = 0; count < 200; count++) {
        _Atomic uint64_t *bits = bits_new(count);
        assert_non_null(bits);
        for (size_t i = 0; i < count; i++)
            assert_false(bits_get(bits, i));
        free(bits);
    }
}

static void each_is_set_and_cleared_alone(void **state)
{
    (void)state;
    enum { COUNT = 130 };
    _Atomic uint64_t *bits = bits_new(COUNT);

    for (size_t i = 0; i < COUNT; i++) {
        bits_set(bits, i);
        bits_set(bits, i);
        for (size_t other = 0; other < COUNT; other++)
            assert_int_equal(bits_get(bits, other), other == i);
        bits_clear(bits, i);
        bits_clear(bits, i);
        assert_false(bits_get(bits, i));
    }
    free(bits);
}

enum { THREADS = 4, ROUNDS = 2000 };

struct owner {
    _Atomic uint64_t *bits;
    size_t number;
    unsigned lost;
};

/* Bits of one word that several threads set and clear, each its own. */
static void *set_and_clear(void *arg)
{
    struct owner *owner = arg;

    for (int i = 0; i < ROUNDS; i++) {
        for (size_t bit = owner->number; bit < 64; bit += THREADS)
            bits_set(owner->bits, bit);
        for (size_t bit = owner->number; bit < 64; bit += THREADS) {
            owner->lost += !bits_get(owner->bits, bit);
            bits_clear(owner->bits, bit);
            owner->lost += bits_get(owner->bits, bit);
        }
    }
    return NULL;
}

static void none_is_lost_to_a_neighbour(void **state)
{
    (void)state;
    _Atomic uint64_t *bits = bits_new(64);
    struct owner owners[THREADS];
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        owners[i] = (struct owner){.bits = bits, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, set_and_clear, &owners[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(owners[i].lost, 0);
    }
    free(bits);
}

struct letter {
    _Atomic uint64_t *bits;
    int content;
};

static void *post(void *arg)
{
    struct letter *letter = arg;
    letter->content = 42;
    bits_set(letter->bits, 70);
    return NULL;
}

/* A thread that sees a bit sees all that was written before it was set; ThreadSanitizer watches. */
static void a_bit_publishes_earlier_writes(void **state)
{
    (void)state;
    struct letter letter = {.bits = bits_new(128)};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, post, &letter), 0);
    while (!bits_get(letter.bits, 70))
        continue;
    assert_int_equal(letter.content, 42);
    pthread_join(thread, NULL);
    free(letter.bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_clear_at_first),
        cmocka_unit_test(each_is_set_and_cleared_alone),
        cmocka_unit_test(none_is_lost_to_a_neighbour),
        cmocka_unit_test(a_bit_publishes_earlier_writes),
    };
    return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}
