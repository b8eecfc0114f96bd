/* SPDX-License-Identifier: MIT */
/*
 * verb STORE COMMAND NAME...: do a verb to disks of a store through the library, as a write to ctl
 * does. Prints for each a line with its name, the name of the outcome and its sentence, split by
 * tabs, then the report, each line of it after a blank. Exits 0 if all have an outcome, 2 after
 * wrong arguments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verb/verbs.h"

static void print_report(struct vhd_task *task)
{
    char *text;

    if (vhd_task_report(task, &text) < 0)
        return;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        printf(" %s\n", line);
    free(text);
}

static int run(struct vhd_service *service, struct vhd_catalogue *catalogue, const char *name,
               const struct vhd_command *command)
{
    struct vhd_task_status status;
    struct vhd_verdict why;
    struct vhd_task *task;

    struct vhd_verb *verb = vhd_verb_new(catalogue, name, command);
    if (!verb || vhd_verb_submit(service, verb, &task, &why) != VHD_OK)
        return -1;
    vhd_task_wait(task, -1);
    vhd_task_status(task, &status);
    printf("%s\t%s\t%s\n", name, vhd_outcome(status.verdict.result)->name, status.verdict.sentence);
    print_report(task);
    vhd_task_unref(task);
    return 0;
}

int main(int argc, char **argv)
{
    struct vhd_service *service;
    struct vhd_command command;
    struct vhd_store *store;
    int status = 0;

    if (argc < 4 || vhd_service_new(1, 1, &service) < 0 ||
        vhd_command_parse(argv[2], strlen(argv[2]), &command, NULL) != VHD_OK ||
        vhd_store_open(argv[1], 0, &store, NULL) != VHD_OK) {
        fprintf(stderr, "usage: verb STORE COMMAND NAME...\n");
        return 2;
    }
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    for (int i = 3; catalogue && i < argc && status == 0; i++)
        status = run(service, catalogue, argv[i], &command) < 0;
    vhd_catalogue_unref(catalogue);
    vhd_store_unref(store);
    vhd_service_free(service);
    return catalogue ? status : 1;
}
