#include "mutation.h"

#include <err.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mutation.h"

#ifdef VHD_MUTATIONS
const char *vhd_mutation;
#endif

/*
 * Which workload must notice which mutation; durability, "Why each barrier", names both. What it
 * lists for changes of size and of names is not here. O1, no fdatasync at open, can only be noticed
 * after a change of size: nothing else has entries that are in the cache alone point to data that
 * an opening then writes over.
 */
static const struct {
    const char *mutation, *workload;
    unsigned hosts; /* where it is noticed soonest; 0: wherever the workload runs */
} rows[] = {
    {"G1", "first-write", 0},
    {"G2", "first-write", 0},
    {"G3", "first-write", 0},
    {"G4", "growth", ON_X},
    {"W1", "two-writers-one-block", 0},
    {"R1", "discard-and-reuse", 0},
    {"R2", "discard-flush-write", 0},
    {"R3", "discard-flush-write", 0},
    {"R4", "overwrite-against-discard", 0},
    {"R5", "a-write-fails-half-way", 0},
    {"O2", "first-writes-unsynced", 0},
    {"C1", "discard-top-and-close", 0},
    {"O3", "first-write", 0},
    {"D1", "differencing-first-write", 0},
    {"D2", "differencing-first-write", 0},
    {"D3", "differencing-two-writers-two-granules", 0},
    {"D4", "differencing-two-writers-one-granule", ON_D},
    {"D5", "differencing-first-write", 0},
    {"D6", "differencing-first-write", 0},
    {"D7", "differencing-discard-over-data", 0},
    {"D8", "differencing-crash-open-write-beside", 0},
};

bool mutation_concerns(const char *mutation, const char *workload)
{
    bool is_known = false;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].mutation, mutation) == 0) {
            is_known = true;
            if (strcmp(rows[i].workload, workload) == 0)
                return true;
        }
    }
    if (!is_known)
        errx(EXIT_FAILURE, "there is no mutation %s", mutation);
    return false;
}

unsigned mutation_hosts(const char *mutation)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].mutation, mutation) == 0 && rows[i].hosts != 0)
            return rows[i].hosts;
    }
    return ON_ALL;
}

void mutation_set(const char *mutation)
{
#ifdef VHD_MUTATIONS
    vhd_mutation = mutation;
#else
    errx(EXIT_FAILURE, "%s: the library was built without mutations", mutation);
#endif
}
