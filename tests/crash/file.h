/* SPDX-License-Identifier: MIT */
/*
 * Whole files of a store in memory.
 */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of an image. */
struct image {
    uint8_t *bytes;
    size_t len;
};

/* The path of a file in a folder. */
void file_path(const char *folder, const char *name, char ret[PATH_MAX]);

/* Read a whole file. Returns NULL, or a sentence about the fault. The caller frees ret->bytes. */
const char *file_load(const char *folder, const char *name, struct image *ret);
