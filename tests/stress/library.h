/* SPDX-License-Identifier: MIT */
/*
 * An open disk of the library as a target.
 */
#pragma once

#include "disk/disk.h"
#include "target.h"

struct library_target {
    struct target target;
    struct vhd_disk *disk;
};

/* The disk remains the caller's. */
struct library_target library_target_of(struct vhd_disk *disk);
