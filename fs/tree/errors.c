/* SPDX-License-Identifier: MIT */
#include "tree/errors.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"

enum { KEPT = 16 };

struct refusal {
    struct timespec time;
    char where[FS_ERRORS_WHERE];
    struct vhd_verdict verdict;
};

struct fs_errors {
    pthread_mutex_t lock; /* guards all */
    struct timespec changed;
    unsigned first, count;
    struct refusal refusals[KEPT];
};

struct fs_errors *fs_errors_new(void)
{
    struct fs_errors *errors = calloc(1, sizeof *errors);
    if (errors)
        pthread_mutex_init(&errors->lock, NULL);
    return errors;
}

void fs_errors_free(struct fs_errors *errors)
{
    if (!errors)
        return;
    pthread_mutex_destroy(&errors->lock);
    free(errors);
}

void fs_errors_add(struct fs_errors *errors, const char *where, const struct vhd_verdict *verdict)
{
    HOLD_LOCK(&errors->lock);
    if (errors->count == KEPT)
        errors->first = (errors->first + 1) % KEPT;
    else
        errors->count++;
    struct refusal *last = &errors->refusals[(errors->first + errors->count - 1) % KEPT];
    clock_gettime(CLOCK_REALTIME, &last->time);
    snprintf(last->where, sizeof last->where, "%s", where);
    last->verdict = *verdict;
    errors->changed = last->time;
}

void fs_errors_clear(struct fs_errors *errors)
{
    HOLD_LOCK(&errors->lock);
    errors->count = 0;
    clock_gettime(CLOCK_REALTIME, &errors->changed);
}

struct timespec fs_errors_show(struct fs_errors *errors, FILE *out)
{
    HOLD_LOCK(&errors->lock);
    for (unsigned i = 0; i < errors->count; i++) {
        const struct refusal *refusal = &errors->refusals[(errors->first + i) % KEPT];
        const struct vhd_outcome *outcome = vhd_outcome(refusal->verdict.result);
        fs_print_time(out, refusal->time);
        putc(' ', out);
        fs_print_word(out, refusal->where);
        fprintf(out, " %s %s %s\n", outcome->err_name, outcome->name, refusal->verdict.sentence);
    }
    return errors->changed;
}
