/*
 * Mutations: single steps of the order of writes left out or turned round, so that a test of that
 * order can show that it would notice. In every build but that of those tests a mutation is
 * constantly off, and the compiler leaves no trace of it.
 */
#pragma once

#include <stdbool.h>

#ifdef VHD_MUTATIONS

#    include <string.h>

/* The name of the mutation that is on; NULL for none. The test that links the library has it. */
extern const char *vhd_mutation;

#    define MUTATED(name) (vhd_mutation && strcmp(vhd_mutation, #    name) == 0)

#else

#    define MUTATED(name) false

#endif
