/* SPDX-License-Identifier: MIT */
#include "verb/verbs.h"

#include <stdio.h>
#include <stdlib.h>

#include "image/info.h"
#include "verb/check.h"
#include "verb/compact.h"
#include "verb/convert.h"
#include "verb/merge.h"
#include "verb/rebase.h"
#include "verb/repair.h"
#include "verb/resize.h"
#include "verb/snapshot.h"

static bool fits(const struct vhd_verb_ops *ops, const struct vhd_image *image)
{
    return ops->types & VHD_VERB_FITS(image->has_footer ? image->footer.type : 0);
}

/* Judge what all verbs need: that the disk is there, and of a fitting type. */
static enum vhd_result judge_type(const struct vhd_verb *verb, struct vhd_verdict *ret)
{
    struct vhd_info info;

    int err = vhd_info_read(verb->store, verb->name, &info);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the disk \"%s\"", verb->name);
    if (fits(verb->ops, &info.image))
        return VHD_OK;
    if (!info.image.has_footer)
        return vhd_verdict_set(ret, VHD_NOT_A_DISK, "the disk \"%s\": %s", verb->name,
                               info.image.fault.sentence);
    return vhd_verdict_set(ret, VHD_WRONG_TYPE,
                           "%s does not fit the type of the disk \"%s\"; cat ctl shows the verbs "
                           "that do",
                           vhd_verb_words[verb->command.verb].word, verb->name);
}

static enum vhd_result verb_admit(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    struct vhd_verb *verb = arg;

    verb->task = task;
    if (vhd_task_is_cancelled(task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    if (verb->is_admitted)
        return VHD_OK;
    verb->is_admitted = true;
    enum vhd_result result = judge_type(verb, ret);
    return result == VHD_OK && verb->ops->admit ? verb->ops->admit(verb, ret) : result;
}

static enum vhd_result verb_run(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    struct vhd_verb *verb = arg;

    enum vhd_result result = verb_admit(verb, task, ret);
    return result == VHD_OK ? verb->ops->run(verb, ret) : result;
}

static void verb_drop(void *arg)
{
    struct vhd_verb *verb = arg;

    if (verb->state)
        verb->ops->end(verb);
    (void)vhd_disk_close(verb->disk, NULL);
    vhd_catalogue_unref(verb->catalogue);
    free(verb);
}

/* Work that takes a few syncs, and work that may take longer. */
#define QUICK(word)                                                                                \
    {                                                                                              \
        .operation = word, .run = verb_run, .drop = verb_drop                                      \
    }
#define LONG(word)                                                                                 \
    {                                                                                              \
        .operation = word, .admit = verb_admit, .run = verb_run, .drop = verb_drop                 \
    }

static const struct row {
    const struct vhd_verb_ops *ops;
    struct vhd_work work;
} rows[VHD_VERB_COUNT] = {
    [VHD_VERB_COMPACT] = {&vhd_compact_ops, LONG("compact")},
    [VHD_VERB_CONVERT] = {&vhd_convert_ops, LONG("convert")},
    [VHD_VERB_MERGE] = {&vhd_merge_ops, LONG("merge")},
    [VHD_VERB_REBASE] = {&vhd_rebase_ops, QUICK("rebase")},
    [VHD_VERB_RESIZE] = {&vhd_resize_ops, LONG("resize")},
    [VHD_VERB_SNAPSHOT] = {&vhd_snapshot_ops, QUICK("snapshot")},
    [VHD_VERB_CHECK] = {&vhd_check_ops, LONG("check")},
    [VHD_VERB_REPAIR] = {&vhd_repair_ops, LONG("repair")},
};

bool vhd_verb_fits(enum vhd_verb_kind verb, const struct vhd_image *image)
{
    return fits(rows[verb].ops, image);
}

struct vhd_verb *vhd_verb_new(struct vhd_catalogue *catalogue, const char *name,
                              const struct vhd_command *command)
{
    struct vhd_verb *verb = calloc(1, sizeof *verb);
    if (!verb)
        return NULL;
    verb->catalogue = vhd_catalogue_ref(catalogue);
    verb->store = vhd_catalogue_store(catalogue);
    verb->command = *command;
    verb->ops = rows[command->verb].ops;
    snprintf(verb->name, sizeof verb->name, "%s", name);
    return verb;
}

enum vhd_result vhd_verb_submit(struct vhd_service *service, struct vhd_verb *verb,
                                struct vhd_task **ret_task, struct vhd_verdict *ret)
{
    const struct vhd_work *work = &rows[verb->command.verb].work;
    char description[VHD_COMMAND_DESCRIPTION_SIZE], name[NAME_MAX + 1];

    vhd_command_describe(verb->name, &verb->command, description);
    snprintf(name, sizeof name, "%s", verb->name);
    return vhd_service_submit(service, work, verb, name, description, ret_task, ret);
}
