/* SPDX-License-Identifier: MIT */
/*
 * Events: the meaning of the maker's system calls for a store. EVENT_OTHER stands for all calls
 * without one.
 */
#pragma once

#include "tracer.h"

struct maker;

enum event {
    EVENT_OTHER,
    EVENT_OPEN, /* of an existing file */
    EVENT_MAKE_FOLDER,
    EVENT_SYNC_PARENT, /* fsync of the folder above the store */
    EVENT_CREATE,      /* a file, with or without a name */
    EVENT_RESERVE,     /* of space, before it is written */
    EVENT_WRITE,
    EVENT_SYNC_FILE,
    EVENT_LINK,
    EVENT_RENAME,
    EVENT_UNLINK,
    EVENT_SYNC_FOLDER, /* fsync of the store */
    EVENT_CLOSE,
    EVENT_REPORT, /* the child reports the outcome */
    EVENT_COUNT
};

/* The event's name: "sync-file". */
const char *event_name(enum event event);

/* The event of a stop's call. */
enum event event_of(const struct tracer_stop *stop, const struct maker *maker);
