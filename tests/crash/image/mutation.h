/*
 * Mutations: which workloads must notice what is left out of the library.
 */
#pragma once

#include "workload.h"

struct mutation {
    const char *name;
    const char *workload; /* that must notice it */
    unsigned hosts;       /* where it does soonest; ON_... */
};

/* Find a mutation. A name that is none ends the test. */
const struct mutation *mutation_find(const char *name);

/* Have the library work with a mutation; ends the test when it was built without them. */
void mutation_set(const struct mutation *mutation);
