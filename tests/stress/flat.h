/*
 * What a disk holds by the specification alone: its images read without any of the library's code,
 * and looked at for what no image may be.
 */
#pragma once

#include <stdint.h>

#include "image.h"

#define FLAT_SOUND UINT64_MAX

/*
 * Compare a disk that nobody has open with what it must hold, and judge its own image: footers,
 * places of the blocks, and that no room is left over behind the last one.
 *
 *   name  how to call the disk in what is found wrong
 *
 * Returns FLAT_SOUND, or a byte of the disk where something is wrong, printed on stderr.
 */
uint64_t flat_check(const char *folder, const struct image_chain *chain, const uint8_t *expected,
                    uint64_t size, const char *name);
