/* SPDX-License-Identifier: MIT */
#include "operation/partition.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/io.h"
#include "base/rounding.h"
#include "format/mbr.h"
#include "operation/admit.h"
#include "request/size.h"
#include "store/draft.h"

enum vhd_result vhd_partition_admit(const struct vhd_store *store, const struct vhd_fat *fat,
                                    uint64_t taken, struct vhd_verdict *ret)
{
    const uint64_t needed = taken + vhd_fat_written(fat) + VHD_FREE_MIN;
    struct statvfs volume;

    if (!vhd_formatter_is_installed())
        return vhd_verdict_set(ret, VHD_NO_FORMATTER, NULL);
    int err = vhd_store_statvfs(store, &volume);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the free space of \"%s\"",
                                 vhd_store_path(store));
    const uint64_t available = (uint64_t)volume.f_bavail * volume.f_frsize;
    if (available >= needed)
        return VHD_OK;
    return vhd_verdict_set(ret, VHD_DISK_FULL,
                           "%" PRIu64 " MB are free in \"%s\", but making a FAT%" PRIu32
                           " of this size takes %" PRIu64 " MB for a moment; free some",
                           available / VHD_MB, vhd_store_path(store), fat->bits,
                           (uint64_t)div_round_up(needed, VHD_MB));
}

/* A formatter at work, and its task. */
struct watched {
    int fd;
    uint64_t total; /* bytes that it writes in all */
    unsigned percent;
    struct vhd_task *task; /* NULL for none */
};

/* Report the progress, and ask for a cancel. */
static bool is_wanted(void *arg)
{
    const struct watched *watched = arg;
    struct stat attributes;

    if (!watched->task)
        return true;
    if (fstat(watched->fd, &attributes) == 0) {
        uint64_t done = (uint64_t)attributes.st_blocks * 512;
        done = done < watched->total ? done : watched->total;
        vhd_task_progress(watched->task, (unsigned)(done * watched->percent / watched->total));
    }
    return !vhd_task_is_cancelled(watched->task);
}

/* Have the formatter make the file system in a scratch file. */
static enum vhd_result make_file_system(const struct vhd_formatter *formatter, int fd,
                                        const struct vhd_fat *fat, unsigned percent,
                                        struct vhd_task *task, struct vhd_verdict *ret)
{
    char reason[VHD_FORMATTER_REASON_SIZE] = "";
    struct watched watched = {fd, vhd_fat_written(fat), percent, task};

    int err = formatter->run(formatter->arg, fd, fat, is_wanted, &watched, reason);
    if (err == 0)
        return VHD_OK;
    if (err == -ENOENT)
        return vhd_verdict_set(ret, VHD_NO_FORMATTER, NULL);
    if (err == -ECANCELED)
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    return vhd_verdict_set(ret, vhd_result_of_errno(err),
                           "mkfs.fat cannot make the FAT%" PRIu32 ": %s", fat->bits,
                           *reason ? reason : strerrordesc_np(-err));
}

/* Write the record in front of the file system. */
static int put_record(int fd, const struct vhd_fat *fat)
{
    struct vhd_mbr_disk record;
    uint32_t signature = 0;

    while (signature == 0) {
        if (getrandom(&signature, sizeof signature, 0) < 0 && errno != EINTR)
            return -errno;
    }
    vhd_mbr_encode(fat->bits == 16 ? VHD_MBR_FAT16 : VHD_MBR_FAT32, VHD_FAT_FIRST_SECTOR,
                   fat->sectors, signature, &record);
    return vhd_io_put(fd, &record, sizeof record, 0);
}

/* The same as vhd_partition_make(), in a scratch file that the caller ends. */
static enum vhd_result make_in(int fd, struct vhd_catalogue *catalogue,
                               const struct vhd_formatter *formatter, const struct vhd_fat *fat,
                               unsigned percent, struct vhd_task *task, struct vhd_disk **ret,
                               struct vhd_verdict *ret_why)
{
    const char *folder = vhd_store_path(vhd_catalogue_store(catalogue));

    /* The file is not as long as the disk, because some file systems have no holes. */
    if (ftruncate(fd, (off_t)VHD_FAT_FIRST_SECTOR * 512) < 0)
        return vhd_verdict_errno(ret_why, errno, "cannot use a file in \"%s\"", folder);
    enum vhd_result result = make_file_system(formatter, fd, fat, percent, task, ret_why);
    if (result != VHD_OK)
        return result;
    int err = put_record(fd, fat);
    if (err == 0)
        err = vhd_disk_open_scratch(catalogue, fd, ret);
    return err == 0 ? VHD_OK
                    : vhd_verdict_errno(ret_why, err, "cannot use a file in \"%s\"", folder);
}

enum vhd_result vhd_partition_make(struct vhd_catalogue *catalogue,
                                   const struct vhd_formatter *formatter, bool is_named,
                                   const struct vhd_fat *fat, unsigned percent,
                                   struct vhd_task *task, struct vhd_disk **ret,
                                   struct vhd_verdict *ret_why)
{
    const struct vhd_store *store = vhd_catalogue_store(catalogue);
    struct vhd_draft scratch = VHD_DRAFT_NONE;

    int err = vhd_draft_begin(store, is_named, &scratch);
    if (err < 0)
        return vhd_verdict_errno(ret_why, err, "cannot make a file in \"%s\"",
                                 vhd_store_path(store));
    enum vhd_result result =
        make_in(scratch.fd, catalogue, formatter, fat, percent, task, ret, ret_why);
    vhd_draft_end(store, &scratch);
    return result;
}
