/* SPDX-License-Identifier: MIT */
/*
 * full DIR WAY: while a disk is being made, another program fills the file system of DIR. It does
 * so before the first call that touches the store, before the second, and so on.
 *
 * If this failed: on a host that fills up after the check of the free space, a disk would be half
 * made or wrongly reported.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maker.h"
#include "remains.h"
#include "result/result.h"

/* The largest table, 4 MB: a full host most likely cuts this one short. */
enum { SIZE_MB = 2088960 };

/* The program that fills the host, and its time. */
struct filler {
    const struct maker *maker;
    const char *file;
    unsigned left; /* calls until then */
    bool has_filled;
};

/* Fill the file system to the last block. */
static void fill(const char *file)
{
    static const char piece[65536];
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        err(EXIT_BROKEN, "%s", file);
    for (size_t len = sizeof piece; len >= 512; len /= 2) {
        while (write(fd, piece, len) > 0)
            continue;
        if (errno != ENOSPC)
            err(EXIT_BROKEN, "%s", file);
    }
    close(fd);
}

static bool fill_visit(void *arg, const struct tracer_stop *stop)
{
    struct filler *filler = arg;

    if (!stop->is_entry || event_of(stop, filler->maker) == EVENT_OTHER || filler->left == 0)
        return true;
    filler->left--;
    if (filler->left == 0) {
        fill(filler->file);
        filler->has_filled = true;
    }
    return true;
}

int main(int argc, char **argv)
{
    char folder[300], file[300];
    unsigned told[VHD_OUTCOME_COUNT] = {0}, faults = 0;
    struct maker maker;
    struct image whole;
    int report;

    if (argc != 3)
        errx(EXIT_BROKEN, "usage: full DIR WAY");
    snprintf(folder, sizeof folder, "%s/%s", argv[1], MAKER_FOLDER);
    snprintf(file, sizeof file, "%s/filler", argv[1]);
    maker_init(&maker, argv[2], NULL, folder, SIZE_MB);
    struct filler filler = {.maker = &maker, .file = file, .left = 0};

    maker_run(&maker, fill_visit, &filler, &report);
    const char *fault = image_read(&maker, &whole);
    if (fault)
        errx(EXIT_FAILURE, "while there is space: %s", fault);
    remains_remove(folder);
    unsigned calls = 0;
    for (;; calls++) {
        bool is_there = false;

        filler.left = calls + 1;
        filler.has_filled = false;
        maker_run(&maker, fill_visit, &filler, &report);
        if (!filler.has_filled)
            break;
        if (unlink(file) < 0)
            err(EXIT_BROKEN, "%s", file);
        bool is_folder_left = access(folder, F_OK) == 0;
        fault = remains_judge(&maker, &whole, report == VHD_OK, &is_there);
        if (!fault && report != VHD_OK && report != VHD_DISK_FULL)
            fault = "the outcome is neither S_OK nor E_DISK_FULL";
        if (!fault && report != VHD_OK && is_there)
            fault = "a refusal was reported, and the disk is there";
        if (!fault && report != VHD_OK && maker.way->makes_folder && is_folder_left)
            fault = "a refusal was reported, and the folder made for the disk is there";
        if (fault) {
            faults++;
            printf("full before call %u: told %d: %s\n", calls + 1, report, fault);
        }
        if (report >= 0)
            told[report]++;
        remains_remove(folder);
    }
    remains_remove(folder);
    printf("%s: the host filled up before one of %u calls: done %u times, E_DISK_FULL %u times\n",
           maker.way->name, calls, told[VHD_OK], told[VHD_DISK_FULL]);
    free(whole.bytes);
    maker_end(&maker);
    return faults == 0 && told[VHD_OK] > 0 && told[VHD_DISK_FULL] > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
