/* SPDX-License-Identifier: MIT */
#include "verb/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "image/check.h"
#include "operation/exclusive.h"

struct checking {
    char file[NAME_MAX + 1];
    int fd; /* claimed for reading */
};

void vhd_check_report(void *task, const struct vhd_finding *finding)
{
    vhd_task_report_add(task, "%s %s %s", finding->where, finding->kind, finding->sentence);
}

bool vhd_check_goes_on(void *task, unsigned percent)
{
    vhd_task_progress(task, percent);
    return !vhd_task_is_cancelled(task);
}

enum vhd_result vhd_check_judge(const char *name, uint64_t findings, struct vhd_verdict *ret)
{
    if (findings == 0)
        return VHD_OK;
    return vhd_verdict_set(
        ret, VHD_NOT_A_DISK,
        "the disk \"%s\" has %" PRIu64 " finding%s; cat tasks/%s/report shows %s", name, findings,
        findings == 1 ? "" : "s", name, findings == 1 ? "it" : "them");
}

static enum vhd_result check_admit(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    struct checking *checking = malloc(sizeof *checking);
    if (!checking)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    checking->fd = -1;
    verb->state = checking;
    return vhd_disk_claim_any(verb->store, verb->name, VHD_CLAIM_READ, checking->file,
                              &checking->fd, ret);
}

static enum vhd_result check_run(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    const struct checking *checking = verb->state;
    const struct vhd_checker checker = {vhd_check_report, vhd_check_goes_on, verb->task};
    uint64_t findings;

    vhd_task_report_begin(verb->task);
    int err = vhd_check_image(verb->store, checking->file, checking->fd, &checker, &findings);
    if (err < 0 && err != -ECANCELED)
        return vhd_verdict_errno(ret, err, "cannot check the disk \"%s\"", verb->name);
    if (err < 0 || !vhd_task_commit(verb->task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    return vhd_check_judge(verb->name, findings, ret);
}

static void check_end(struct vhd_verb *verb)
{
    struct checking *checking = verb->state;

    if (checking->fd >= 0)
        close(checking->fd);
    free(checking);
}

const struct vhd_verb_ops vhd_check_ops = {
    .types = VHD_VERB_FITS_ALL,
    .admit = check_admit,
    .run = check_run,
    .end = check_end,
};
