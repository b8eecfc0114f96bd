/* SPDX-License-Identifier: MIT */
/*
 * image [OPTION...] [WORKLOAD|TABLE...]: crash images in every state that a cut can leave them in.
 *
 * If this failed: after a power cut or kill -9 a disk would not open, or would lose synced data. Or
 * it would show data that nobody wrote there. Other programs would fail on it too.
 *
 *   --full            try far more states
 *   --seed N          seed of all random choices; printed in any case
 *   --host A|D|X      hosts of that class only
 *   --sample DIR N    leave N of the states there, for other programs
 *   --mutation NAME   with one wrong step in the library: passes only if a fault is found
 *   --list            print the names of tables and workloads
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mutation.h"
#include "run.h"

/* The brief effort takes a minute or two for all workloads, the full one hours. */
static const struct effort quick = {
    .limits = {.all = 32, .drawn = 12},
    .nested_limits = {.all = 16, .drawn = 8},
    .mended_share = 12,
    .kills = 12,
    .random_runs = 4,
    .hosts = ON_ALL,
    .seed = 20060101,
};
static const struct effort full = {
    .limits = {.all = 4096, .drawn = 1000},
    .nested_limits = {.all = 64, .drawn = 16},
    .mended_share = 2,
    .kills = 1000,
    .random_runs = 100,
    .hosts = ON_ALL,
    .seed = 20060101,
};

struct options {
    struct effort effort;
    const struct mutation *mutation;
    const char *sample_folder;
    uint32_t sample_wanted;
    char **names; /* names of workloads, up to a NULL; none means all */
};

static uint64_t parse_number(const char *text)
{
    char *end;
    uint64_t number = text ? strtoull(text, &end, 10) : 0;

    if (!text || !*text || *end || number == 0)
        errx(EXIT_FAILURE, "not a number above 0: %s", text ? text : "nothing");
    return number;
}

static unsigned parse_host(const char *text)
{
    for (unsigned i = 0; text && i < HOST_COUNT; i++) {
        if (strcmp(text, host_names[i]) == 0)
            return 1u << i;
    }
    errx(EXIT_FAILURE, "no such class of hosts");
}

static void list(void)
{
    const struct workload *workload;
    const char *table;

    for (uint32_t i = 0; (workload = workload_at(i, &table)); i++)
        printf("%s %s\n", table, workload->name);
    exit(EXIT_SUCCESS);
}

/* Parse one option and its values. Returns the number of words. */
static int parse_option(char **words, struct options *options)
{
    if (strcmp(words[0], "--list") == 0)
        list();
    if (strcmp(words[0], "--full") == 0) {
        options->effort = full;
        return 1;
    }
    if (!words[1])
        errx(EXIT_FAILURE, "%s: no such option, or its value is missing", words[0]);
    if (strcmp(words[0], "--seed") == 0) {
        options->effort.seed = parse_number(words[1]);
    } else if (strcmp(words[0], "--host") == 0) {
        options->effort.hosts = parse_host(words[1]);
    } else if (strcmp(words[0], "--mutation") == 0) {
        options->mutation = mutation_find(words[1]);
    } else if (strcmp(words[0], "--sample") == 0) {
        options->sample_folder = words[1];
        options->sample_wanted = (uint32_t)parse_number(words[2]);
        return 3;
    } else {
        errx(EXIT_FAILURE, "%s: no such option", words[0]);
    }
    return 2;
}

static struct options parse_options(char **words)
{
    struct options options = {.effort = quick};

    while (*words && (*words)[0] == '-')
        words += parse_option(words, &options);
    options.names = words;
    return options;
}

static bool is_wanted(const struct options *options, const struct workload *workload,
                      const char *table)
{
    if (!*options->names)
        return !options->mutation || strcmp(options->mutation->workload, workload->name) == 0;
    for (char **name = options->names; *name; name++) {
        if (strcmp(*name, workload->name) == 0 || strcmp(*name, table) == 0)
            return true;
    }
    return false;
}

/* Run one workload and print the result. Returns true when there was no fault. */
static bool run_one(const struct stage *stage, const struct workload *workload,
                    const struct options *options, struct sample *sample, uint64_t *tried)
{
    struct timespec start, end;
    struct tally tally;

    clock_gettime(CLOCK_MONOTONIC, &start);
    run_workload(stage, workload, &options->effort, sample, options->mutation != NULL, &tally);
    clock_gettime(CLOCK_MONOTONIC, &end);
    *tried += tally.tried;
    printf("%-40s %8" PRIu64 " logs %10" PRIu64 " states %8" PRIu64 " different %6.1f s\n",
           workload->name, tally.logs, tally.tried, tally.distinct,
           (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    if (*tally.fault)
        printf("%s %s: %s\n", options->mutation ? "found" : "FAULT", workload->name, tally.fault);
    fflush(stdout);
    return !*tally.fault;
}

/* Run all chosen workloads. Returns the number of those with a fault. */
static uint32_t run_wanted(const struct options *options, struct sample *sample)
{
    struct stage stage;
    const struct workload *workload;
    const char *table;
    uint32_t faults = 0, runs = 0;
    uint64_t tried = 0;

    stage_open(&stage);
    for (uint32_t i = 0; (workload = workload_at(i, &table)); i++) {
        if (!is_wanted(options, workload, table) || (options->mutation && faults > 0))
            continue;
        runs++;
        faults += !run_one(&stage, workload, options, sample, &tried);
    }
    stage_close(&stage);
    printf("seed %" PRIu64 ": %" PRIu32 " workloads, %" PRIu64 " states, %" PRIu32
           " workloads with a fault\n",
           options->effort.seed, runs, tried, faults);
    if (runs == 0)
        errx(EXIT_FAILURE, "there is no such workload");
    return faults;
}

int main(int argc, char **argv)
{
    (void)argc;
    struct options options = parse_options(argv + 1);
    struct sample sample;

    if (options.mutation) {
        mutation_set(options.mutation);
        options.effort.hosts &= options.mutation->hosts;
        options.effort.mended_share = 1;
    }
    if (options.sample_folder)
        sample_init(&sample, options.sample_folder, options.sample_wanted, options.effort.seed);
    uint32_t faults = run_wanted(&options, options.sample_folder ? &sample : NULL);
    if (options.sample_folder)
        sample_write(&sample);
    if (options.mutation)
        puts(faults > 0 ? "noticed, as it should be" : "NOT NOTICED");
    return (faults > 0) == (options.mutation != NULL) ? EXIT_SUCCESS : EXIT_FAILURE;
}
