/*
 * The maker: one disk made through the library, in one of the ways that there are, by a child
 * process that is traced and that tells the outcome the moment it knows it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "tracer.h"

/* The file that is made, in a folder that is called so. */
#define MAKER_FILE   "disk1.vhd"
#define MAKER_FOLDER "store"

/* A way to make a disk. */
struct way {
    const char *name;
    bool makes_folder;             /* the store's folder is missing before */
    bool is_named;                 /* the draft is given a name */
    unsigned host;                 /* of enum host_behaviour */
    enum event order[EVENT_COUNT]; /* what must happen, each when the one before has ended */
};

/* The way of that name; ends the test when there is none. */
const struct way *way_find(const char *name);

struct maker {
    const struct way *way;
    unsigned mutation;  /* of enum host_behaviour; 0 for none */
    const char *folder; /* absolute path; its last component is MAKER_FOLDER */
    uint64_t size_mb;

    int report_fd; /* set by maker_run() before the child starts: where it tells its outcome */
};

/* What maker_run() says when the child has not told an outcome. */
#define MAKER_SILENT (-1)

/*
 * Make the disk in a child and visit its stops.
 *
 *   ret_report  receives the outcome that the child has told, an enum vhd_result, or MAKER_SILENT
 *
 * Returns true when the child ended by itself, false when it was cut.
 */
bool maker_run(struct maker *maker, tracer_visit *visit, void *visit_arg, int *ret_report);
