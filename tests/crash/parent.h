/* SPDX-License-Identifier: MIT */
/*
 * The parent of a differencing disk. A test puts it into the store before each run, always with the
 * same bytes and the same time. No run may change it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "file.h"

#define PARENT_FILE "parent1.vhd"

/* The time of its last change, seconds since VHD_EPOCH. vfat stores even seconds only. */
#define PARENT_TIME UINT32_C(800000000)

/* A dynamic disk of so many bytes, without blocks. The caller frees ret.bytes. */
struct image parent_of(uint64_t size);

/* Write the parent into a folder, under a name. Both are durable afterwards. */
void parent_put(const struct image *parent, const char *folder, const char *name);

/* Returns NULL if that file is as parent_put() left it, or a sentence about the fault. */
const char *parent_judge(const struct image *parent, const char *folder, const char *name);

/* Does the dynamic header of a differencing image name the parent? */
bool parent_is_of(const struct image *parent, const struct image *child);
