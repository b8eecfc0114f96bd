/* SPDX-License-Identifier: MIT */
/*
 * A sample of the tried states for other programs to open, each chosen with the same chance. It is
 * a folder of files, and a list with the expected facts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

struct sample {
    const char *folder;
    uint32_t wanted;
    uint64_t seed;

    uint64_t offered;
    struct sample_state {
        struct plan plan;
        struct content file;
        bool has_tail;
    } * states;
};

/*
 * Begin a sample.
 *
 *   folder  exists; lives as long as the sample
 */
void sample_init(struct sample *sample, const char *folder, uint32_t wanted, uint64_t seed);

/* Offer a state. */
void sample_offer(struct sample *sample, const struct plan *plan, const struct content *file,
                  bool has_tail);

/*
 * Write the files, and "list" with a line for each, "NAME SIZE TAIL". TAIL is 1 if a footer ends
 * the file. Releases the sample.
 */
void sample_write(struct sample *sample);
