/* SPDX-License-Identifier: MIT */
/*
 * kill WAY [MUTATION]: kill -9 before and after every system call that makes a disk.
 *
 * If this failed: a program killed at a bad moment would leave half a disk under the disk's name,
 * or remains that nothing ever removes.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "campaign.h"

/* The least cuts in a round: two for each call that makes a disk, even with a lean C library. */
enum { ROUNDS = 4, ROUNDS_SHORT = 1, CUTS_MIN = 60 };

/* Small enough for a file system whose longest file has 4 GiB, with a table of several sectors. */
enum { SIZE_MB = 1000 };

/*
 * Cut at each stop once. The threads run in no fixed order, so the n-th stop differs between runs.
 * So one round counts only calls that touch the store, and several rounds count all calls.
 */
static void run_all(struct campaign *campaign, bool is_store_only)
{
    bool has_ended = false;

    for (unsigned n = 1; !has_ended; n++) {
        struct cut cut = {.maker = &campaign->maker, .is_store_only = is_store_only, .left = n};
        int report;

        has_ended = maker_run(&campaign->maker, cut_visit, &cut, &report);
        campaign_judge(campaign, has_ended ? NULL : &cut, report);
    }
}

int main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    char base[256], folder[300];
    struct campaign campaign;

    if (argc < 2 || argc > 3)
        errx(EXIT_BROKEN, "usage: kill WAY [MUTATION]");
    snprintf(base, sizeof base, "%s/vhdfs-kill.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(base))
        err(EXIT_BROKEN, "%s", base);
    snprintf(folder, sizeof folder, "%s/%s", base, MAKER_FOLDER);
    campaign_begin(&campaign, argv[1], argv[2], folder, SIZE_MB);
    /* These ways share most calls with "nameless", so they need fewer rounds. */
    const struct way *way = campaign.maker.way;
    const unsigned rounds = way->is_fixed || way->is_child || way->verb ? ROUNDS_SHORT : ROUNDS;
    run_all(&campaign, true);
    for (unsigned round = 0; round < rounds && !campaign_has_noticed(&campaign); round++)
        run_all(&campaign, false);
    rmdir(base);
    return campaign_end(&campaign, rounds * CUTS_MIN);
}
