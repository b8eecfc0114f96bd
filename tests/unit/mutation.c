/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a program that people use could leave out steps of the order of writes, as the
 * crash tests do.
 */
#include "base/mutation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Constant, or this would not compile. */
_Static_assert(!MUTATED(G1) && !MUTATED(W1) && !MUTATED(no_such), "a mutation is on");

static void all_are_off(void **state)
{
    (void)state;
    assert_false(MUTATED(G1));
    assert_false(MUTATED(D8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_off),
    };
    return cmocka_run_group_tests_name("mutation", tests, NULL, NULL);
}
