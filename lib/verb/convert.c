/* SPDX-License-Identifier: MIT */
#include "verb/convert.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "operation/admit.h"
#include "operation/exclusive.h"
#include "operation/fill.h"
#include "operation/source.h"
#include "request/size.h"

struct conversion {
    struct vhd_draft draft;
    struct vhd_blank blank;
};

static enum vhd_disk_type wanted_type(const struct vhd_verb *verb)
{
    return verb->command.is_fixed ? VHD_TYPE_FIXED : VHD_TYPE_DYNAMIC;
}

/* The new image has the owner of the old one, and no more readers than any file of its chain. */
static int keep_attributes(const struct vhd_verb *verb, const struct vhd_draft *draft)
{
    struct stat image;
    const char *file;
    mode_t mode;

    int err = vhd_draft_copy_attributes(draft, vhd_disk_file(verb->disk, &file));
    if (err == 0)
        err = vhd_disk_stat(verb->disk, &image);
    if (err == 0)
        err = vhd_source_mode(verb->disk, image.st_gid, &mode);
    return err == 0 ? vhd_draft_limit_readers(draft, mode) : err;
}

/* Begin the new image, and judge whether the host can hold it. */
static enum vhd_result begin_draft(struct vhd_verb *verb, struct conversion *conversion,
                                   struct vhd_verdict *ret)
{
    const uint64_t size = vhd_disk_size(verb->disk);
    uuid_t uuid = {0};

    int err = vhd_draft_begin(verb->store, false, &conversion->draft);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot make a file in \"%s\"",
                                 vhd_store_path(verb->store));
    err = keep_attributes(verb, &conversion->draft);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot give the new image of \"%s\" its owner and mode",
                                 verb->name);
    vhd_disk_uuid(verb->disk, uuid);
    conversion->blank = vhd_blank_of(wanted_type(verb), size, uuid, NULL);
    return vhd_admit_length(verb->store, &conversion->draft,
                            vhd_blank_full_length(&conversion->blank), verb->command.is_fixed, ret);
}

static enum vhd_result convert_admit(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    enum vhd_result result = vhd_disk_open_exclusive(verb->catalogue, verb->name, &verb->disk, ret);
    if (result != VHD_OK || vhd_disk_type(verb->disk) == wanted_type(verb))
        return result;
    if (vhd_disk_size(verb->disk) > VHD_SIZE_MAX)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_LARGE,
                               "the disk \"%s\" is larger than the 2088960 MB of the largest disk "
                               "that is made; copy its raw file instead",
                               verb->name);
    struct conversion *conversion = malloc(sizeof *conversion);
    if (!conversion)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    conversion->draft = VHD_DRAFT_NONE;
    verb->state = conversion;
    return begin_draft(verb, conversion, ret);
}

/* Put the new image in the place of the old one. */
static enum vhd_result replace(struct vhd_verb *verb, struct vhd_draft *draft,
                               struct vhd_verdict *ret)
{
    if (vhd_disk_confirm(verb->disk) == -ESTALE)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "another program has changed the disk \"%s\", or a parent, while it "
                               "was converted; convert it again",
                               verb->name);
    if (!vhd_task_commit(verb->task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    const char *file;
    const int fd = vhd_disk_file(verb->disk, &file);
    int err = vhd_draft_replace(verb->store, draft, file, fd);
    return err < 0 ? vhd_verdict_errno(ret, err, "cannot replace the image of \"%s\"", verb->name)
                   : VHD_OK;
}

static enum vhd_result convert_run(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    struct conversion *conversion = verb->state;

    if (!conversion) /* nothing to convert */
        return vhd_task_commit(verb->task) ? VHD_OK : vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    int err = vhd_fill(conversion->draft.fd, &conversion->blank, verb->disk, verb->task);
    if (vhd_task_is_cancelled(verb->task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot write the new image of \"%s\"", verb->name);
    return replace(verb, &conversion->draft, ret);
}

static void convert_end(struct vhd_verb *verb)
{
    struct conversion *conversion = verb->state;

    vhd_draft_end(verb->store, &conversion->draft);
    free(conversion);
}

const struct vhd_verb_ops vhd_convert_ops = {
    .types = VHD_VERB_FITS(VHD_TYPE_FIXED) | VHD_VERB_FITS(VHD_TYPE_DYNAMIC) |
             VHD_VERB_FITS(VHD_TYPE_DIFFERENCING),
    .admit = convert_admit,
    .run = convert_run,
    .end = convert_end,
};
