/*
 * A file as something to be stressed, in all the ways that the kernel has: cached, write-only,
 * O_DIRECT, mapped. Each process opens its own.
 */
#pragma once

#include "target.h"

struct file_target {
    struct target target;
    uint64_t seed;
    int cached, write_only, direct; /* -1 where it is not open so */
    uint8_t *map;                   /* NULL where it is not mapped */
    uint8_t *bounce;                /* what O_DIRECT takes */
};

/*
 * Open a file for reading and writing.
 *
 *   is_mapped  also by a mapping
 *
 * Ends the test when it cannot be opened.
 */
void file_target_open(struct file_target *file, const char *path, bool is_mapped, uint64_t seed);

/* Close it. Returns 0, or the negative errno of msync(2) or close(2). */
int file_target_close(struct file_target *file);
