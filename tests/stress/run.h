/* SPDX-License-Identifier: MIT */
/*
 * A run works on two disks in a store of its own, in rounds. Each round opens the disks, stresses
 * them, checks every byte, closes them, and reads the images without the library.
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
    const char *folder; /* of the store */
    uint64_t seed;
    bool is_host_small; /* the host fills up and gets space again */
    struct vhd_catalogue *catalogue;
    struct crew *crew; /* in shared memory */
    struct ledger_plan plan;
    struct run_disk {
        const char *name;
        struct image_chain chain;
        struct vhd_disk *disk; /* NULL while closed */
        struct library_target target;
        uint64_t digest; /* of the parents, which must not change */
    } disks[WORKER_DISKS];
    unsigned rounds;
};

/* Open a disk with these flags. Ends the test on a failure. */
void run_open(struct run *run, unsigned number, unsigned flags);

/* Close a disk. It may fail only on a small host. */
void run_close(struct run *run, unsigned number);

/* Check the whole content of an open disk. No worker may be running. */
void run_conclude(struct run *run, unsigned number, uint64_t since);

/* Check a closed disk by its images alone. Its parents must be unchanged. */
void run_check_images(struct run *run, unsigned number);

/* Prepare the workers of the next round. Their sequence numbers continue. */
void run_begin_round(struct run *run, struct worker workers[RUN_WORKERS]);

/* Run one round of random length with threads. */
void run_round(struct run *run);

/* Run one round with threads in a process, and kill it. */
void run_kill_round(struct run *run);
