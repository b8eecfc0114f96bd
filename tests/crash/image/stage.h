/*
 * The stage: a store of its own, in memory where the host has a place for that, with the disk that
 * is played with and, beside it, whatever state of it is being judged.
 */
#pragma once

#include "play.h"

/* The disk that is played with, and the one that shows a crash state. */
#define STAGE_DISK  "disk"
#define STAGE_STATE "state"

struct stage {
    char folder[200];
    struct vhd_store *store;
    struct vhd_children *children;
};

void stage_open(struct stage *stage);
void stage_close(struct stage *stage);

/* The path of a disk's image. */
const char *stage_path(const struct stage *stage, const char *name, char path[300]);

/* Put an image there. */
void stage_put(const struct stage *stage, const char *name, const struct content *file);

/* Begin to play with a disk; the image is there. */
struct play stage_play(const struct stage *stage, const char *name, const struct plan *plan,
                       struct log *log);
