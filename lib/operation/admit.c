/* SPDX-License-Identifier: MIT */
#include "operation/admit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/rounding.h"
#include "request/size.h"

/* Whole MB that hold this many bytes. */
static uint64_t mb_up(uint64_t bytes)
{
    return div_round_up(bytes, VHD_MB);
}

enum vhd_result vhd_admit_refuse_existing(const struct vhd_store *store, const char *file,
                                          struct vhd_verdict *ret)
{
    return vhd_verdict_set(
        ret, VHD_ALREADY_EXISTS,
        "\"%s/%s\" exists already; choose another name, or delete that disk first",
        vhd_store_path(store), file);
}

static enum vhd_result judge_exists(const struct vhd_store *store, const char *file,
                                    struct vhd_verdict *ret)
{
    struct stat attributes;

    if (fstatat(vhd_store_fd(store), file, &attributes, AT_SYMLINK_NOFOLLOW) == 0)
        return vhd_admit_refuse_existing(store, file, ret);
    return VHD_OK;
}

/*
 * Judge the file's greatest length. lseek refuses to go beyond the file system's longest file.
 * Beyond the resource limit a write would raise SIGXFSZ, so that limit is looked up.
 */
enum vhd_result vhd_admit_file_length(const struct vhd_store *store, int fd, uint64_t full_length,
                                      struct vhd_verdict *ret)
{
    char text[VHD_SIZE_TEXT];
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < full_length) {
        vhd_size_describe(limit.rlim_cur, text);
        return vhd_verdict_set(ret, VHD_FILE_TOO_LARGE,
                               "the fully grown file would take %" PRIu64
                               " MB, but vhdfs was started with a limit of %s a file; raise it "
                               "(ulimit -f, or systemd's LimitFSIZE=) and start vhdfs again, or "
                               "ask for a smaller disk",
                               mb_up(full_length), text);
    }
    if (lseek(fd, (off_t)full_length, SEEK_SET) < 0)
        return vhd_verdict_set(ret, VHD_FILE_TOO_LARGE,
                               "the fully grown file would take %" PRIu64
                               " MB, more than the file system of \"%s\" allows; ask for a "
                               "smaller disk, or put the store on another file system",
                               mb_up(full_length), vhd_store_path(store));
    return VHD_OK;
}

/*
 * Judge the free space.
 *
 *   fixed_length  bytes that a fixed disk takes at once; 0 for a disk that grows
 */
static enum vhd_result judge_space(const struct vhd_store *store, uint64_t fixed_length,
                                   struct vhd_verdict *ret)
{
    struct statvfs volume;

    int err = vhd_store_statvfs(store, &volume);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the free space of \"%s\"",
                                 vhd_store_path(store));
    uint64_t available = (uint64_t)volume.f_bavail * volume.f_frsize;
    if (available < fixed_length)
        return vhd_verdict_set(ret, VHD_DISK_FULL,
                               "%" PRIu64
                               " MB are free in \"%s\", but a fixed disk of this size takes "
                               "%" PRIu64 " MB; free some, or make a dynamic disk",
                               available / VHD_MB, vhd_store_path(store), mb_up(fixed_length));
    if (available < VHD_FREE_MIN)
        return vhd_verdict_set(ret, VHD_DISK_FULL,
                               "%" PRIu64
                               " MB are free in \"%s\", but a disk needs at least %" PRIu64
                               " MB; free some, or put the store elsewhere",
                               available / VHD_MB, vhd_store_path(store), VHD_FREE_MIN / VHD_MB);
    return VHD_OK;
}

enum vhd_result vhd_admit_draft(const struct vhd_store *store, const char *file, bool is_named,
                                struct vhd_draft *ret_draft, struct vhd_verdict *ret)
{
    enum vhd_result result = judge_exists(store, file, ret);
    if (result != VHD_OK)
        return result;
    int err = vhd_draft_begin(store, is_named, ret_draft);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot make a file in \"%s\"", vhd_store_path(store));
    return VHD_OK;
}

enum vhd_result vhd_admit_length(const struct vhd_store *store, const struct vhd_draft *draft,
                                 uint64_t full_length, bool is_fixed, struct vhd_verdict *ret)
{
    enum vhd_result result = vhd_admit_file_length(store, draft->fd, full_length, ret);
    return result == VHD_OK ? judge_space(store, is_fixed ? full_length : 0, ret) : result;
}
