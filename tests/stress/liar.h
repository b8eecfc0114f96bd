/* SPDX-License-Identifier: MIT */
/*
 * A target that does its work wrongly. It tests the tests: they must notice each lie.
 */
#pragma once

#include "target.h"

struct liar {
    struct target target;
    struct target *honest; /* does the real work */
    const char *lie;
    uint64_t deeds; /* atomic: number of calls; every eighth is a lie */
};

/* The names of all lies; the last is NULL. */
extern const char *const liar_lies[];

/* Wrap a target so that it tells one lie. With an unknown name it tells none. */
struct liar liar_of(struct target *honest, const char *lie);
