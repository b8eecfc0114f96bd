/* SPDX-License-Identifier: MIT */
#include "verb/resize.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rounding.h"
#include "reshape/resize.h"
#include "format/footer.h"
#include "operation/admit.h"
#include "operation/exclusive.h"
#include "operation/preallocate.h"
#include "request/size.h"

/* How long the write waits for the search for data: most disks have some, or only holes. */
#define SEARCH_MS 300

/* Bytes that are discarded between two checks for a cancel. */
#define DISCARDED_AT_ONCE (UINT64_C(256) << 20)

struct resize {
    uint64_t end; /* from here on the disk reads as zeros, as far as known */
};

static uint64_t wanted(const struct vhd_verb *verb)
{
    return verb->command.size;
}

static bool is_fixed(const struct vhd_verb *verb)
{
    return vhd_disk_type(verb->disk) == VHD_TYPE_FIXED;
}

static bool is_larger(const struct vhd_verb *verb)
{
    return wanted(verb) > vhd_disk_size(verb->disk);
}

static enum vhd_result refuse_changed(const struct vhd_verb *verb, struct vhd_verdict *ret)
{
    return vhd_verdict_set(ret, VHD_IN_USE,
                           "another program has changed the disk \"%s\" while it was resized; "
                           "resize it again",
                           verb->name);
}

static enum vhd_result refuse(const struct vhd_verb *verb, int err, struct vhd_verdict *ret)
{
    if (err == -ESTALE)
        return refuse_changed(verb, ret);
    return vhd_verdict_errno(ret, err, "cannot resize the disk \"%s\"", verb->name);
}

/*
 * Judging.
 */

static enum vhd_result refuse_size(const struct vhd_verb *verb, int err, struct vhd_verdict *ret)
{
    if (err == -EFBIG)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_LARGE,
                               "the image of \"%s\" has blocks that are too small for this size; "
                               "make a disk of that size with from=%s, which copies it",
                               verb->name, verb->name);
    if (err == -EOPNOTSUPP && is_fixed(verb))
        return vhd_verdict_set(ret, VHD_WRONG_TYPE,
                               "the footer of \"%s\" lies off a sector; write \"convert dynamic\" "
                               "to its ctl first",
                               verb->name);
    if (err == -EOPNOTSUPP)
        return vhd_verdict_set(ret, VHD_WRONG_TYPE,
                               "the table of \"%s\" cannot grow, because another program has put "
                               "data behind it; make a disk of that size with from=%s, which "
                               "copies it",
                               verb->name, verb->name);
    return refuse(verb, err, ret);
}

/* Judge whether the new part of a fixed disk fits, before the host is asked to reserve it. */
static enum vhd_result judge_space(const struct vhd_verb *verb, struct vhd_verdict *ret)
{
    const uint64_t more = wanted(verb) - vhd_disk_size(verb->disk);
    struct statvfs volume;

    int err = vhd_store_statvfs(verb->store, &volume);
    if (err < 0)
        return refuse(verb, err, ret);
    const uint64_t available = (uint64_t)volume.f_bavail * volume.f_frsize;
    if (available >= more)
        return VHD_OK;
    return vhd_verdict_set(ret, VHD_DISK_FULL,
                           "%" PRIu64 " MB are free in \"%s\", but the disk \"%s\" would take "
                           "%" PRIu64 " MB more; free some, or ask for a smaller size",
                           available / VHD_MB, vhd_store_path(verb->store), verb->name,
                           div_round_up(more, VHD_MB));
}

static enum vhd_result judge_larger(const struct vhd_verb *verb, uint64_t length,
                                    struct vhd_verdict *ret)
{
    const char *file;
    const int fd = vhd_disk_file(verb->disk, &file);

    enum vhd_result result = vhd_admit_file_length(verb->store, fd, length, ret);
    return result == VHD_OK && is_fixed(verb) ? judge_space(verb, ret) : result;
}

/* Refuse to cut data off. resize->end is where the data ends. */
static enum vhd_result refuse_cut(const struct vhd_verb *verb, const struct resize *resize,
                                  struct vhd_verdict *ret)
{
    const uint64_t least = (uint64_t)VHD_SIZE_MIN_MB * VHD_MB;
    char smallest[VHD_SIZE_TEXT];

    vhd_size_format(resize->end > least ? resize->end : least, smallest);
    return vhd_verdict_set(ret, VHD_SIZE_TOO_SMALL,
                           "the disk \"%s\" has data beyond this size; the smallest size that "
                           "keeps it is %s; shrink the file system on it first, or discard what "
                           "it does not use (fstrim)",
                           verb->name, smallest);
}

/* Search once more for data that would be cut off. */
static enum vhd_result search(const struct vhd_verb *verb, struct resize *resize,
                              struct vhd_verdict *ret)
{
    int found = vhd_disk_skip_zeros(verb->disk, wanted(verb), &resize->end);

    if (found < 0)
        return vhd_verdict_errno(ret, found, "cannot read the disk \"%s\"", verb->name);
    return found ? refuse_cut(verb, resize, ret) : VHD_OK;
}

/* Search for a moment, so that most refusals answer the write. */
static enum vhd_result judge_smaller(const struct vhd_verb *verb, struct resize *resize,
                                     struct vhd_verdict *ret)
{
    const struct timespec deadline = clock_after(clock_monotonic(), SEARCH_MS);
    enum vhd_result result = VHD_OK;

    while (result == VHD_OK && resize->end > wanted(verb) && !clock_has_passed(deadline))
        result = search(verb, resize, ret);
    return result;
}

static enum vhd_result resize_admit(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    uint64_t length = 0;

    enum vhd_result result = vhd_disk_open_exclusive(verb->catalogue, verb->name, &verb->disk, ret);
    if (result != VHD_OK || vhd_disk_size(verb->disk) == wanted(verb))
        return result;
    struct resize *resize = malloc(sizeof *resize);
    if (!resize)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    resize->end = vhd_disk_size(verb->disk);
    verb->state = resize;
    int err = vhd_disk_judge_size(verb->disk, wanted(verb), &length);
    if (err < 0)
        return refuse_size(verb, err, ret);
    return is_larger(verb) ? judge_larger(verb, length, ret) : judge_smaller(verb, resize, ret);
}

/*
 * At work. All steps before the commit leave size and content as they are, and end at a cancel.
 */

static enum vhd_result judge_cancel(const struct vhd_verb *verb, struct vhd_verdict *ret)
{
    return vhd_task_is_cancelled(verb->task) ? vhd_verdict_set(ret, VHD_CANCELLED, NULL) : VHD_OK;
}

/* Search all that is cut off for data, with progress, which goes up to 90 percent. */
static enum vhd_result search_all(const struct vhd_verb *verb, struct resize *resize,
                                  struct vhd_verdict *ret)
{
    const uint64_t size = vhd_disk_size(verb->disk), cut = size - wanted(verb);
    enum vhd_result result = judge_cancel(verb, ret);

    while (result == VHD_OK && resize->end > wanted(verb)) {
        result = search(verb, resize, ret);
        vhd_task_progress(verb->task, (unsigned)((size - resize->end) / (cut / 90 + 1)));
        if (result == VHD_OK)
            result = judge_cancel(verb, ret);
    }
    return result;
}

/* Free the blocks that are cut off. All of them are zeros. */
static enum vhd_result discard_all(const struct vhd_verb *verb, struct vhd_verdict *ret)
{
    const uint64_t size = vhd_disk_size(verb->disk);
    enum vhd_result result = VHD_OK;

    for (uint64_t at = wanted(verb); at < size && result == VHD_OK; at += DISCARDED_AT_ONCE) {
        const uint64_t left = size - at;
        int err =
            vhd_disk_discard(verb->disk, left < DISCARDED_AT_ONCE ? left : DISCARDED_AT_ONCE, at);
        result = err < 0 ? refuse(verb, err, ret) : judge_cancel(verb, ret);
    }
    return result;
}

static enum vhd_result prepare_smaller(const struct vhd_verb *verb, struct vhd_verdict *ret)
{
    enum vhd_result result = search_all(verb, verb->state, ret);

    /* The cut of a fixed disk's file frees its space. */
    if (result == VHD_OK && !is_fixed(verb))
        result = discard_all(verb, ret);
    if (result != VHD_OK)
        return result;
    int err = vhd_disk_flush(verb->disk);
    return err < 0 ? refuse(verb, err, ret) : VHD_OK;
}

/*
 * Reserve the new part of a fixed disk. A host that cannot reserve space gets zeros, behind the old
 * footer, which stays until the commit.
 */
static int reserve(const struct vhd_verb *verb)
{
    const int fd = vhd_disk_file_to_reserve(verb->disk);
    const uint64_t end = wanted(verb);
    struct stat before;

    int err = vhd_preallocate_behind(fd, vhd_disk_size(verb->disk), end + VHD_FOOTER_SIZE, 99,
                                     verb->task);
    if (err != -EOPNOTSUPP)
        return err;
    err = vhd_disk_stat(verb->disk, &before);
    if (err == 0)
        err = vhd_disk_extend(verb->disk, end);
    const uint64_t at = round_up((uint64_t)before.st_size, VHD_SECTOR_SIZE);
    return err == 0 && at < end ? vhd_preallocate(fd, at, end, 99, verb->task) : err;
}

static enum vhd_result prepare_larger(const struct vhd_verb *verb, struct vhd_verdict *ret)
{
    enum vhd_result result = judge_cancel(verb, ret);
    int err = 1;

    while (err > 0 && result == VHD_OK) {
        err = vhd_disk_make_way(verb->disk, wanted(verb));
        result = judge_cancel(verb, ret);
    }
    if (err == 0 && result == VHD_OK && is_fixed(verb))
        err = reserve(verb);
    result = judge_cancel(verb, ret);
    return err < 0 && result == VHD_OK ? refuse(verb, err, ret) : result;
}

/* Pass the point of no return, if the disk is still as it was opened. */
static enum vhd_result commit(const struct vhd_verb *verb, struct vhd_verdict *ret)
{
    if (vhd_disk_confirm(verb->disk) == -ESTALE)
        return refuse_changed(verb, ret);
    return vhd_task_commit(verb->task) ? VHD_OK : vhd_verdict_set(ret, VHD_CANCELLED, NULL);
}

static enum vhd_result resize_run(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    if (!verb->state) /* it has this size */
        return vhd_task_commit(verb->task) ? VHD_OK : vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    const bool is_growing = is_larger(verb);
    enum vhd_result result = is_growing ? prepare_larger(verb, ret) : prepare_smaller(verb, ret);
    if (result == VHD_OK)
        result = commit(verb, ret);
    if (result == VHD_OK) {
        int err = vhd_disk_resize(verb->disk, wanted(verb));
        result = err < 0 ? refuse(verb, err, ret) : VHD_OK;
    }
    if (result != VHD_OK && is_growing && is_fixed(verb) && !vhd_disk_has_failed(verb->disk))
        (void)vhd_disk_retract(verb->disk);
    return result;
}

static void resize_end(struct vhd_verb *verb)
{
    free(verb->state);
}

const struct vhd_verb_ops vhd_resize_ops = {
    .types = VHD_VERB_FITS(VHD_TYPE_FIXED) | VHD_VERB_FITS(VHD_TYPE_DYNAMIC),
    .admit = resize_admit,
    .run = resize_run,
    .end = resize_end,
};
