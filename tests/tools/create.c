/* SPDX-License-Identifier: MIT */
/*
 * create PATH SIZE_MB [PATH SIZE_MB ...]: make disks through the library, for test scripts. Prints
 * one line for each: the name of the outcome, and the sentence of a refusal. Exits 0 if all were
 * made, 1 if one was refused, 2 after wrong arguments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vhd.h"

static enum vhd_result create(struct vhd_service *service, const char *path, const char *size)
{
    struct vhd_verdict why;
    struct vhd_task *task;

    enum vhd_result result =
        vhd_create_dynamic(service, path, strtoll(size, NULL, 10), &task, &why);
    if (result == VHD_OK) {
        struct vhd_task_status status;
        vhd_task_wait(task, -1);
        vhd_task_status(task, &status);
        vhd_task_unref(task);
        why = status.verdict;
        result = why.result;
    }
    if (result == VHD_OK)
        puts(vhd_outcome(result)->name);
    else
        printf("%s %s\n", vhd_outcome(result)->name, why.sentence);
    return result;
}

int main(int argc, char **argv)
{
    struct vhd_service *service;
    int status = 0;

    if (argc < 3 || argc % 2 == 0 || vhd_service_new(1, 1, &service) < 0) {
        fprintf(stderr, "usage: create PATH SIZE_MB [PATH SIZE_MB ...]\n");
        return 2;
    }
    for (int i = 1; i < argc; i += 2) {
        if (create(service, argv[i], argv[i + 1]) != VHD_OK)
            status = 1;
    }
    vhd_service_free(service);
    return status;
}
