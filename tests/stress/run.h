/*
 * A run: two disks of a store of its own, put to use over and over in rounds, each with everything
 * opened, stressed, checked byte by byte, closed, and read again without the library.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "image.h"
#include "library.h"
#include "worker.h"

enum { RUN_WORKERS = 5 };

struct run {
    const char *folder; /* the store's */
    uint64_t seed;
    bool is_host_small; /* the host gets full and empty again */
    struct vhd_catalogue *catalogue;
    struct crew *crew; /* in shared memory */
    struct ledger_plan plan;
    struct run_disk {
        const char *name;
        struct image_chain chain;
        struct vhd_disk *disk; /* NULL while closed */
        struct library_target target;
        uint64_t digest; /* of the files that must not change: the parents */
    } disks[WORKER_DISKS];
    unsigned rounds;
};

/* Open a disk so; ends the test when it cannot be. */
void run_open(struct run *run, unsigned number, unsigned flags);

/* Close a disk; it may fail only where the host is small. */
void run_close(struct run *run, unsigned number);

/* All is at rest, and the disk is open: everything in it is what it must be. */
void run_settle(struct run *run, unsigned number, uint64_t since);

/* The disk is closed: by its images alone it is what it must be, and its parents are untouched. */
void run_check_images(struct run *run, unsigned number);

/* Draw the next round's workers their seeds; sequence numbers go on from round to round. */
void run_begin_round(struct run *run, struct worker workers[RUN_WORKERS]);

/* One round with threads, whose length chance decides. */
void run_round(struct run *run);

/* One round with threads in a process that is killed at work. */
void run_kill_round(struct run *run);
