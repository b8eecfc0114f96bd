/*
 * Fingerprints: is a file as it was? A fingerprint keeps what every change of a file changes, and
 * says whether the next change is certain to show.
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
    uint64_t parents; /* a mix over the fingerprints of the layers below; 0 without */
    bool is_reliable; /* each change after the look shows in the times */
};

/*
 * Keep what a look at a file found. The host stamps changes with a clock that moves in ticks, so a
 * file whose stamp lies within the present tick may change again and keep it. A time without
 * nanoseconds counts in ticks of two seconds (vfat, ext4 with small inodes), any other in ticks of
 * the kernel's clock: 10 ms, and as much again for a clock that is late.
 *
 *   attributes  found just now; a caller that may be delayed in between uses
 *               vhd_fingerprint_seen()
 */
struct vhd_fingerprint vhd_fingerprint_of(const struct stat *attributes);

/*
 * The same for a look that is not the present.
 *
 *   seen  real time, read before the attributes were
 */
struct vhd_fingerprint vhd_fingerprint_seen(const struct stat *attributes, struct timespec seen);

/*
 * Mix in the layer below. Call it from the lowest parent upwards: the parent's fingerprint includes
 * its own parents. The result is reliable only if both are.
 */
void vhd_fingerprint_add_parent(struct vhd_fingerprint *fingerprint,
                                const struct vhd_fingerprint *parent);

/* Is this the same file, by device and inode? It may have changed. */
bool vhd_fingerprint_is_file(const struct vhd_fingerprint *fingerprint,
                             const struct stat *attributes);

/* Are the two equal in all but is_reliable? */
bool vhd_fingerprint_is_same(const struct vhd_fingerprint *a, const struct vhd_fingerprint *b);

/*
 * Keep what an earlier look knew: where it was reliable and nothing has changed since, the new
 * fingerprint is as reliable.
 */
void vhd_fingerprint_inherit(struct vhd_fingerprint *fingerprint,
                             const struct vhd_fingerprint *earlier);
