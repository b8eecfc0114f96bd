/*
 * Mutations: which workloads must notice what is left out of the library.
 */
#pragma once

#include <stdbool.h>

#include "workload.h"

/* Does a mutation have to be noticed by this workload? A name that is no mutation ends the test. */
bool mutation_concerns(const char *mutation, const char *workload);

/* The classes of hosts on which it is noticed soonest: ON_... */
unsigned mutation_hosts(const char *mutation);

/* Have the library work with a mutation; ends the test when it was built without them. */
void mutation_set(const char *mutation);
