/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chance.h"
#include "stamp.h"
#include "wait.h"
#include "worker.h"

enum { DIRECT_UNIT = 4096 };

static struct file_target *file_of(struct target *target)
{
    return (struct file_target *)target;
}

/* Ranges that every file system accepts with O_DIRECT, half of the time. */
static bool is_direct(struct file_target *file, size_t len, uint64_t off)
{
    return len % DIRECT_UNIT == 0 && off % DIRECT_UNIT == 0 && chance_one_in(&file->seed, 2);
}

static int read_all(int fd, uint8_t *buf, size_t len, uint64_t off)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, buf + done, len - done, (off_t)(off + done));
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

/*
 * The kernel splits a write at page boundaries of the buffer, which may lie inside a sector. Then
 * the next call begins with that sector and writes nothing else. So if it fails, each sector is old
 * or new.
 */
static int write_all(int fd, const uint8_t *buf, size_t len, uint64_t off)
{
    for (size_t done = 0, most = len; done < len; most = len) {
        size_t within = (off + done) % STAMP_SECTOR;
        if (within > 0 && done >= within) {
            done -= within;
            most = STAMP_SECTOR;
        }
        size_t piece = len - done < most ? len - done : most;
        ssize_t n = pwrite(fd, buf + done, piece, (off_t)(off + done));
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

static int file_read(struct target *target, void *buf, size_t len, uint64_t off)
{
    struct file_target *file = file_of(target);

    if (!is_direct(file, len, off))
        return read_all(file->cached, buf, len, off);
    int err = read_all(file->direct, file->bounce, len, off);
    memcpy(buf, file->bounce, len);
    return err;
}

static int file_write(struct target *target, const void *buf, size_t len, uint64_t off)
{
    struct file_target *file = file_of(target);

    if (!is_direct(file, len, off))
        return write_all(chance_one_in(&file->seed, 2) ? file->cached : file->write_only, buf, len,
                         off);
    memcpy(file->bounce, buf, len);
    return write_all(file->direct, file->bounce, len, off);
}

static int file_discard(struct target *target, uint64_t len, uint64_t off)
{
    struct file_target *file = file_of(target);
    int fd = chance_one_in(&file->seed, 2) ? file->cached : file->write_only;
    int how = chance_one_in(&file->seed, 4) ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE;

    int err = fallocate(fd, how | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len);
    if (err < 0 && errno == EOPNOTSUPP && how == FALLOC_FL_ZERO_RANGE)
        err = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len);
    return err < 0 ? -errno : 0;
}

static int file_flush(struct target *target)
{
    struct file_target *file = file_of(target);
    int err;

    if (file->map && chance_one_in(&file->seed, 4))
        err = msync(file->map, file->target.size, MS_SYNC);
    else if (chance_one_in(&file->seed, 2))
        err = fdatasync(file->cached);
    else
        err = fsync(chance_one_in(&file->seed, 2) ? file->cached : file->write_only);
    return err < 0 ? -errno : 0;
}

static int file_seek(struct target *target, uint64_t off, bool for_hole, uint64_t *ret)
{
    off_t found = lseek(file_of(target)->cached, (off_t)off, for_hole ? SEEK_HOLE : SEEK_DATA);

    if (found < 0)
        return -errno;
    *ret = (uint64_t)found;
    return 0;
}

/* A copy ended inside a sector. Write the rest of the sector by hand, as write_all() does. */
static void finish_sector(int source, off_t from, int target, off_t to, uint64_t len)
{
    uint8_t buf[STAMP_SECTOR];
    const size_t rest = STAMP_SECTOR - (size_t)to % STAMP_SECTOR;
    const size_t piece = rest < len ? rest : (size_t)len;

    if (rest < STAMP_SECTOR && read_all(source, buf, piece, (uint64_t)from) == 0)
        (void)!pwrite(target, buf, piece, to);
}

static int file_copy(struct target *source, uint64_t source_off, struct target *target,
                     uint64_t target_off, uint64_t len)
{
    off_t from = (off_t)source_off, to = (off_t)target_off;

    while (len > 0) {
        ssize_t n =
            copy_file_range(file_of(source)->cached, &from, file_of(target)->cached, &to, len, 0);
        if (n <= 0) {
            int err = n < 0 ? -errno : -EIO;
            finish_sector(file_of(source)->cached, from, file_of(target)->cached, to, len);
            return err;
        }
        len -= (uint64_t)n;
    }
    return 0;
}

static int file_load(struct target *target, void *buf, size_t len, uint64_t off)
{
    memcpy(buf, file_of(target)->map + off, len);
    return 0;
}

static int file_store(struct target *target, const void *buf, size_t len, uint64_t off)
{
    struct file_target *file = file_of(target);
    const uint64_t first = off - off % DIRECT_UNIT;

    memcpy(file->map + off, buf, len);
    if (chance_one_in(&file->seed, 2))
        return 0;
    return msync(file->map + first, off + len - first, MS_SYNC) < 0 ? -errno : 0;
}

#define FILE_OPS                                                                                   \
    .read = file_read, .write = file_write, .discard = file_discard, .flush = file_flush,          \
    .seek = file_seek, .copy = file_copy

static const struct target_ops file_ops = {FILE_OPS};
static const struct target_ops mapped_ops = {FILE_OPS, .load = file_load, .store = file_store};

/* Opening for writing may repair an image. That fails on a full host, so try for ten seconds. */
static int open_or_end(const char *path, int flags)
{
    int fd;

    for (int tries = 0; (fd = open(path, flags | O_CLOEXEC)) < 0 && errno == ENOSPC && tries < 1000;
         tries++)
        wait_ms(10);
    if (fd < 0)
        err(EXIT_FAILURE, "%s", path);
    return fd;
}

void file_target_open(struct file_target *file, const char *path, bool is_mapped, uint64_t seed)
{
    struct stat attributes;

    *file = (struct file_target){.seed = seed};
    file->cached = open_or_end(path, O_RDWR);
    file->write_only = open_or_end(path, O_WRONLY);
    file->direct = open_or_end(path, O_RDWR | O_DIRECT);
    if (fstat(file->cached, &attributes) < 0)
        err(EXIT_FAILURE, "%s", path);
    file->target.size = (uint64_t)attributes.st_size;
    file->target.ops = is_mapped ? &mapped_ops : &file_ops;
    file->bounce = aligned_alloc(DIRECT_UNIT, WORKER_LENGTH_MAX);
    if (!file->bounce)
        errx(EXIT_FAILURE, "out of memory");
    if (!is_mapped)
        return;
    file->map = mmap(NULL, file->target.size, PROT_READ | PROT_WRITE, MAP_SHARED, file->cached, 0);
    if (file->map == MAP_FAILED)
        err(EXIT_FAILURE, "mapping %s", path);
}

int file_target_close(struct file_target *file)
{
    const int fds[] = {file->write_only, file->direct, file->cached};
    int err = 0;

    if (file->map && msync(file->map, file->target.size, MS_SYNC) < 0)
        err = -errno;
    if (file->map)
        munmap(file->map, file->target.size);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (close(fds[i]) < 0)
            err = -errno;
    }
    free(file->bounce);
    return err;
}
