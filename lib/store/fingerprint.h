/* SPDX-License-Identifier: MIT */
/*
 * Fingerprints show whether a file has changed. A fingerprint keeps all values that a change of a
 * file alters. It also says whether the next change is certain to show.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct vhd_fingerprint {
    dev_t dev;
    ino_t ino;
    off_t size; /* bytes */
    struct timespec mtime, ctime;
    uint64_t parents; /* a hash over the fingerprints of the layers below; 0 without */
    bool is_reliable; /* every later change shows in the times */
};

/*
 * The fingerprint of a file, from its attributes.
 *
 * The host stamps changes with a clock that moves in ticks. A file whose stamp lies within the
 * present tick may change again and keep the stamp, so its fingerprint is not reliable. A stamp
 * without nanoseconds counts in ticks of 2 s (vfat, ext4 with small inodes). Any other counts in
 * ticks of the kernel's clock: 10 ms, doubled because that clock may be late.
 *
 *   attributes  read just now; a caller that may be delayed since uses vhd_fingerprint_seen()
 */
struct vhd_fingerprint vhd_fingerprint_of(const struct stat *attributes);

/*
 * The same for attributes that were read earlier.
 *
 *   seen  real time, read before the attributes
 */
struct vhd_fingerprint vhd_fingerprint_seen(const struct stat *attributes, struct timespec seen);

/*
 * Mix in the fingerprint of the layer below, which already includes its own parents. So call this
 * from the lowest parent upwards. The result is reliable only if both are.
 */
void vhd_fingerprint_add_parent(struct vhd_fingerprint *fingerprint,
                                const struct vhd_fingerprint *parent);

/* Is this the same file, by device and inode? Its content may differ. */
bool vhd_fingerprint_is_file(const struct vhd_fingerprint *fingerprint,
                             const struct stat *attributes);

/* Are both equal in all fields but is_reliable? */
bool vhd_fingerprint_is_same(const struct vhd_fingerprint *a, const struct vhd_fingerprint *b);

/* Make a fingerprint reliable if an earlier one was and both are the same. */
void vhd_fingerprint_inherit(struct vhd_fingerprint *fingerprint,
                             const struct vhd_fingerprint *earlier);
