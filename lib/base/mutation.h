/* SPDX-License-Identifier: MIT */
/*
 * Mutations: single steps of the order of writes made wrong, to prove that a test notices. The
 * library of those tests has them; elsewhere MUTATED is constantly false and leaves no code. See
 * lib/disk/README.md, "Mutations".
 */
#pragma once

#include <stdbool.h>

#ifdef VHD_MUTATIONS

#    include <string.h>

/* The name of the mutation that is on, or NULL. The test that links the library defines it. */
extern const char *vhd_mutation;

#    define MUTATED(name) (vhd_mutation && strcmp(vhd_mutation, #    name) == 0)

#else

#    define MUTATED(name) false

#endif
