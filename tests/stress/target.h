/* SPDX-License-Identifier: MIT */
/*
 * The thing under stress: a disk of the library, or the file `raw` of a mount.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target;

/* Several threads may call each function at once. All return 0 or a negative errno. */
struct target_ops {
    int (*read)(struct target *target, void *buf, size_t len, uint64_t off);
    int (*write)(struct target *target, const void *buf, size_t len, uint64_t off);

    /* Make a range read as zeros. */
    int (*discard)(struct target *target, uint64_t len, uint64_t off);

    /* Make all earlier changes durable. */
    int (*flush)(struct target *target);

    /* As lseek(2): -ENXIO if nothing more is found. */
    int (*seek)(struct target *target, uint64_t off, bool for_hole, uint64_t *ret);

    /* Copy to another target of the same kind, or within one. */
    int (*copy)(struct target *source, uint64_t source_off, struct target *target,
                uint64_t target_off, uint64_t len);

    /*
     * Read and write by a mapping; NULL if there is none. The kernel writes whole pages back, so a
     * range of store() must lie in pages of its caller alone.
     */
    int (*load)(struct target *target, void *buf, size_t len, uint64_t off);
    int (*store)(struct target *target, const void *buf, size_t len, uint64_t off);
};

struct target {
    const struct target_ops *ops;
    uint64_t size;
};
