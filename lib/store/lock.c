/* SPDX-License-Identifier: MIT */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "store/owner.h"

/*
 * The bytes of the lock file that are locked; they need not exist. Locks, unlike text in the file,
 * end with their process. QEMU locks bytes from 100 on, so it never conflicts.
 */
enum lock_byte {
    BYTE_OWNER = 0,  /* write-locked by the one owner, or read-locked by owners that only read */
    BYTE_ENDING = 2, /* read-locked by an owner that is ending */
    BYTE_VHDFS = 4, /* read-locked by each owner; no other program has a reason to lock this byte */
};

/* Each owner read-locks one byte from here on. Its place is the number of the owner's mount. */
#define FIRST_MOUNT_BYTE ((off_t)VHD_MOUNT_TOKENS)

/* The longest wait for an owner that is ending, and the pause between two checks. */
#define ENDING_MS    5000
#define ASK_AGAIN_MS 10

static int lock(int fd, off_t byte, short type)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    if (fcntl(fd, F_OFD_SETLK, &range) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

/*
 * The lock that another open file holds in a range. Its l_type is F_UNLCK if there is none, or if
 * fcntl fails.
 */
static struct flock locked(int fd, off_t start, off_t len)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

    if (fcntl(fd, F_OFD_GETLK, &range) < 0)
        range.l_type = F_UNLCK;
    return range;
}

/*
 * Is exactly this byte locked? The kernel joins adjacent locks of one owner, so our bytes lie
 * apart.
 */
static bool is_locked(int fd, enum lock_byte byte)
{
    const struct flock range = locked(fd, byte, 1);
    return range.l_type != F_UNLCK && range.l_start == byte && range.l_len == 1;
}

int vhd_draft_lock(int fd)
{
    return lock(fd, BYTE_OWNER, F_WRLCK);
}

/* Known facts of the owner that has the lock. */
struct holder {
    bool is_vhdfs;
    bool is_ending;
    bool only_reads; /* it shares the store with other readers, and writes no line */
    bool is_named;
    struct vhd_owner owner; /* valid if is_named */
};

/* The most owners whose mounts are looked up. Owners that only read can be many. */
#define MOUNTS_MAX 16

/*
 * Have all owners lost their mounts? umount(8) returns before the kernel notifies the daemon, so an
 * owner may not yet know that it is ending.
 *
 * The kernel returns one lock of a range, in no order. So the loop asks again for the ranges on
 * both sides of it.
 */
static bool have_unmounted(int fd)
{
    struct {
        off_t start, end;
    } ranges[MOUNTS_MAX + 2] = {{FIRST_MOUNT_BYTE, FIRST_MOUNT_BYTE + (FIRST_MOUNT_BYTE - 1)}};
    unsigned left = 1, found = 0;

    while (left > 0 && found < MOUNTS_MAX) {
        const off_t start = ranges[left - 1].start, end = ranges[left - 1].end;
        left--;
        if (start > end)
            continue;
        struct flock mount = locked(fd, start, end - start + 1);
        if (mount.l_type == F_UNLCK)
            continue;
        if (mount.l_start < FIRST_MOUNT_BYTE ||
            !vhd_mount_is_gone((uint64_t)(mount.l_start - FIRST_MOUNT_BYTE)))
            return false;
        found++;
        ranges[left].start = start;
        ranges[left++].end = mount.l_start - 1;
        ranges[left].start = mount.l_start + 1;
        ranges[left++].end = end;
    }
    return found > 0;
}

static void judge_holder(int fd, struct holder *ret)
{
    char line[VHD_OWNER_LINE_SIZE] = "";
    size_t len;

    ret->is_vhdfs = is_locked(fd, BYTE_VHDFS);
    ret->only_reads = locked(fd, BYTE_OWNER, 1).l_type == F_RDLCK;
    ret->is_named = ret->is_vhdfs && !ret->only_reads &&
                    vhd_io_read(fd, line, sizeof line - 1, 0, &len) == 0 &&
                    vhd_owner_parse(line, &ret->owner);
    ret->is_ending = ret->is_vhdfs && (is_locked(fd, BYTE_ENDING) || have_unmounted(fd));
}

/*
 * Lock the owner's byte, and wait for an owner that is ending. An owner that seems to stay is
 * checked twice, with one more try to lock in between. It may have ended between the two checks, or
 * may still be locking its bytes.
 *
 * Returns 0, -EAGAIN with the holder, or another negative errno of fcntl(2).
 */
static int lock_in_time(int fd, short type, struct holder *ret)
{
    static const struct timespec pause = {.tv_nsec = ASK_AGAIN_MS * 1000000L};
    const struct timespec deadline = clock_after(clock_monotonic(), ENDING_MS);

    for (unsigned stays = 0;;) {
        int err = lock(fd, BYTE_OWNER, type);
        if (err != -EAGAIN)
            return err;
        judge_holder(fd, ret);
        stays = ret->is_ending ? 0 : stays + 1;
        if (stays > 1 || clock_has_passed(deadline))
            return err;
        nanosleep(&pause, NULL);
    }
}

/*
 * Print the owner for a sentence, after a blank. The text is empty if the lock file names no owner.
 */
static const char *describe(const struct holder *holder, char *buf, size_t size)
{
    *buf = 0;
    if (holder->is_named)
        snprintf(buf, size, " (process %d, mounted on %s)", (int)holder->owner.pid,
                 holder->owner.mountpoint);
    return buf;
}

static enum vhd_result refuse(const struct holder *holder, const char *path,
                              struct vhd_verdict *ret)
{
    char buf[sizeof holder->owner.mountpoint + 64];
    const char *who = describe(holder, buf, sizeof buf);

    if (!holder->is_vhdfs)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "another program holds a lock on \"%s/%s\"; end that program", path,
                               VHD_LOCK_FILE);
    if (holder->is_ending)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "the store \"%s\" is still in use by another vhdfs%s, which has not "
                               "ended within %d s; try again later",
                               path, who, ENDING_MS / 1000);
    if (holder->only_reads)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "the store \"%s\" is in use by another vhdfs that only reads it; "
                               "mount with -o ro to read beside it",
                               path);
    return vhd_verdict_set(ret, VHD_IN_USE,
                           "the store \"%s\" is in use by another vhdfs%s; unmount that one first",
                           path, who);
}

/* Set mode 0600. Otherwise any user could open the lock file and hold a lock on it. */
static void protect(int fd)
{
    struct stat attributes;

    if (fstat(fd, &attributes) == 0 && (attributes.st_mode & 07777) != 0600 &&
        attributes.st_uid == geteuid())
        fchmod(fd, 0600);
}

enum vhd_result vhd_store_lock(int fd, const char *path, bool is_read_only, int *ret_fd,
                               struct vhd_verdict *ret)
{
    AUTO_CLOSE int lock_fd = open_beneath(fd, VHD_LOCK_FILE, O_RDWR | O_CREAT | O_NONBLOCK, 0600);
    struct holder holder;

    if (lock_fd < 0 && is_read_only) {
        lock_fd = open_beneath(fd, VHD_LOCK_FILE, O_RDONLY | O_NONBLOCK, 0);
        if (lock_fd < 0) {
            *ret_fd = -1;
            return VHD_OK;
        }
    }
    if (lock_fd < 0 && errno == EROFS)
        return vhd_verdict_set(ret, VHD_READ_ONLY,
                               "the store \"%s\" is on a read-only file system; mount with -o ro",
                               path);
    if (lock_fd < 0)
        return vhd_verdict_errno(
            ret, errno,
            "cannot open or make the lock file \"%s/%s\", which must be a plain "
            "file of yours",
            path, VHD_LOCK_FILE);
    protect(lock_fd);
    int err = lock_in_time(lock_fd, is_read_only ? F_RDLCK : F_WRLCK, &holder);
    if (err == -EAGAIN)
        return refuse(&holder, path, ret);
    if (err == 0)
        err = lock(lock_fd, BYTE_VHDFS, F_RDLCK);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot lock \"%s/%s\"", path, VHD_LOCK_FILE);
    if (!is_read_only && ftruncate(lock_fd, 0) < 0)
        return vhd_verdict_errno(ret, errno, "cannot write \"%s/%s\"", path, VHD_LOCK_FILE);
    *ret_fd = lock_fd;
    lock_fd = -1;
    return VHD_OK;
}

void vhd_store_lock_describe(int fd, const char *mountpoint, int mount_id, bool is_read_only)
{
    struct vhd_owner owner = {.pid = getpid()};
    char line[VHD_OWNER_LINE_SIZE];
    uint64_t token;

    if (vhd_mount_token(mount_id, &token))
        lock(fd, FIRST_MOUNT_BYTE + (off_t)token, F_RDLCK);
    if (is_read_only)
        return;
    snprintf(owner.mountpoint, sizeof owner.mountpoint, "%s", mountpoint);
    size_t len = vhd_owner_print(&owner, line);
    if (ftruncate(fd, 0) == 0)
        vhd_io_put(fd, line, len, 0);
}

void vhd_store_lock_mark_ending(int fd)
{
    lock(fd, BYTE_ENDING, F_RDLCK);
}
