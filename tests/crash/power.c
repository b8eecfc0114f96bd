/* SPDX-License-Identifier: MIT */
/*
 * power DEVICE TYPE DIR WAY [MUTATION]: lose power before and after every system call that makes a
 * disk and touches the store. DEVICE has a file system of its own, mounted on DIR.
 *
 * If this failed: after a power cut a reported disk would be gone or damaged, or half a disk would
 * stand under a disk's name.
 *
 * The file system is shut down, with its log flushed (metadata in memory become durable, data do
 * not) or without. The loss of a medium's own cache is not modelled; order.c proves the barriers.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "campaign.h"

/* EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN have the same number and flags. */
#define IOC_SHUTDOWN _IOR('X', 125, uint32_t)

enum { LOG_FLUSHED = 1, LOG_LOST = 2 };

/* For each way of losing power. Making a disk takes about ten such calls, with two stops each. */
enum { CUTS_MIN = 12 };

/* A table of 256 KiB, so that the host can write it back in parts. */
enum { SIZE_MB = 131072 };

struct volume {
    const char *device, *type, *dir;
    int fd; /* of the root, for the shutdown */
};

static void volume_mount(struct volume *volume)
{
    if (mount(volume->device, volume->dir, volume->type, 0, NULL) < 0)
        err(EXIT_BROKEN, "cannot mount %s", volume->device);
    volume->fd = open(volume->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (volume->fd < 0 || syncfs(volume->fd) < 0)
        err(EXIT_BROKEN, "%s", volume->dir);
}

static void volume_unmount(struct volume *volume)
{
    close(volume->fd);
    if (umount(volume->dir) < 0)
        err(EXIT_BROKEN, "cannot unmount %s", volume->dir);
}

static void volume_lose_power(const struct volume *volume, uint32_t how)
{
    if (ioctl(volume->fd, IOC_SHUTDOWN, &how) < 0)
        err(EXIT_BROKEN, "cannot shut down %s", volume->dir);
}

/* A cut together with a loss of power. */
struct outage {
    struct cut cut;
    const struct volume *volume;
    uint32_t how;
};

static bool outage_visit(void *arg, const struct tracer_stop *stop)
{
    struct outage *outage = arg;

    if (cut_visit(&outage->cut, stop))
        return true;
    volume_lose_power(outage->volume, outage->how);
    return false;
}

/* Lose power at the n-th stop, or at the end. Returns true at the end. */
static bool run(struct campaign *campaign, struct volume *volume, uint32_t how, unsigned n)
{
    struct outage outage = {
        .cut = {.maker = &campaign->maker, .is_store_only = true, .left = n},
        .volume = volume,
        .how = how,
    };
    int report;

    bool has_ended = maker_run(&campaign->maker, outage_visit, &outage, &report);
    if (has_ended)
        volume_lose_power(volume, how);
    volume_unmount(volume);
    volume_mount(volume);
    campaign_judge(campaign, has_ended ? NULL : &outage.cut, report);
    if (syncfs(volume->fd) < 0)
        err(EXIT_BROKEN, "%s", volume->dir);
    return has_ended;
}

int main(int argc, char **argv)
{
    struct campaign campaign;
    char folder[300];

    if (argc < 5 || argc > 6)
        errx(EXIT_BROKEN, "usage: power DEVICE TYPE DIR WAY [MUTATION]");
    struct volume volume = {.device = argv[1], .type = argv[2], .dir = argv[3]};
    snprintf(folder, sizeof folder, "%s/%s", volume.dir, MAKER_FOLDER);

    /* The mount of this process ends with it, however it ends. */
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        err(EXIT_BROKEN, "cannot have mounts of its own");
    volume_mount(&volume);
    campaign_begin(&campaign, argv[4], argv[5], folder, SIZE_MB);
    for (uint32_t how = LOG_FLUSHED; how <= LOG_LOST; how++) {
        for (unsigned n = 1; !run(&campaign, &volume, how, n); n++)
            continue;
    }
    volume_unmount(&volume);
    printf("%s, cut at the calls that touch the store only: ", volume.type);
    return campaign_end(&campaign, 2 * CUTS_MIN);
}
