/* SPDX-License-Identifier: MIT */
/*
 * A reader of VHD images that shares no code with the library. It also finds forbidden states.
 */
#pragma once

#include <stdint.h>

#include "image.h"

#define FLAT_SOUND UINT64_MAX

/*
 * Compare a closed disk with its expected content. Judge its own image too: both footers, the
 * places of the blocks, and no slack behind the last one.
 *
 *   name  of the disk, for messages
 *
 * Returns FLAT_SOUND, or a byte of the disk where a fault is. The faults are printed on stderr.
 */
uint64_t flat_check(const char *folder, const struct image_chain *chain, const uint8_t *expected,
                    uint64_t size, const char *name);
