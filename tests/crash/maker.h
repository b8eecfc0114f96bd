/* SPDX-License-Identifier: MIT */
/*
 * The maker: a traced child process that makes one disk through the library, in one of several
 * ways, or has a verb done to a disk (verbs.h). It reports the outcome as soon as it knows it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "parent.h"
#include "tracer.h"

/* The file of the disk, its name, and the last component of its folder. */
#define MAKER_FILE   "disk1.vhd"
#define MAKER_DISK   "disk1"
#define MAKER_FOLDER "store"

/* The size of a fixed disk, which takes all its space in each run. */
enum { FIXED_MB = 3 };

/* The size of the disk of a verb. The verb writes none of its table. */
enum { VERB_MB = 100 };

/* A way to make a disk. */
struct way {
    const char *name;
    bool makes_folder;             /* the store's folder is missing at first */
    bool is_named;                 /* the draft has a name */
    bool is_fixed;                 /* the disk is fixed, of FIXED_MB */
    bool is_child;                 /* the disk is differencing, on the parent of parent.h */
    const char *verb;              /* done to a disk that is there; NULL: a disk is made */
    unsigned host;                 /* of enum host_behaviour */
    enum event order[EVENT_COUNT]; /* events that must occur, each after the end of the last */
};

struct maker {
    const struct way *way;
    unsigned mutation;  /* of enum host_behaviour; 0 for none */
    const char *folder; /* absolute path; its last component is MAKER_FOLDER */
    uint64_t size_mb;
    struct image parent; /* of a differencing disk, or the disk of a snapshot; else no bytes */

    int report_fd; /* pipe for the outcome; maker_run() sets it before the fork */
};

/*
 * Prepare a maker.
 *
 *   way, mutation  their names; mutation may be NULL. An unknown name ends the test
 *   size_mb        of the disk, unless it is fixed, or a verb is done to it
 *
 * Release it by maker_end().
 */
void maker_init(struct maker *maker, const char *way, const char *mutation, const char *folder,
                uint64_t size_mb);

/* Release the memory of a maker, not the struct. */
void maker_end(struct maker *maker);

/* The report of a child process that was cut before it reported. */
#define MAKER_SILENT (-1)

/*
 * Make the disk in a child process and visit its stops. The folder and the parent of a differencing
 * disk are put there before that.
 *
 *   ret_report  receives the process's outcome, an enum vhd_result, or MAKER_SILENT
 *
 * Returns true when the process ended by itself, false when it was cut.
 */
bool maker_run(struct maker *maker, tracer_visit *visit, void *visit_arg, int *ret_report);
