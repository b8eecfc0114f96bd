/* SPDX-License-Identifier: MIT */
#include "tree/events.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tree/text.h"

/* Bytes that are kept: a power of two, so that an offset gives its place. */
#define KEPT ((uint64_t)1 << 20)

/* Tasks whose last lines are known: the latest ones. An older one may repeat a line. */
#define KNOWN 256

/* The least time between two lines that differ in the percent alone. */
#define PERCENT_MS 200

/* The last line of a task. */
struct line {
    uint64_t id; /* 0 for none */
    enum vhd_task_state state;
    unsigned percent;
    struct timespec next; /* monotonic: the percent counts again */
};

struct fs_events {
    pthread_mutex_t lock; /* guards all; taken before a task's */
    struct timespec changed;
    struct line known[KNOWN]; /* by id, the remainder */
    uint64_t end;             /* offset behind the last line */
    char text[KEPT];
};

struct fs_events *fs_events_new(void)
{
    struct fs_events *events = calloc(1, sizeof *events);
    if (events)
        pthread_mutex_init(&events->lock, NULL);
    return events;
}

void fs_events_free(struct fs_events *events)
{
    if (!events)
        return;
    pthread_mutex_destroy(&events->lock);
    free(events);
}

/* Does this status need a line? Then it is the last one from now on. Under the lock. */
static bool is_news(struct fs_events *events, const struct vhd_task_status *status)
{
    struct line *line = &events->known[status->id % KNOWN];

    if (line->id == status->id && line->state == status->state &&
        (line->percent == status->percent || !clock_has_passed(line->next)))
        return false;
    *line = (struct line){status->id, status->state, status->percent,
                          clock_after(clock_monotonic(), PERCENT_MS)};
    return true;
}

/* Append bytes to the text. Under the lock. */
static void append(struct fs_events *events, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        events->text[(events->end + i) % KEPT] = bytes[i];
    events->end += len;
}

void fs_events_note(void *arg, struct vhd_task *task)
{
    struct fs_events *events = arg;
    struct vhd_task_status status;
    AUTO_FREE char *text = NULL;
    size_t len = 0;

    /* The status is read under the lock, so the lines of a task are in order. */
    HOLD_LOCK(&events->lock);
    vhd_task_status(task, &status);
    if (!is_news(events, &status))
        return;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return;
    fs_print_time(out, status.changed);
    fprintf(out, " %" PRIu64 " ", status.id);
    fs_print_word(out, status.name);
    fprintf(out, " %s %u\n", vhd_task_state_name(status.state), status.percent);
    if (fclose(out) != 0)
        return;
    append(events, text, len);
    events->changed = clock_real();
}

off_t fs_events_size(struct fs_events *events, struct timespec *ret_changed)
{
    HOLD_LOCK(&events->lock);
    *ret_changed = events->changed;
    return (off_t)events->end;
}

/* The offset of the first whole line kept. Under the lock. */
static uint64_t first_kept(const struct fs_events *events)
{
    uint64_t at = events->end > KEPT ? events->end - KEPT : 0;

    /* The byte before a whole line is the end of another. */
    while (at > 0 && at < events->end && events->text[at % KEPT] != '\n')
        at++;
    return at > 0 && at < events->end ? at + 1 : at;
}

size_t fs_events_read(struct fs_events *events, char *buf, size_t size, off_t *off)
{
    HOLD_LOCK(&events->lock);
    const uint64_t first = first_kept(events);
    if ((uint64_t)*off < first)
        *off = (off_t)first;
    const uint64_t from = (uint64_t)*off;
    if (from >= events->end)
        return 0;
    const size_t len = events->end - from < size ? (size_t)(events->end - from) : size;
    for (size_t i = 0; i < len; i++)
        buf[i] = events->text[(from + i) % KEPT];
    return len;
}
