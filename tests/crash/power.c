/*
 * power DEVICE TYPE DIR WAY [MUTATION]: lose power before and after every system call of making a
 * disk that touches the store, on a file system of its own: DEVICE, mounted on DIR.
 *
 * If this failed: after a power cut a disk whose creation had been reported done would be gone or
 * damaged, or half a disk would stand under a disk's name.
 *
 * The power is lost by shutting the file system down, with its log flushed (what it had only in
 * memory of its own structures is durable, the data are not) and without (neither is). What a
 * medium loses of its own cache is not modelled; that the barriers are there, order.c shows.
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

/* EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN: one number, and the same flags. */
#define IOC_SHUTDOWN _IOR('X', 125, uint32_t)

enum { LOG_FLUSHED = 1, LOG_LOST = 2 };

/* Per way of losing power; a create makes some ten such calls, each with a stop on either side. */
enum { CUTS_MIN = 12 };

/* A table of 256 KiB: enough to be written back in parts. */
enum { SIZE_MB = 131072 };

struct volume {
    const char *device, *type, *dir;
    int fd; /* of its root, to shut it down */
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

/* A cut that comes with the loss of power. */
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

/* The power is lost at the n-th stop, or when all is done. Returns true when all was done. */
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

    /* A mount of our own ends with us, however we end. */
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
