/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "chance.h"
#include "fault.h"
#include "flat.h"

void run_open(struct run *run, unsigned number, unsigned flags)
{
    struct run_disk *disk = &run->disks[number];
    struct stressed *stressed = &run->crew->disks[number];
    struct vhd_verdict why = {0};

    if (vhd_disk_open(run->catalogue, disk->name, flags, &disk->disk, &why) != VHD_OK)
        fault(stressed->ledger, 0, "it cannot be opened: %s", why.sentence);
    if (vhd_disk_size(disk->disk) != stressed->ledger->size)
        fault(stressed->ledger, 0, "it has another size");
    if (vhd_disk_is_writable(disk->disk) != !!(flags & VHD_DISK_WRITE))
        fault(stressed->ledger, 0, "it is open in another way than asked for");
    disk->target = library_target_of(disk->disk);
    stressed->target = &disk->target.target;
    stressed->is_writable = flags & VHD_DISK_WRITE;
}

void run_close(struct run *run, unsigned number)
{
    struct run_disk *disk = &run->disks[number];
    int err = vhd_disk_close(TAKE(disk->disk), NULL);

    if (err < 0 && !(run->is_host_small && err == -ENOSPC))
        fault(run->crew->disks[number].ledger, 0, "closing fails: %s", strerror(-err));
}

static int read_disk(void *arg, void *buf, uint64_t len, uint64_t off)
{
    return vhd_disk_read(arg, buf, len, off, NULL);
}

void run_conclude(struct run *run, unsigned number, uint64_t since)
{
    ledger_conclude(run->crew->disks[number].ledger, since, read_disk, run->disks[number].disk);
}

/* A hash of a file's content, size and modification time. */
static uint64_t digest_of(const char *path)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    static uint64_t buf[8192];
    struct stat attributes;
    uint64_t sum = 0;
    ssize_t n;

    if (fd < 0 || fstat(fd, &attributes) < 0)
        err(EXIT_FAILURE, "%s", path);
    memset(buf, 0, sizeof buf);
    while ((n = read(fd, buf, sizeof buf)) > 0) {
        for (size_t i = 0; i < sizeof buf / 8; i++)
            sum = (sum ^ buf[i]) * UINT64_C(0x9E3779B97F4A7C15);
    }
    return sum ^ (uint64_t)attributes.st_mtim.tv_nsec ^ (uint64_t)attributes.st_size << 32;
}

void run_check_images(struct run *run, unsigned number)
{
    const struct ledger *ledger = run->crew->disks[number].ledger;
    struct run_disk *disk = &run->disks[number];
    uint64_t digest = 1;

    uint64_t off = flat_check(run->folder, &disk->chain, ledger->bytes, ledger->size, disk->name);
    if (off != FLAT_SOUND)
        fault(ledger, off, "its images are not what they must be");
    for (unsigned i = 1; i < disk->chain.count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", run->folder, disk->chain.files[i]);
        digest = digest * 31 + digest_of(path);
    }
    if (disk->digest != 0 && disk->digest != digest)
        fault(ledger, 0, "a parent was changed");
    disk->digest = digest;
}

void run_begin_round(struct run *run, struct worker workers[RUN_WORKERS])
{
    run->rounds++;
    run->crew->is_over = false;
    for (unsigned i = 0; i < RUN_WORKERS; i++) {
        workers[i] = (struct worker){
            .crew = run->crew,
            .number = i,
            .seed = chance_seed(run->seed, (uint64_t)run->rounds * RUN_WORKERS + i),
            .sequence = (uint64_t)run->rounds << 20,
        };
    }
}
