/* SPDX-License-Identifier: MIT */
#include "recorder.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "file.h"
#include "pick.h"
#include "store/claim.h"
#include "store/store.h"

const char *const host_names[HOST_COUNT] = {"A", "D", "X"};

enum { DESCRIPTORS = 4096 };

static struct {
    pthread_mutex_t lock; /* guards the log; held during a call and its record */
    struct log *log;      /* NULL while no file is watched */
    dev_t dev;
    ino_t ino;
    recorder_hook *hook;
    void *hook_arg;
    enum host_class host;
    uint64_t seed; /* for the host's random choices */
    struct opened {
        bool is_known;  /* opened by the library */
        bool is_direct; /* the library asked for O_DIRECT */
        dev_t dev;
        ino_t ino;
    } opened[DESCRIPTORS];
} recorder = {.lock = PTHREAD_MUTEX_INITIALIZER, .seed = 1};

void recorder_be_host(enum host_class host)
{
    recorder.host = host;
}

void recorder_watch(struct log *log, const char *path, recorder_hook *hook, void *hook_arg)
{
    struct stat attributes;

    if (stat(path, &attributes) < 0)
        err(EXIT_FAILURE, "%s", path);
    recorder.dev = attributes.st_dev;
    recorder.ino = attributes.st_ino;
    recorder.hook = hook;
    recorder.hook_arg = hook_arg;
    recorder.log = log;
}

void recorder_hook_off(void)
{
    recorder.hook = NULL;
}

void recorder_stop(const char *path)
{
    struct content file = file_read(path);
    const struct log *log = recorder.log;

    recorder.log = NULL;
    if (file.count != log->live.count ||
        memcmp(file.values, log->live.values, file.count * sizeof *file.values) != 0)
        errx(EXIT_FAILURE, "the library writes to images in a way that the recorder does not see");
    content_free(&file);
}

uint32_t recorder_op_begin(enum op op, uint32_t first, struct content after)
{
    HOLD_LOCK(&recorder.lock);
    return log_add_op_begin(recorder.log, op, first, after);
}

void recorder_op_end(uint32_t begin, int result)
{
    HOLD_LOCK(&recorder.lock);
    log_add_op_end(recorder.log, begin, result);
}

static bool is_watched(int fd)
{
    struct stat attributes;

    if (!recorder.log)
        return false;
    if (fd >= 0 && fd < DESCRIPTORS && recorder.opened[fd].is_known)
        return recorder.opened[fd].dev == recorder.dev && recorder.opened[fd].ino == recorder.ino;
    return fstat(fd, &attributes) == 0 && attributes.st_dev == recorder.dev &&
           attributes.st_ino == recorder.ino;
}

/* Call the hook before a call. Returns true if the call must fail, with errno set. */
static bool is_to_fail(enum call call, bool *ret_is_half)
{
    int outcome = recorder.hook ? recorder.hook(recorder.hook_arg, call) : 0;

    if (ret_is_half)
        *ret_is_half = outcome == RECORDER_HALF;
    if (outcome <= 0)
        return false;
    errno = outcome;
    return true;
}

/*
 * The symbols that the library calls. The C library chooses between the name with 64 and the one
 * without.
 */
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __real_pwritev(int fd, const struct iovec *iov, int count, off_t off);
int __real_ftruncate(int fd, off_t length);
int __real_fallocate(int fd, int mode, off_t off, off_t len);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwritev(int fd, const struct iovec *iov, int count, off_t off);
ssize_t __wrap_pwritev64(int fd, const struct iovec *iov, int count, off_t off);
int __wrap_ftruncate(int fd, off_t length);
int __wrap_ftruncate64(int fd, off_t length);
int __wrap_fallocate(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t off, off_t len);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __real_open_beneath(int dir, const char *name, int flags, mode_t mode);
int __wrap_open_beneath(int dir, const char *name, int flags, mode_t mode);
int __wrap_posix_fadvise(int fd, off_t off, off_t len, int advice);
int __wrap_posix_fadvise64(int fd, off_t off, off_t len, int advice);
int __wrap_close(int fd);
int __real_close(int fd);
enum vhd_growth __wrap_vhd_store_growth(const struct vhd_store *store);
int __wrap_vhd_claim(int fd, enum vhd_claim held, enum vhd_claim wanted);

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off)
{
    bool is_half = false;

    if (!is_watched(fd))
        return __real_pwrite(fd, buf, len, off);
    if (is_to_fail(CALL_WRITE, &is_half))
        return -1;
    if (is_half && len > SECTOR)
        len = len / 2 / SECTOR * SECTOR;
    HOLD_LOCK(&recorder.lock);
    ssize_t done = __real_pwrite(fd, buf, len, off);
    if (done > 0)
        log_add_write(recorder.log, buf, (size_t)done, (uint64_t)off,
                      recorder.opened[fd].is_direct);
    return done;
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off)
{
    return __wrap_pwrite(fd, buf, len, off);
}

ssize_t __wrap_pwritev(int fd, const struct iovec *iov, int count, off_t off)
{
    size_t len = 0, at = 0;

    if (!is_watched(fd))
        return __real_pwritev(fd, iov, count, off);
    for (int i = 0; i < count; i++)
        len += iov[i].iov_len;
    AUTO_FREE char *buf = malloc(len + 1);
    if (!buf)
        err(EXIT_FAILURE, "recorder");
    for (int i = 0; i < count; at += iov[i].iov_len, i++)
        memcpy(buf + at, iov[i].iov_base, iov[i].iov_len);
    return __wrap_pwrite(fd, buf, len, off);
}

ssize_t __wrap_pwritev64(int fd, const struct iovec *iov, int count, off_t off)
{
    return __wrap_pwritev(fd, iov, count, off);
}

int __wrap_ftruncate(int fd, off_t length)
{
    if (!is_watched(fd))
        return __real_ftruncate(fd, length);
    if (is_to_fail(CALL_LENGTH, NULL))
        return -1;
    HOLD_LOCK(&recorder.lock);
    int result = __real_ftruncate(fd, length);
    if (result == 0)
        log_add_length(recorder.log, (uint64_t)length);
    return result;
}

int __wrap_ftruncate64(int fd, off_t length)
{
    return __wrap_ftruncate(fd, length);
}

int __wrap_fallocate(int fd, int mode, off_t off, off_t len)
{
    if (!is_watched(fd))
        return __real_fallocate(fd, mode, off, len);
    if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
        errx(EXIT_FAILURE, "fallocate(2) with mode %#x: the recorder knows only holes", mode);
    if (is_to_fail(CALL_ZERO, NULL))
        return -1;
    HOLD_LOCK(&recorder.lock);
    int result = __real_fallocate(fd, mode, off, len);
    if (result == 0)
        log_add_zeros(recorder.log, (uint64_t)len, (uint64_t)off);
    return result;
}

int __wrap_fallocate64(int fd, int mode, off_t off, off_t len)
{
    return __wrap_fallocate(fd, mode, off, len);
}

static uint32_t begin_sync(void)
{
    HOLD_LOCK(&recorder.lock);
    return log_add_sync_begin(recorder.log);
}

static void end_sync(uint32_t begin, int result)
{
    HOLD_LOCK(&recorder.lock);
    log_add_sync_end(recorder.log, begin, result);
}

/* Nothing is really synced, because power is lost only in the model. */
int __wrap_fdatasync(int fd)
{
    if (!is_watched(fd))
        return __real_fdatasync(fd);
    if (is_to_fail(CALL_SYNC, NULL))
        return -1;
    uint32_t begin = begin_sync();
    bool has_failed = is_to_fail(CALL_SYNC_END, NULL);
    end_sync(begin, has_failed ? -errno : 0);
    return has_failed ? -1 : 0;
}

int __wrap_fsync(int fd)
{
    return is_watched(fd) ? __wrap_fdatasync(fd) : __real_fsync(fd);
}

/*
 * The host drops its cache without writing it. After a failed barrier the cache differs from the
 * medium, and the host then shows one possible state of the medium.
 */
static void drop_cache(int fd)
{
    HOLD_LOCK(&recorder.lock);
    struct content file =
        pick_state(recorder.log, recorder.log->count, recorder.host, &recorder.seed);
    AUTO_FREE char *bytes = malloc((size_t)file.count * SECTOR + 1);

    if (!bytes)
        err(EXIT_FAILURE, "recorder");
    content_to_bytes(&file, bytes);
    if (__real_ftruncate(fd, 0) < 0 ||
        __real_pwrite(fd, bytes, (size_t)file.count * SECTOR, 0) != (ssize_t)file.count * SECTOR)
        err(EXIT_FAILURE, "recorder");
    log_add_reveal(recorder.log, file);
}

int __wrap_posix_fadvise(int fd, off_t off, off_t len, int advice)
{
    if (is_watched(fd) && advice == POSIX_FADV_DONTNEED && off == 0 && len == 0)
        drop_cache(fd);
    return 0;
}

int __wrap_posix_fadvise64(int fd, off_t off, off_t len, int advice)
{
    return __wrap_posix_fadvise(fd, off, len, advice);
}

static void remember(int fd, bool is_direct)
{
    struct stat attributes;

    if (fstat(fd, &attributes) < 0)
        err(EXIT_FAILURE, "recorder");
    recorder.opened[fd] = (struct opened){true, is_direct, attributes.st_dev, attributes.st_ino};
}

/*
 * Not every file system of a test host knows O_DIRECT. So the flag is recorded, and not passed on.
 */
int __wrap_open_beneath(int dir, const char *name, int flags, mode_t mode)
{
    bool is_direct = flags & O_DIRECT;
    int fd;

    if (is_direct && recorder.host != HOST_D) {
        errno = EINVAL;
        return -1;
    }
    fd = __real_open_beneath(dir, name, flags & ~O_DIRECT, mode);
    if (fd >= DESCRIPTORS)
        errx(EXIT_FAILURE, "more than %d descriptors", DESCRIPTORS);
    if (fd >= 0)
        remember(fd, is_direct);
    return fd;
}

int __wrap_close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS)
        recorder.opened[fd].is_known = false;
    return __real_close(fd);
}

/*
 * No other program claims these images, and a dozen calls for each state would take most of the
 * time.
 */
int __wrap_vhd_claim(int fd, enum vhd_claim held, enum vhd_claim wanted)
{
    (void)fd;
    (void)held;
    (void)wanted;
    return 0;
}

enum vhd_growth __wrap_vhd_store_growth(const struct vhd_store *store)
{
    (void)store;
    switch (recorder.host) {
    case HOST_D:
        return VHD_GROWTH_EXT4;
    case HOST_X:
        return VHD_GROWTH_XFS;
    default:
        return VHD_GROWTH_ANY;
    }
}
