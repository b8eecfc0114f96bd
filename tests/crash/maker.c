/* SPDX-License-Identifier: MIT */
#include "maker.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "operation/create.h"
#include "verb/verbs.h"
#include "request/size.h"
#include "verbs.h"
#include "vhd.h"

static const struct way ways[] = {
    {
        .name = "nameless",
        .order = {EVENT_CREATE, EVENT_WRITE, EVENT_SYNC_FILE, EVENT_LINK, EVENT_SYNC_FOLDER,
                  EVENT_REPORT},
    },
    {
        .name = "folder",
        .makes_folder = true,
        .order = {EVENT_MAKE_FOLDER, EVENT_SYNC_PARENT, EVENT_CREATE, EVENT_WRITE, EVENT_SYNC_FILE,
                  EVENT_LINK, EVENT_SYNC_FOLDER, EVENT_REPORT},
    },
    {
        .name = "named",
        .is_named = true,
        .order = {EVENT_CREATE, EVENT_WRITE, EVENT_SYNC_FILE, EVENT_LINK, EVENT_UNLINK,
                  EVENT_SYNC_FOLDER, EVENT_REPORT},
    },
    {
        .name = "linkless",
        .host = HOST_LINKLESS,
        .order = {EVENT_CREATE, EVENT_WRITE, EVENT_SYNC_FILE, EVENT_RENAME, EVENT_SYNC_FOLDER,
                  EVENT_REPORT},
    },
    {
        .name = "fixed",
        .is_fixed = true,
        .order = {EVENT_CREATE, EVENT_RESERVE, EVENT_WRITE, EVENT_SYNC_FILE, EVENT_LINK,
                  EVENT_SYNC_FOLDER, EVENT_REPORT},
    },
    {
        .name = "child",
        .is_child = true,
        .order = {EVENT_CREATE, EVENT_WRITE, EVENT_SYNC_FILE, EVENT_LINK, EVENT_SYNC_FOLDER,
                  EVENT_REPORT},
    },
    {
        .name = "snapshot",
        .verb = "snapshot parent1",
        .order = {EVENT_CREATE, EVENT_WRITE, EVENT_SYNC_FILE, EVENT_SYNC_FOLDER, EVENT_LINK,
                  EVENT_SYNC_FOLDER, EVENT_RENAME, EVENT_SYNC_FOLDER, EVENT_REPORT},
    },
    {
        .name = "rebase",
        .verb = "rebase other",
        .order = {EVENT_WRITE, EVENT_SYNC_FILE, EVENT_WRITE, EVENT_SYNC_FILE, EVENT_REPORT},
    },
};

static const struct way *way_find(const char *name)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    }
    errx(EXIT_BROKEN, "there is no way \"%s\" to make a disk", name);
}

/* Make the disk by a public function. */
static enum vhd_result begin(struct vhd_service *service, const struct maker *maker,
                             struct vhd_task **ret_task)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", maker->folder, MAKER_FILE);
    if (maker->way->is_child)
        return vhd_create_differencing(service, path, PARENT_FILE, ret_task, NULL);
    return (maker->way->is_fixed ? vhd_create_fixed : vhd_create_dynamic)(
        service, path, (int64_t)maker->size_mb, ret_task, NULL);
}

/* The same with a named draft. */
static enum vhd_result begin_named(struct vhd_service *service, const struct maker *maker,
                                   struct vhd_task **ret_task)
{
    const struct vhd_request request = {.size = maker->size_mb * VHD_MB};
    struct vhd_store *store;

    enum vhd_result result = vhd_store_open(maker->folder, 0, &store, NULL);
    if (result != VHD_OK)
        return result;
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    struct vhd_create *create = catalogue ? vhd_create_new(catalogue, MAKER_FILE, &request) : NULL;
    vhd_catalogue_unref(catalogue);
    vhd_store_unref(store);
    if (!create)
        return VHD_OUT_OF_MEMORY;
    vhd_create_name_draft(create);
    return vhd_create_submit(service, create, ret_task, NULL);
}

/* Have the verb done to the disk. */
static enum vhd_result begin_verb(struct vhd_service *service, const struct maker *maker,
                                  struct vhd_task **ret_task)
{
    const char *line = maker->way->verb;
    struct vhd_command command;
    struct vhd_store *store;

    enum vhd_result result = vhd_store_open(maker->folder, 0, &store, NULL);
    if (result == VHD_OK)
        result = vhd_command_parse(line, strlen(line), &command, NULL);
    if (result != VHD_OK)
        return result;
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    struct vhd_verb *verb = catalogue ? vhd_verb_new(catalogue, MAKER_DISK, &command) : NULL;
    vhd_catalogue_unref(catalogue);
    vhd_store_unref(store);
    return verb ? vhd_verb_submit(service, verb, ret_task, NULL) : VHD_OUT_OF_MEMORY;
}

/* The child process's part. */
static int make(void *arg)
{
    const struct maker *maker = arg;
    struct vhd_service *service;
    struct vhd_task *task;

    host_behave(maker->way->host | maker->mutation, MAKER_FILE);
    if (vhd_service_new(1, 1, &service) < 0)
        return EXIT_BROKEN;
    enum vhd_result result = (maker->way->verb       ? begin_verb
                              : maker->way->is_named ? begin_named
                                                     : begin)(service, maker, &task);
    if (result == VHD_OK) {
        struct vhd_task_status status;
        vhd_task_wait(task, -1);
        vhd_task_status(task, &status);
        result = status.verdict.result;
        vhd_task_unref(task);
    }
    const unsigned char report = (unsigned char)result;
    if (write(maker->report_fd, &report, 1) != 1)
        return EXIT_BROKEN;
    vhd_service_free(service);
    return 0;
}

void maker_init(struct maker *maker, const char *way, const char *mutation, const char *folder,
                uint64_t size_mb)
{
    *maker = (struct maker){.way = way_find(way), .folder = folder};
    maker->size_mb = maker->way->is_fixed ? FIXED_MB : maker->way->verb ? VERB_MB : size_mb;
    maker->mutation = mutation ? host_mutation(mutation) : 0;
    if (mutation && maker->mutation == 0)
        errx(EXIT_BROKEN, "there is no mutation \"%s\"", mutation);
    if (maker->way->is_child || maker->way->verb)
        maker->parent = parent_of(maker->size_mb * VHD_MB);
}

void maker_end(struct maker *maker)
{
    free(maker->parent.bytes);
}

bool maker_run(struct maker *maker, tracer_visit *visit, void *visit_arg, int *ret_report)
{
    unsigned char report;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        err(EXIT_BROKEN, "pipe");
    if (!maker->way->makes_folder && mkdir(maker->folder, 0777) < 0)
        err(EXIT_BROKEN, "%s", maker->folder);
    if (maker->way->is_child)
        parent_put(&maker->parent, maker->folder, PARENT_FILE);
    if (maker->way->verb)
        verb_prepare(maker);
    maker->report_fd = ends[1];
    bool has_ended = tracer_run(make, maker, visit, visit_arg);
    *ret_report = read(ends[0], &report, 1) == 1 ? report : MAKER_SILENT;
    close(ends[0]);
    close(ends[1]);
    return has_ended;
}
