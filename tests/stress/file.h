/* SPDX-License-Identifier: MIT */
/*
 * A file as a target, opened in all ways that the kernel has: cached, write-only, O_DIRECT, mapped.
 * Each process opens its own.
 */
#pragma once

#include "target.h"

struct file_target {
    struct target target;
    uint64_t seed;
    int cached, write_only, direct; /* -1 if not open in this way */
    uint8_t *map;                   /* NULL if not mapped */
    uint8_t *bounce;                /* aligned buffer for O_DIRECT */
};

/*
 * Open a file for reading and writing.
 *
 *   is_mapped  map it too
 *
 * Ends the test if the file cannot be opened.
 */
void file_target_open(struct file_target *file, const char *path, bool is_mapped, uint64_t seed);

/* Close it. Returns 0, or the negative errno of msync(2) or close(2). */
int file_target_close(struct file_target *file);
