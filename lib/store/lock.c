#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Lock byte 0. QEMU's locks on images begin at byte 100, so the two never meet. */
static int lock(int fd, short type)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

    if (fcntl(fd, F_OFD_SETLK, &range) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

int vhd_draft_lock(int fd)
{
    return lock(fd, F_WRLCK);
}

enum vhd_result vhd_store_lock(int fd, const char *path, bool is_read_only, int *ret_fd,
                               struct vhd_verdict *ret)
{
    const int how = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    AUTO_CLOSE int lock_fd = openat(fd, VHD_LOCK_FILE, how | O_RDWR | O_CREAT, 0666);

    if (lock_fd < 0 && is_read_only) {
        lock_fd = openat(fd, VHD_LOCK_FILE, how | O_RDONLY);
        if (lock_fd < 0) {
            *ret_fd = -1;
            return VHD_OK;
        }
    }
    if (lock_fd < 0)
        return vhd_verdict_errno(ret, errno, "cannot make the lock file \"%s/%s\"", path,
                                 VHD_LOCK_FILE);
    int err = lock(lock_fd, is_read_only ? F_RDLCK : F_WRLCK);
    if (err == -EAGAIN)
        return vhd_verdict_set(ret, VHD_IN_USE, "the store \"%s\" is in use by another vhdfs",
                               path);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot lock \"%s/%s\"", path, VHD_LOCK_FILE);
    *ret_fd = lock_fd;
    lock_fd = -1;
    return VHD_OK;
}
