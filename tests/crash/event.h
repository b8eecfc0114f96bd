/*
 * Events: what a system call of the maker means for a store. All else that a process does is
 * EVENT_OTHER.
 */
#pragma once

#include "tracer.h"

struct maker;

enum event {
    EVENT_OTHER,
    EVENT_OPEN, /* of something that exists */
    EVENT_MAKE_FOLDER,
    EVENT_SYNC_PARENT, /* fsync of the folder above the store */
    EVENT_CREATE,      /* a file, with a name or without */
    EVENT_WRITE,
    EVENT_SYNC_FILE,
    EVENT_LINK,
    EVENT_RENAME,
    EVENT_UNLINK,
    EVENT_SYNC_FOLDER, /* fsync of the store */
    EVENT_CLOSE,
    EVENT_REPORT, /* the outcome is told */
    EVENT_COUNT
};

/* The event's name: "sync-file". */
const char *event_name(enum event event);

/* The event that the call of a stop is. */
enum event event_of(const struct tracer_stop *stop, const struct maker *maker);
