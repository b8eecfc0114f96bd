/* SPDX-License-Identifier: MIT */
/*
 * library PREFIX SIZE_MB COUNT THREADS: make disks through the library and print the seconds. Each
 * thread waits for its disk before it requests the next. The service has a worker for each thread.
 */
#include <stdio.h>

#include "crew.h"
#include "vhd.h"

static bool make(void *arg, const char *path, int64_t size_mb)
{
    struct vhd_verdict why;
    struct vhd_task *task;

    enum vhd_result result = vhd_create_dynamic(arg, path, size_mb, &task, &why);
    if (result == VHD_OK) {
        struct vhd_task_status status;
        vhd_task_wait(task, -1);
        vhd_task_status(task, &status);
        vhd_task_unref(task);
        why = status.verdict;
        result = why.result;
    }
    if (result != VHD_OK)
        fprintf(stderr, "%s: %s %s\n", path, vhd_outcome(result)->name, why.sentence);
    return result == VHD_OK;
}

int main(int argc, char **argv)
{
    struct crew crew;
    struct vhd_service *service;

    if (!crew_parse(argc, argv, &crew))
        return 2;
    if (vhd_service_new(crew.threads, 1, &service) < 0) {
        fprintf(stderr, "cannot start a service\n");
        return 1;
    }
    int status = crew_run(&crew, ".vhd", make, service);
    vhd_service_free(service);
    return status;
}
