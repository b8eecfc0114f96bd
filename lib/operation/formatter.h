/* SPDX-License-Identifier: MIT */
/*
 * A formatter: it has mkfs.fat make a file system in a file, and ends it on request. The one here
 * starts mkfs.fat as a child of this process. A program may bring another one.
 */
#pragma once

#include <stdbool.h>

#include "format/fat.h"

/* Bytes of the reason that a formatter gives. */
#define VHD_FORMATTER_REASON_SIZE 256

struct vhd_formatter {
    /*
     * Make a file system in a file, from VHD_FAT_FIRST_SECTOR on. Any thread may call this; calls
     * may overlap.
     *
     *   arg         of the formatter
     *   fd          the file, a regular one that reaches VHD_FAT_FIRST_SECTOR at least, open for
     *               reading and writing. It grows as far as there is something to write
     *   is_wanted   called at least ten times a second; once it returns false, the call ends within
     *               a second
     *   wanted_arg  its argument
     *   ret_reason  receives a clause for a sentence if a negative errno needs one, else ""
     *
     * Returns 0, or
     *   -ENOENT     mkfs.fat is missing
     *   -ECANCELED  is_wanted() returned false; mkfs.fat has ended
     *   another negative errno: mkfs.fat could not be started, or has failed. It is -EIO, or the
     *               one that the last line of mkfs.fat ends with
     */
    int (*run)(void *arg, int fd, const struct vhd_fat *fat, bool (*is_wanted)(void *arg),
               void *wanted_arg, char ret_reason[VHD_FORMATTER_REASON_SIZE]);
    void *arg;
};

/*
 * Starts mkfs.fat directly. The child gets the file and the standard streams, no other descriptor,
 * and a process group of its own, so that the terminal's signals spare it.
 */
extern const struct vhd_formatter vhd_formatter_direct;

/*
 * Is mkfs.fat installed? It is searched for in the absolute folders of PATH, then in /usr/sbin and
 * /sbin, which the PATH of a user lacks.
 */
bool vhd_formatter_is_installed(void);
