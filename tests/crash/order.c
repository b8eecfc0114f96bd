/* SPDX-License-Identifier: MIT */
/*
 * order WAY [MUTATION]: the system calls that make a disk come in the order that survives a power
 * cut. Each ends before the next begins.
 *
 * If this failed: a disk could get its name before its content is on the medium, or be reported
 * before its name is there. After a power cut it would be empty or gone.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host.h"
#include "maker.h"
#include "remains.h"
#include "result/result.h"

enum { SIZE_MB = 1000, CALLS_MAX = 64 };

/* The begin and the end of each call that touches the store, by the count of stops. */
struct record {
    const struct maker *maker;
    unsigned stops;
    int count;
    struct call {
        enum event event;
        unsigned began, ended; /* ended is 0 for a call that failed or did not return */
    } calls[CALLS_MAX];
};

static bool record_visit(void *arg, const struct tracer_stop *stop)
{
    struct record *record = arg;
    enum event event = event_of(stop, record->maker);

    record->stops++;
    if (event == EVENT_OTHER)
        return true;
    if (stop->is_entry) {
        if (record->count == CALLS_MAX)
            errx(EXIT_BROKEN, "more than %d calls", CALLS_MAX);
        record->calls[record->count++] = (struct call){.event = event, .began = record->stops};
        return true;
    }
    for (int i = record->count - 1; i >= 0; i--) {
        if (record->calls[i].event == event && record->calls[i].ended == 0) {
            if (stop->result >= 0)
                record->calls[i].ended = record->stops;
            break;
        }
    }
    return true;
}

/* The first begin of an event, or 0 for none. */
static unsigned began(const struct record *record, enum event event)
{
    for (int i = 0; i < record->count; i++) {
        if (record->calls[i].event == event)
            return record->calls[i].began;
    }
    return 0;
}

/* The last end of an event, or 0 for none. */
static unsigned ended(const struct record *record, enum event event)
{
    unsigned last = 0;

    for (int i = 0; i < record->count; i++) {
        if (record->calls[i].event == event && record->calls[i].ended > 0)
            last = record->calls[i].ended;
    }
    return last;
}

/* Does an event occur more than once in the order? */
static bool is_repeating(const enum event *order)
{
    unsigned seen = 0;

    for (; *order != EVENT_OTHER; order++) {
        if (seen >> *order & 1)
            return true;
        seen |= 1u << *order;
    }
    return false;
}

/* Count the events of an order that do not follow each other anywhere. */
static unsigned judge_repeating(const struct record *record)
{
    const enum event *order = record->maker->way->order;
    unsigned last = 0;

    for (int i = 0; i < record->count && *order != EVENT_OTHER; i++) {
        const struct call *call = &record->calls[i];
        if (call->event != *order || call->ended == 0 || call->began < last)
            continue;
        last = call->ended;
        order++;
    }
    if (*order == EVENT_OTHER)
        return 0;
    printf("there was no \"%s\" in its place\n", event_name(*order));
    return 1;
}

/* Count the events out of order. */
static unsigned judge(const struct record *record)
{
    if (is_repeating(record->maker->way->order))
        return judge_repeating(record);

    const enum event *order = record->maker->way->order;
    unsigned faults = 0;

    for (int i = 0; order[i] != EVENT_OTHER; i++) {
        if (ended(record, order[i]) == 0) {
            printf("there was no \"%s\" that succeeded\n", event_name(order[i]));
            faults++;
        } else if (i > 0 && ended(record, order[i - 1]) > began(record, order[i])) {
            printf("\"%s\" began before \"%s\" had ended\n", event_name(order[i]),
                   event_name(order[i - 1]));
            faults++;
        }
    }
    return faults;
}

static void print(const struct record *record)
{
    printf("%s:", record->maker->way->name);
    for (int i = 0; i < record->count; i++) {
        if (record->calls[i].event != EVENT_OPEN && record->calls[i].event != EVENT_CLOSE)
            printf(" %s", event_name(record->calls[i].event));
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    char base[256], folder[300];
    int report;

    if (argc < 2 || argc > 3)
        errx(EXIT_BROKEN, "usage: order WAY [MUTATION]");
    snprintf(base, sizeof base, "%s/vhdfs-order.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(base))
        err(EXIT_BROKEN, "%s", base);
    snprintf(folder, sizeof folder, "%s/%s", base, MAKER_FOLDER);

    bool is_mutated = argc > 2;
    struct maker maker;
    struct record record = {.maker = &maker};
    maker_init(&maker, argv[1], argv[2], folder, SIZE_MB);
    maker_run(&maker, record_visit, &record, &report);
    remains_remove(folder);
    rmdir(base);

    print(&record);
    if (report != VHD_OK)
        errx(EXIT_FAILURE, "the disk was refused");
    if (maker.way->is_fixed && ended(&record, EVENT_RESERVE) == 0) {
        /* The library then writes zeros and flushes them piece by piece: another order. */
        puts("SKIPPED: this host cannot reserve space");
        return EXIT_SKIPPED;
    }
    unsigned faults = judge(&record);
    maker_end(&maker);
    if (is_mutated)
        puts(faults > 0 ? "noticed, as it should be" : "NOT NOTICED");
    return (faults > 0) == is_mutated ? EXIT_SUCCESS : EXIT_FAILURE;
}
