/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "file.h"
#include "random.h"

void sample_init(struct sample *sample, const char *folder, uint32_t wanted, uint64_t seed)
{
    *sample = (struct sample){.folder = folder, .wanted = wanted, .seed = seed};
    sample->states = calloc(wanted, sizeof *sample->states);
    if (!sample->states)
        err(EXIT_FAILURE, "sample");
}

void sample_offer(struct sample *sample, const struct plan *plan, const struct content *file,
                  bool has_tail)
{
    uint64_t place = sample->offered++;

    if (place >= sample->wanted)
        place = random_next(&sample->seed) % sample->offered;
    if (place >= sample->wanted)
        return;
    struct sample_state *state = &sample->states[place];
    content_free(&state->file);
    *state = (struct sample_state){*plan, content_copy(file), has_tail};
}

void sample_write(struct sample *sample)
{
    uint64_t count = sample->offered < sample->wanted ? sample->offered : sample->wanted;
    char path[400];

    snprintf(path, sizeof path, "%s/list", sample->folder);
    FILE *list = fopen(path, "we");
    if (!list)
        err(EXIT_FAILURE, "%s", path);
    for (uint64_t i = 0; i < count; i++) {
        struct sample_state *state = &sample->states[i];
        snprintf(path, sizeof path, "%s/%04u.vhd", sample->folder, (unsigned)i);
        file_write(path, &state->file);
        fprintf(list, "%04u.vhd %u %d\n", (unsigned)i, plan_sectors(&state->plan) * SECTOR,
                state->has_tail);
        content_free(&state->file);
    }
    if (fclose(list) != 0)
        err(EXIT_FAILURE, "%s", path);
    free(sample->states);
}
