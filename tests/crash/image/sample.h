/*
 * A sample of the states that were tried, each as likely to be in it as any other, for other
 * programs to open. They are kept as files in a folder, and a list of them says what is expected.
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
 *   folder  is there; lives as long as the sample
 */
void sample_init(struct sample *sample, const char *folder, uint32_t wanted, uint64_t seed);

/* Offer a state. */
void sample_offer(struct sample *sample, const struct plan *plan, const struct content *file,
                  bool has_tail);

/*
 * Write the files, and "list": a line for each, "NAME SIZE TAIL", where TAIL is 1 if the file has a
 * footer at its end. Releases the sample.
 */
void sample_write(struct sample *sample);
