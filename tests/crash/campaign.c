/* SPDX-License-Identifier: MIT */
#include "campaign.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "result/result.h"

/*
 * Does a call touch the store? The index of children opens the images that may have changed since
 * the last tick of the clock, so the number of a verb's openings differs between runs.
 */
static bool is_of_store(const struct maker *maker, enum event event)
{
    if (maker->way->verb && (event == EVENT_OPEN || event == EVENT_CLOSE))
        return false;
    return event != EVENT_OTHER;
}

bool cut_visit(void *arg, const struct tracer_stop *stop)
{
    struct cut *cut = arg;
    enum event event = event_of(stop, cut->maker);

    if (cut->is_store_only && !is_of_store(cut->maker, event))
        return true;
    cut->left--;
    cut->at = event;
    cut->is_before = stop->is_entry;
    return cut->left > 0;
}

static bool visit_all(void *arg, const struct tracer_stop *stop)
{
    (void)arg;
    (void)stop;
    return true;
}

void campaign_begin(struct campaign *campaign, const char *way, const char *mutation,
                    const char *folder, uint64_t size_mb)
{
    int report;

    *campaign = (struct campaign){.mutation = mutation};
    maker_init(&campaign->maker, way, mutation, folder, size_mb);
    maker_run(&campaign->maker, visit_all, NULL, &report);
    if (report != VHD_OK)
        errx(EXIT_FAILURE, "no disk can be made here at all");
    const char *fault = image_read(&campaign->maker, &campaign->whole);
    if (fault)
        errx(EXIT_FAILURE, "without a cut: %s", fault);
    remains_remove(folder);
    /* The mutated host is for the child and the sweep, not for the reference disk above. */
    host_behave(campaign->maker.mutation, MAKER_FILE);
}

static void tell(const struct campaign *campaign, const struct cut *cut, const char *fault)
{
    printf("%s: ", campaign->maker.way->name);
    if (cut)
        printf("cut %u, %s the call \"%s\"", campaign->cuts, cut->is_before ? "before" : "after",
               event_name(cut->at));
    else
        printf("not cut");
    printf(": %s\n", fault);
}

void campaign_judge(struct campaign *campaign, const struct cut *cut, int report)
{
    bool is_there;

    if (cut) {
        campaign->cuts++;
        if (cut->is_before)
            campaign->is_seen[cut->at] = true;
    }
    const char *fault =
        remains_judge(&campaign->maker, &campaign->whole, report == VHD_OK, &is_there);
    if (!fault && report != VHD_OK && report != MAKER_SILENT)
        fault = "a refusal was reported";
    if (!fault && !cut && report != VHD_OK)
        fault = "no success was reported";
    if (fault) {
        campaign->faults++;
        tell(campaign, cut, fault);
    } else if (is_there) {
        campaign->there++;
    } else {
        campaign->absent++;
    }
    remains_remove(campaign->maker.folder);
}

bool campaign_has_noticed(const struct campaign *campaign)
{
    return campaign->mutation && campaign->faults > 0;
}

/*
 * Was there a cut before each important call, and was each outcome seen? Otherwise the campaign
 * could find no fault.
 */
static bool is_thorough(const struct campaign *campaign, unsigned cuts_min)
{
    bool is_thorough = campaign->cuts >= cuts_min;

    for (const enum event *event = campaign->maker.way->order; *event != EVENT_OTHER; event++) {
        if (!campaign->is_seen[*event]) {
            printf("there was no cut before \"%s\"\n", event_name(*event));
            is_thorough = false;
        }
    }
    return is_thorough && campaign->absent > 0 && campaign->there > 0;
}

int campaign_end(struct campaign *campaign, unsigned cuts_min)
{
    printf("%s%s%s: %u cuts, the disk there whole in %u runs, absent in %u, at fault in %u\n",
           campaign->maker.way->name, campaign->mutation ? " with " : "",
           campaign->mutation ? campaign->mutation : "", campaign->cuts, campaign->there,
           campaign->absent, campaign->faults);
    free(campaign->whole.bytes);
    maker_end(&campaign->maker);
    if (campaign->mutation) {
        puts(campaign->faults > 0 ? "noticed, as it should be" : "NOT NOTICED");
        return campaign->faults > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (!is_thorough(campaign, cuts_min)) {
        printf("this proves too little: expected at least %u cuts and both outcomes\n", cuts_min);
        return EXIT_FAILURE;
    }
    return campaign->faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
