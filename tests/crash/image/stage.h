/* SPDX-License-Identifier: MIT */
/*
 * The stage: a store of its own, in memory if the host has a place for that. It has the disk of the
 * play and, beside it, the state that is being judged.
 */
#pragma once

#include "play.h"

/* The names of the disk of the play, and of the one that shows a crash state. */
#define STAGE_DISK  "disk"
#define STAGE_STATE "state"

struct stage {
    char folder[200];
    struct vhd_catalogue *catalogue;
};

/* Make the folder and open it as a store, or close and remove both. */
void stage_open(struct stage *stage);
void stage_close(struct stage *stage);

/* The path of a disk's image. */
const char *stage_path(const struct stage *stage, const char *name, char path[300]);

/* Write an image there. */
void stage_put(const struct stage *stage, const char *name, const struct content *file);

/* Begin a play on a disk whose image is there. */
struct play stage_play(const struct stage *stage, const char *name, const struct plan *plan,
                       struct log *log);
