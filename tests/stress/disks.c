/* SPDX-License-Identifier: MIT */
/*
 * disks SCENARIO [-s SEED] [-t SECONDS] [-r ROUNDS] [-d FOLDER]: threads call the library on two
 * disks at random, and every byte is checked.
 *
 * If this failed: a user would lose written data, or find data at a wrong place, or own a damaged
 * image. It could happen under load, on a full host, or after the daemon was killed.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chance.h"
#include "fault.h"
#include "trial.h"
#include "run.h"

enum { SKIPPED = 77 };

static const struct scenario {
    const char *name;
    const char *kinds[WORKER_DISKS]; /* of images; NULL means any */
    bool is_host_small, is_killed;
} scenarios[] = {
    {.name = "dynamic", .kinds = {"dynamic", "dynamic"}},
    {.name = "fixed", .kinds = {"fixed", "dynamic"}},
    {.name = "partial", .kinds = {"partial", "partial"}},
    {.name = "chain", .kinds = {"chain", "chain"}},
    {.name = "any", .kinds = {NULL, NULL}},
    {.name = "full", .kinds = {NULL, NULL}, .is_host_small = true},
    {.name = "kill", .kinds = {NULL, NULL}, .is_killed = true},
};

static const struct scenario *find_scenario(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    }
    errx(2, "there is no scenario \"%s\"", name);
}

static struct image_plan draw_plan(const char *kind, uint64_t *seed)
{
    static const char *const kinds[] = {"dynamic", "fixed", "partial", "chain"};
    struct image_plan plan;

    if (!kind)
        kind = kinds[chance_below(seed, sizeof kinds / sizeof *kinds)];
    if (!image_draw_plan(kind, seed, &plan))
        errx(2, "there is no kind \"%s\"", kind);
    printf("%s: %" PRIu64 " bytes, blocks of %" PRIu32 "%s%s\n", kind, plan.size, plan.block,
           plan.is_tidy ? ", tidy" : "", plan.is_fixed ? ", based on a fixed one" : "");
    return plan;
}

/*
 * The histories limit the number of shared sectors. If the process is killed, all sectors are
 * shared, because only they allow for an operation that was cut off.
 */
static struct ledger_plan ledger_plan_of(const struct scenario *scenario)
{
    return (struct ledger_plan){
        .workers = RUN_WORKERS,
        .align = 1,
        .shared_percent = scenario->is_killed ? 100 : 25,
        .shared_max = scenario->is_killed ? UINT64_MAX / 2 : 6 << 20,
        .lot_max = 6 << 20,
    };
}

static void make_disks(struct run *run, const struct image_plan plans[WORKER_DISKS])
{
    static const char *const names[WORKER_DISKS] = {"a", "b"};
    struct ledger_clock *clock = ledger_memory(sizeof *clock);
    struct vhd_store *store;

    run->crew->disk_count = WORKER_DISKS;
    for (unsigned i = 0; i < WORKER_DISKS; i++) {
        struct ledger *ledger = ledger_new(names[i], plans[i].size, clock);
        run->crew->disks[i].ledger = ledger;
        run->disks[i].name = names[i];
        image_make(run->folder, names[i], &plans[i], &run->seed, ledger->bytes,
                   &run->disks[i].chain);
    }
    if (vhd_store_open(run->folder, 0, &store, NULL) != VHD_OK)
        errx(EXIT_FAILURE, "%s cannot be opened", run->folder);
    run->catalogue = vhd_catalogue_new(store);
    if (!run->catalogue)
        err(EXIT_FAILURE, "catalogue");
    vhd_store_unref(store); /* the catalogue holds it */
    for (unsigned i = 0; i < WORKER_DISKS; i++) {
        ledger_cut(run->crew->disks[i].ledger, &run->plan, &run->seed);
        run_open(run, i, 0);
        run_conclude(run, i, 0);
        run_close(run, i);
    }
}

static int body(const struct trial_options *options, const char *folder)
{
    const struct scenario *scenario = find_scenario(options->scenario);
    struct run run = {.folder = folder, .seed = chance_seed(options->seed, 0)};
    const time_t end = time(NULL) + (time_t)options->seconds;

    struct image_plan plans[WORKER_DISKS];
    for (unsigned i = 0; i < WORKER_DISKS; i++)
        plans[i] = draw_plan(scenario->kinds[i], &run.seed);
    const uint64_t capacity = (plans[0].size + plans[1].size) * 5 + (UINT64_C(24) << 20);
    if (scenario->is_host_small && !options->folder && !trial_mount_small(folder, capacity))
        return SKIPPED;
    fault_begin(options->seed);
    run.crew = ledger_memory(sizeof *run.crew);
    run.plan = ledger_plan_of(scenario);
    make_disks(&run, plans);
    run.is_host_small = run.crew->may_be_full = scenario->is_host_small;
    while (run.rounds < options->rounds || time(NULL) < end) {
        if (scenario->is_killed)
            run_kill_round(&run);
        else
            run_round(&run);
    }
    vhd_catalogue_unref(run.catalogue);
    printf("%u rounds, ", run.rounds);
    crew_tell(run.crew);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct trial_options options;

    trial_parse(argc, argv, &options);
    return trial_run(&options, body);
}
