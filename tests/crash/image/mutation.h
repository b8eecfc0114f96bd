/* SPDX-License-Identifier: MIT */
/*
 * Mutations: the workloads that must notice a wrong step in the library.
 */
#pragma once

#include "workload.h"

struct mutation {
    const char *name;
    const char *workload; /* the workload that must notice it */
    unsigned hosts;       /* the hosts on which it does soonest; ON_... */
};

/* Find a mutation by name. An unknown name ends the test. */
const struct mutation *mutation_find(const char *name);

/* Switch a mutation on. Ends the test if the library was built without mutations. */
void mutation_set(const struct mutation *mutation);
