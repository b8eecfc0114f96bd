/* SPDX-License-Identifier: MIT */
/*
 * verb STORE COMMAND NAME...: do a verb to disks of a store through the library, as a write to ctl
 * does; "new REQUEST" makes them, as a write to new/NAME does. Prints for each a line with its
 * name, the name of the outcome and its sentence, split by tabs, then the report, each line of it
 * after a blank. Exits 0 if all have an outcome, 2 after wrong arguments.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operation/create.h"
#include "request/name.h"
#include "request/request.h"
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

/* Wait for a task and tell how it ended. */
static void tell(struct vhd_task *task, const char *name)
{
    struct vhd_task_status status;

    vhd_task_wait(task, -1);
    vhd_task_status(task, &status);
    printf("%s\t%s\t%s\n", name, vhd_outcome(status.verdict.result)->name, status.verdict.sentence);
    print_report(task);
    vhd_task_unref(task);
}

/* The line of a user, read: a command, or a request if it begins so. */
struct line {
    bool is_new;
    struct vhd_command command;
    struct vhd_request request;
};

static enum vhd_result read_line(const char *text, struct line *line)
{
    line->is_new = strncmp(text, "new ", 4) == 0;
    return line->is_new ? vhd_request_parse(text + 4, strlen(text) - 4, &line->request, NULL)
                        : vhd_command_parse(text, strlen(text), &line->command, NULL);
}

static enum vhd_result submit(struct vhd_service *service, struct vhd_catalogue *catalogue,
                              const char *name, const struct line *line, struct vhd_task **ret_task,
                              struct vhd_verdict *ret)
{
    if (!line->is_new) {
        struct vhd_verb *verb = vhd_verb_new(catalogue, name, &line->command);
        return verb ? vhd_verb_submit(service, verb, ret_task, ret)
                    : vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    }
    char file[NAME_MAX + 1];
    snprintf(file, sizeof file, "%s" VHD_ENDING, name);
    struct vhd_create *create = vhd_create_new(catalogue, file, &line->request);
    return create ? vhd_create_submit(service, create, ret_task, ret)
                  : vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
}

static void run(struct vhd_service *service, struct vhd_catalogue *catalogue, const char *name,
                const struct line *line)
{
    struct vhd_verdict why;
    struct vhd_task *task;

    if (submit(service, catalogue, name, line, &task, &why) == VHD_OK)
        tell(task, name);
    else
        printf("%s\t%s\t%s\n", name, vhd_outcome(why.result)->name, why.sentence);
}

/* A failure of the host before any disk is reached. */
static int refused(const struct vhd_verdict *why)
{
    printf("-\t%s\t%s\n", vhd_outcome(why->result)->name, why->sentence);
    return 0;
}

int main(int argc, char **argv)
{
    struct vhd_service *service;
    struct vhd_verdict why;
    struct vhd_store *store;
    struct line line;

    if (argc < 4 || read_line(argv[2], &line) != VHD_OK) {
        fprintf(stderr, "usage: verb STORE COMMAND NAME...\n");
        return 2;
    }
    int error = vhd_service_new(1, 1, &service);
    if (error < 0) {
        vhd_verdict_errno(&why, error, "cannot begin");
        return refused(&why);
    }
    if (vhd_store_open(argv[1], 0, &store, &why) != VHD_OK) {
        vhd_service_free(service);
        return refused(&why);
    }
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    for (int i = 3; catalogue && i < argc; i++)
        run(service, catalogue, argv[i], &line);
    vhd_catalogue_unref(catalogue);
    vhd_store_unref(store);
    vhd_service_free(service);
    return catalogue ? 0 : 1;
}
