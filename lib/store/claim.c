/* SPDX-License-Identifier: MIT */
#include "store/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/*
 * Byte 100 + n means "this program does n", byte 200 + n "no other may do n"; n is 0 for read, 1
 * for write, 3 for resize. All locks are read locks, so that many programs can say the same.
 */
enum { DO_READ = 100, DO_WRITE = 101, DO_RESIZE = 103 };
enum { NO_READ = 200, NO_WRITE = 201, NO_RESIZE = 203 };

/*
 * The bytes that a claim locks, and those that no other program may have locked. Each list ends
 * with 0.
 */
static const struct rule {
    short lock[6], test[6];
} rules[] = {
    [VHD_CLAIM_NONE] = {{0}, {0}},
    [VHD_CLAIM_READ] = {{DO_READ, NO_WRITE, NO_RESIZE}, {NO_READ, DO_WRITE, DO_RESIZE}},
    [VHD_CLAIM_WRITE] = {{DO_READ, DO_WRITE, DO_RESIZE, NO_WRITE, NO_RESIZE},
                         {NO_READ, NO_WRITE, NO_RESIZE, DO_WRITE, DO_RESIZE}},
};

static int set_lock(int fd, short byte, short type)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &range) < 0 ? -errno : 0;
}

/*
 * Has another program locked this byte? Returns 0 for no, -EBUSY for yes, or another negative errno
 * of fcntl(2).
 */
static int test_lock(int fd, short byte)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    if (fcntl(fd, F_OFD_GETLK, &range) < 0)
        return -errno;
    return range.l_type == F_UNLCK ? 0 : -EBUSY;
}

static bool has_locked(const struct rule *rule, short byte)
{
    for (const short *locked = rule->lock; *locked; locked++) {
        if (*locked == byte)
            return true;
    }
    return false;
}

/* Unlock the bytes that the wanted claim has beyond the held one. */
static void drop(int fd, const struct rule *held, const struct rule *wanted)
{
    for (const short *byte = wanted->lock; *byte; byte++) {
        if (!has_locked(held, *byte))
            set_lock(fd, *byte, F_UNLCK);
    }
}

/*
 * Lock first, then test. So of two programs that claim at the same time, at least one sees the
 * other.
 */
static int try_claim(int fd, const struct rule *held, const struct rule *wanted)
{
    int err = 0;

    for (const short *byte = wanted->lock; err == 0 && *byte; byte++)
        err = set_lock(fd, *byte, F_RDLCK);
    for (const short *byte = wanted->test; err == 0 && *byte; byte++)
        err = test_lock(fd, *byte);
    if (err < 0)
        drop(fd, held, wanted);
    return err == -EAGAIN || err == -EACCES ? -EBUSY : err;
}

static void wait_a_little(void)
{
    unsigned char random = 0;

    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = (unsigned char)getpid();
    nanosleep(&(struct timespec){.tv_nsec = 1000000 + random % 8 * 1000000L}, NULL);
}

int vhd_claim(int fd, enum vhd_claim held, enum vhd_claim wanted)
{
    int err = try_claim(fd, &rules[held], &rules[wanted]);
    /*
     * Two programs that saw each other both step back. The waits are random, so one of them comes
     * first.
     */
    for (int tries = 0; err == -EBUSY && tries < 2; tries++) {
        wait_a_little();
        err = try_claim(fd, &rules[held], &rules[wanted]);
    }
    return err;
}

void vhd_claim_lower(int fd, enum vhd_claim held, enum vhd_claim wanted)
{
    drop(fd, &rules[wanted], &rules[held]);
}
