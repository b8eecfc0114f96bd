/* SPDX-License-Identifier: MIT */
/*
 * engine STORE NAME FILE: read and write an empty disk through the library, and a flat file by
 * calls of the host, at the same places. It measures the engine without FUSE. Both have the same
 * size, at least 8 GB. Prints a line for each row: name, unit, and the two figures.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "image/catalogue.h"
#include "disk/disk.h"
#include "store/store.h"

#define KB UINT64_C(1024)
#define MB (1024 * KB)
#define GB (1024 * MB)

/* Calls of the host are short only at the end of a file, and no row reaches it. */
struct target {
    struct vhd_disk *disk; /* NULL for the flat file */
    int fd;
};

/* A row: calls of one length over a range, in order, in steps, or at random. */
struct row {
    const char *name;
    enum { READ, WRITE, WRITE_AND_SYNC } kind;
    uint64_t call, off, step; /* step 0: random */
    unsigned count;
    uint64_t range; /* for random calls */
};

static const struct row rows[] = {
    {"first write 1 MiB", WRITE, MB, 0, MB, 512, 0},
    {"overwrite 1 MiB", WRITE, MB, 0, MB, 512, 0},
    {"read 1 MiB", READ, MB, 0, MB, 512, 0},
    {"read 4 KiB", READ, 4 * KB, 0, 0, 200000, 512 * MB},
    {"overwrite 4 KiB", WRITE, 4 * KB, 0, 0, 100000, 512 * MB},
    {"overwrite 4 KiB + flush", WRITE_AND_SYNC, 4 * KB, 0, 0, 1000, 512 * MB},
    {"read a hole 4 KiB", READ, 4 * KB, 5 * GB, 0, 100000, 512 * MB},
    {"first write 4 KiB a block", WRITE, 4 * KB, GB, 2 * MB, 1024, 0},
    {"first write 4 KiB a block + flush", WRITE_AND_SYNC, 4 * KB, 6 * GB, 2 * MB, 256, 0},
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool read_at(const struct target *target, void *buf, size_t len, uint64_t off)
{
    bool is_hole = false;

    if (target->disk)
        return vhd_disk_read(target->disk, buf, len, off, &is_hole) == 0;
    return pread(target->fd, buf, len, (off_t)off) == (ssize_t)len;
}

static bool write_at(const struct target *target, const void *buf, size_t len, uint64_t off)
{
    if (target->disk)
        return vhd_disk_write(target->disk, buf, len, off) == 0;
    return pwrite(target->fd, buf, len, (off_t)off) == (ssize_t)len;
}

static bool sync_all(const struct target *target)
{
    return (target->disk ? vhd_disk_flush(target->disk) : fdatasync(target->fd)) == 0;
}

static uint64_t place(const struct row *row, unsigned i, uint64_t *seed)
{
    if (row->step)
        return row->off + i * row->step;
    *seed = *seed * UINT64_C(6364136223846793005) + 1;
    return row->off + (*seed >> 32) % (row->range / row->call) * row->call;
}

/* Returns the seconds, or -1 after a call has failed. */
static double run(const struct row *row, const struct target *target)
{
    static char data[MB], read_into[MB];
    uint64_t seed = 1;

    memset(data, 0x5A, sizeof data);
    double begin = seconds();
    for (unsigned i = 0; i < row->count; i++) {
        uint64_t off = place(row, i, &seed);
        if (row->kind == READ ? !read_at(target, read_into, row->call, off)
                              : !write_at(target, data, row->call, off))
            return -1;
        if (row->kind == WRITE_AND_SYNC && !sync_all(target))
            return -1;
    }
    return seconds() - begin;
}

static bool measure(const struct target targets[2])
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        double count = row->call == MB ? (double)row->count * MB / 1e6 : (double)row->count;
        printf("%s\t%s", row->name, row->call == MB ? "MB/s" : "1/s");
        for (int j = 0; j < 2; j++) {
            if (!sync_all(&targets[j]))
                return false;
            double taken = run(row, &targets[j]);
            if (taken < 0)
                return false;
            printf("\t%.1f", count / taken);
        }
        putchar('\n');
    }
    return true;
}

static bool open_disk(const char *path, const char *name, struct vhd_disk **ret)
{
    struct vhd_verdict why;
    struct vhd_store *store;

    if (vhd_store_open(path, 0, &store, &why) == VHD_OK) {
        struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
        bool is_open =
            catalogue && vhd_disk_open(catalogue, name, VHD_DISK_WRITE, ret, &why) == VHD_OK;
        vhd_catalogue_unref(catalogue);
        vhd_store_unref(store);
        if (is_open)
            return true;
    }
    fprintf(stderr, "%s\n", why.sentence);
    return false;
}

int main(int argc, char **argv)
{
    struct target targets[2] = {{.fd = -1}, {.fd = -1}};

    if (argc != 4) {
        fprintf(stderr, "usage: engine STORE NAME FILE\n");
        return 2;
    }
    if (!open_disk(argv[1], argv[2], &targets[0].disk))
        return 1;
    targets[1].fd = open(argv[3], O_RDWR | O_CLOEXEC);
    bool is_done = targets[1].fd >= 0 && measure(targets);
    if (!is_done)
        perror(argv[3]);
    int err = vhd_disk_close(targets[0].disk, NULL);
    return is_done && err == 0 ? 0 : 1;
}
