/*
 * Something that holds bytes and is stressed: a disk of the library, or the file `raw` of a mount.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target;

/* All may be called by several threads at once, and return 0 or a negative errno. */
struct target_ops {
    int (*read)(struct target *target, void *buf, size_t len, uint64_t off);
    int (*write)(struct target *target, const void *buf, size_t len, uint64_t off);

    /* Have a range read as zeros. */
    int (*discard)(struct target *target, uint64_t len, uint64_t off);

    /* Make what was done before durable. */
    int (*flush)(struct target *target);

    /* As lseek(2): -ENXIO where nothing more is found. */
    int (*seek)(struct target *target, uint64_t off, bool for_hole, uint64_t *ret);

    /* Copy to another target of the same kind, or within one. */
    int (*copy)(struct target *source, uint64_t source_off, struct target *target,
                uint64_t target_off, uint64_t len);

    /*
     * Read and write through a mapping; NULL where there is none. The kernel writes whole pages of
     * it back, so only who alone writes there may store.
     */
    int (*load)(struct target *target, void *buf, size_t len, uint64_t off);
    int (*store)(struct target *target, const void *buf, size_t len, uint64_t off);
};

struct target {
    const struct target_ops *ops;
    uint64_t size;
};
