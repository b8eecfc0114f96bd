/* SPDX-License-Identifier: MIT */
#include "mutation.h"

#include <err.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mutation.h"

#ifdef VHD_MUTATIONS

#    include "base/cleanup.h"
#    include "disk/allocate.h"
#    include "format/block.h"

const char *vhd_mutation;

int __real_vhd_disk_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off);
int __wrap_vhd_disk_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off);

/* Remove a block's entry, and call its slot ready at once. */
static void recycle_slot(struct vhd_disk *disk, uint32_t block)
{
    uint32_t sector;

    if (vhd_block_deallocate(disk, block, &sector) < 0 || sector == VHD_UNALLOCATED)
        return;
    HOLD_LOCK(&disk->growth_lock);
    if (vhd_slots_wait(&disk->slots, sector, 0) == 0)
        vhd_slots_barrier_completed(&disk->slots, 0);
}

/*
 * R5 adds a step instead of a change to one, so it needs no line in the library. The linker leads
 * vhd_disk_write() here (--wrap).
 */
int __wrap_vhd_disk_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off)
{
    const uint32_t block_size = disk->top->image.header.block_size;
    int err = __real_vhd_disk_write(disk, buf, len, off);

    if (err == 0 || !MUTATED(R5))
        return err;
    for (uint64_t block = off / block_size; block * block_size < off + len; block++)
        recycle_slot(disk, (uint32_t)block);
    return err;
}

#endif

/*
 * The workload that must notice each mutation. lib/disk/README.md, "Mutations", lists the wrong
 * steps and their faults. O1, no fdatasync at open, is not here: only a change of size could show
 * it.
 */
static const struct mutation rows[] = {
    {"G1", "first-write", ON_ALL},
    {"G2", "first-write", ON_ALL},
    {"G3", "first-write", ON_ALL},
    {"G4", "growth", ON_X},
    {"G5", "growth", ON_X},
    {"W1", "two-writers-one-block", ON_ALL},
    {"R1", "discard-and-reuse", ON_ALL},
    {"R2", "discard-flush-write", ON_ALL},
    {"R3", "discard-flush-write", ON_ALL},
    {"R4", "overwrite-against-discard", ON_ALL},
    {"R5", "a-write-fails-half-way", ON_ALL},
    {"O2", "first-writes-unsynced", ON_ALL},
    {"C1", "discard-top-and-close", ON_ALL},
    {"O3", "first-write", ON_ALL},
    {"K1", "compact-zeros", ON_ALL},
    {"K2", "compact-zeros", ON_ALL},
    {"M1", "merge-parts-into-dynamic", ON_ALL},
    {"M2", "merge-into-dynamic", ON_ALL},
    {"O4", "relink", ON_D},
    {"D1", "differencing-first-write", ON_ALL},
    {"D2", "differencing-first-write", ON_ALL},
    {"D3", "differencing-two-writers-two-subblocks", ON_ALL},
    {"D4", "differencing-two-writers-one-subblock", ON_D},
    {"D5", "differencing-first-write", ON_ALL},
    {"D6", "differencing-first-write", ON_ALL},
    {"D7", "differencing-discard-over-data", ON_ALL},
    {"D8", "differencing-crash-open-write-beside", ON_ALL},
    {"H1", "relink-an-empty-disk", ON_X},
    {"H2", "relink", ON_ALL},
    {"H3", "relink", ON_ALL},
    {"H4", "relink", ON_ALL},
    {"H5", "relink", ON_ALL},
};

const struct mutation *mutation_find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    errx(EXIT_FAILURE, "there is no mutation %s", name);
}

void mutation_set(const struct mutation *mutation)
{
#ifdef VHD_MUTATIONS
    vhd_mutation = mutation->name;
#else
    errx(EXIT_FAILURE, "%s: the library was built without mutations", mutation->name);
#endif
}
