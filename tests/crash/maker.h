/*
 * The maker: a traced child process that makes one disk through the library, in one of several
 * ways. It reports the outcome as soon as it knows it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "tracer.h"

/* The file of the disk, and the last component of its folder. */
#define MAKER_FILE   "disk1.vhd"
#define MAKER_FOLDER "store"

/* A way to make a disk. */
struct way {
    const char *name;
    bool makes_folder;             /* the store's folder is missing at first */
    bool is_named;                 /* the draft has a name */
    unsigned host;                 /* of enum host_behaviour */
    enum event order[EVENT_COUNT]; /* events that must occur, each after the end of the last */
};

/* Find a way by its name. An unknown name ends the test. */
const struct way *way_find(const char *name);

struct maker {
    const struct way *way;
    unsigned mutation;  /* of enum host_behaviour; 0 for none */
    const char *folder; /* absolute path; its last component is MAKER_FOLDER */
    uint64_t size_mb;

    int report_fd; /* pipe for the child's outcome; maker_run() sets it before the fork */
};

/* The report of a child that was cut before it reported. */
#define MAKER_SILENT (-1)

/*
 * Make the disk in a child and visit its stops.
 *
 *   ret_report  receives the child's outcome, an enum vhd_result, or MAKER_SILENT
 *
 * Returns true when the child ended by itself, false when it was cut.
 */
bool maker_run(struct maker *maker, tracer_visit *visit, void *visit_arg, int *ret_report);
