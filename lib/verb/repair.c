/* SPDX-License-Identifier: MIT */
#include "verb/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "image/check.h"
#include "image/split.h"
#include "repair/backup.h"
#include "verb/check.h"
#include "operation/exclusive.h"
#include "repair/changes.h"
#include "repair/plan.h"
#include "repair/write.h"

struct repair {
    char file[NAME_MAX + 1];
    int fd, write_fd; /* the first is claimed for writing */
    struct stat before;
    unsigned children;
    struct vhd_repair_plan plan;
};

/* Open for writing, and sync writes of a killed process from the host's cache. */
static int open_for_writing(const struct vhd_verb *verb, struct repair *repair)
{
    repair->write_fd = vhd_store_open_again(verb->store, repair->file, repair->fd, O_RDWR);
    if (repair->write_fd < 0)
        return repair->write_fd;
    if (fdatasync(repair->write_fd) < 0 || fstat(repair->write_fd, &repair->before) < 0)
        return -errno;
    return 0;
}

static enum vhd_result repair_admit(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    struct repair *repair = calloc(1, sizeof *repair);
    if (!repair)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    repair->fd = repair->write_fd = -1;
    verb->state = repair;
    enum vhd_result result = vhd_disk_claim_any(verb->store, verb->name, VHD_CLAIM_WRITE,
                                                repair->file, &repair->fd, ret);
    if (result != VHD_OK)
        return result;
    int err = open_for_writing(verb, repair);
    if (err == -EAGAIN)
        return vhd_disk_refuse_lease(repair->file, ret);
    return err < 0
               ? vhd_verdict_errno(ret, err, "cannot open the disk \"%s\" for writing", verb->name)
               : VHD_OK;
}

/* Count the children, by the identity that is left of the image. */
static int count_children(const struct vhd_verb *verb, struct repair *repair)
{
    struct vhd_survey survey;

    vhd_survey_read(repair->fd, &survey);
    if (!survey.image.has_footer)
        return 0;
    return vhd_catalogue_count_children_now(verb->catalogue, repair->file, survey.image.footer.uuid,
                                            &repair->children);
}

static int plan_repair(const struct vhd_verb *verb, struct repair *repair)
{
    struct vhd_image image;

    (void)vhd_image_read(repair->fd, &image);
    if (vhd_split_judge(verb->store, repair->file, &image))
        return 0;
    int err = count_children(verb, repair);
    if (err < 0)
        return err;
    return vhd_repair_plan_make(repair->fd, repair->children > 0, vhd_check_goes_on, verb->task,
                                &repair->plan);
}

/* Has another program changed the image since the claim? */
static bool is_changed(const struct repair *repair)
{
    const struct stat *before = &repair->before;
    struct stat now;

    return fstat(repair->fd, &now) < 0 || now.st_size != before->st_size ||
           now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

/* Keep the old metadata, then write. The children of the disk record its mtime. */
static enum vhd_result write_repair(const struct vhd_verb *verb, const struct repair *repair,
                                    struct vhd_verdict *ret)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, repair->before.st_mtim};

    int err = vhd_backup_write(verb->store, repair->file, repair->fd, &repair->plan);
    if (err == -ENAMETOOLONG)
        return vhd_verdict_set(ret, VHD_BUFFER_OVERFLOW,
                               "the name \"%s\" is too long to keep the old metadata beside the "
                               "disk; rename the disk first",
                               verb->name);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot keep the old metadata of the disk \"%s\"",
                                 verb->name);
    if (is_changed(repair))
        return vhd_verdict_set(
            ret, VHD_IN_USE,
            "another program is changing the disk \"%s\"; repair it again when it has ended",
            verb->name);
    err = vhd_repair_write(repair->write_fd, &repair->plan);
    if (repair->children > 0)
        (void)futimens(repair->write_fd, times);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "the repair of the disk \"%s\" is not complete",
                                 verb->name);
    vhd_repair_changes_tell(&repair->plan, vhd_check_report, verb->task);
    return VHD_OK;
}

/* Check the disk. A task that has committed cannot be cancelled, so the check goes on. */
static enum vhd_result check_again(const struct vhd_verb *verb, const struct repair *repair,
                                   struct vhd_verdict *ret)
{
    const struct vhd_checker checker = {vhd_check_report, vhd_check_goes_on, verb->task};
    uint64_t findings;

    int err = vhd_check_image(verb->store, repair->file, repair->fd, &checker, &findings);
    if (err == -ECANCELED)
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot check the disk \"%s\"", verb->name);
    return vhd_check_judge(verb->name, findings, ret);
}

static enum vhd_result repair_run(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    struct repair *repair = verb->state;
    enum vhd_result result = VHD_OK;

    vhd_task_report_begin(verb->task);
    int err = plan_repair(verb, repair);
    if (err < 0 && err != -ECANCELED)
        return vhd_verdict_errno(ret, err, "cannot read the disk \"%s\"", verb->name);
    if (err == -ECANCELED)
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    if (!vhd_repair_plan_is_empty(&repair->plan)) {
        if (!vhd_task_commit(verb->task))
            return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
        result = write_repair(verb, repair, ret);
    }
    if (result == VHD_OK)
        result = check_again(verb, repair, ret);
    if (result == VHD_OK && vhd_repair_plan_is_empty(&repair->plan) && !vhd_task_commit(verb->task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    return result;
}

static void repair_end(struct vhd_verb *verb)
{
    struct repair *repair = verb->state;

    vhd_repair_plan_free(&repair->plan);
    if (repair->write_fd >= 0)
        close(repair->write_fd);
    if (repair->fd >= 0)
        close(repair->fd);
    free(repair);
}

const struct vhd_verb_ops vhd_repair_ops = {
    .types = VHD_VERB_FITS_ALL,
    .admit = repair_admit,
    .run = repair_run,
    .end = repair_end,
};
