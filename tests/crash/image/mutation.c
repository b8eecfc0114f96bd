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
} rows[] = {
    {"G1", "first-write"},
    {"G2", "first-write"},
    {"G3", "first-write"},
    {"G4", "growth"},
    {"W1", "two-writers-one-block"},
    {"R1", "discard-and-reuse"},
    {"R2", "discard-flush-write"},
    {"R3", "discard-flush-write"},
    {"R4", "overwrite-against-discard"},
    {"R5", "a-write-fails-half-way"},
    {"O2", "first-writes-unsynced"},
    {"C1", "discard-top-and-close"},
    {"O3", "first-write"},
    {"D1", "differencing-first-write"},
    {"D2", "differencing-first-write"},
    {"D3", "differencing-two-writers-two-granules"},
    {"D4", "differencing-two-writers-one-granule"},
    {"D5", "differencing-first-write"},
    {"D6", "differencing-first-write"},
    {"D7", "differencing-discard-over-data"},
    {"D8", "differencing-crash-open-write-beside"},
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

void mutation_set(const char *mutation)
{
#ifdef VHD_MUTATIONS
    vhd_mutation = mutation;
#else
    errx(EXIT_FAILURE, "%s: the library was built without mutations", mutation);
#endif
}
