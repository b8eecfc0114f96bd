/* SPDX-License-Identifier: MIT */
#include "verb/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "operation/admit.h"
#include "operation/blank.h"
#include "operation/exclusive.h"
#include "operation/link.h"
#include "request/name.h"
#include "repair/backup.h"

struct snapshot {
    struct vhd_draft draft; /* of the child */
    struct vhd_blank blank;
    char file[NAME_MAX + 1]; /* the second name of the image */
};

static enum vhd_result refuse_host(const struct vhd_verb *verb, int err, struct vhd_verdict *ret)
{
    return vhd_verdict_errno(ret, err, "cannot make the disk \"%s\" of \"%s\"", verb->command.name,
                             verb->name);
}

/* Judge the new name. The file keeps the case of the ending, which its owner chose. */
static enum vhd_result judge_name(const struct vhd_verb *verb, char ret_file[NAME_MAX + 1],
                                  struct vhd_verdict *ret)
{
    const char *new_name = verb->command.name;
    char file[NAME_MAX + 1];

    enum vhd_result result = vhd_name_judge_disk(vhd_store_path(verb->store), new_name, ret);
    if (result != VHD_OK)
        return result;
    if (vhd_store_find(verb->store, new_name, file, NULL) == 0)
        return vhd_admit_refuse_existing(verb->store, file, ret);
    int err = vhd_store_find(verb->store, verb->name, file, NULL);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the disk \"%s\"", verb->name);
    snprintf(ret_file, NAME_MAX + 1, "%s%s", new_name, file + strlen(verb->name));
    return VHD_OK;
}

/* Lay out the child, begin its draft, and judge whether the host can hold it. */
static enum vhd_result begin_child(struct vhd_verb *verb, struct snapshot *snapshot,
                                   struct vhd_verdict *ret)
{
    struct vhd_link link;
    const char *file;
    uuid_t uuid;

    enum vhd_result result =
        vhd_link_rename(verb->disk, verb->command.name, snapshot->file, &link, ret);
    if (result != VHD_OK)
        return result;
    const int fd = vhd_disk_file(verb->disk, &file);
    int err = vhd_draft_begin_snapshot(verb->store, fd, &snapshot->draft);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot make a file in \"%s\"",
                                 vhd_store_path(verb->store));
    err = vhd_draft_copy_attributes(&snapshot->draft, fd);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot give the new image of \"%s\" its owner and mode",
                                 verb->name);
    uuid_generate_random(uuid);
    snapshot->blank =
        vhd_blank_of(VHD_TYPE_DIFFERENCING, vhd_disk_size(verb->disk), uuid, &link.locators);
    vhd_link_record(&link, &snapshot->blank.header);
    return vhd_admit_length(verb->store, &snapshot->draft, vhd_blank_full_length(&snapshot->blank),
                            false, ret);
}

/* Write the child, and make it durable under its draft's name. */
static int write_child(const struct vhd_verb *verb, const struct snapshot *snapshot)
{
    int err = vhd_blank_write(snapshot->draft.fd, &snapshot->blank);
    if (err == 0 && fsync(snapshot->draft.fd) < 0)
        err = -errno;
    return err == 0 ? vhd_store_sync(verb->store) : err;
}

/* Give the image its second name. */
static enum vhd_result link_image(const struct vhd_verb *verb, const struct snapshot *snapshot,
                                  struct vhd_verdict *ret)
{
    const char *file;
    const int fd = vhd_disk_file(verb->disk, &file);

    int err = vhd_store_link(verb->store, file, fd, snapshot->file);
    if (err == -EEXIST)
        return vhd_admit_refuse_existing(verb->store, snapshot->file, ret);
    if (err == -EPERM || err == -EOPNOTSUPP || err == -ENOSYS || err == -EMLINK)
        return vhd_verdict_set(ret, VHD_NOT_PERMITTED,
                               "the file system of \"%s\" gives the image of \"%s\" no second name "
                               "(%s); rename the disk, and make a new one with parent=",
                               vhd_store_path(verb->store), verb->name, strerrordesc_np(-err));
    return err == 0 ? VHD_OK : refuse_host(verb, err, ret);
}

/* Remove the second name again, durably, before the draft goes. */
static void unlink_image(const struct vhd_verb *verb, const struct snapshot *snapshot)
{
    const char *file;
    const int fd = vhd_disk_file(verb->disk, &file);

    if (vhd_store_confirm(verb->store, file, fd) == 0 &&
        vhd_store_confirm(verb->store, snapshot->file, fd) == 0 &&
        unlinkat(vhd_store_fd(verb->store), snapshot->file, 0) == 0)
        (void)vhd_store_sync(verb->store);
}

/* Put the child in the place of the image, whose second name is there. */
static int replace(const struct vhd_verb *verb, struct snapshot *snapshot)
{
    const int dir_fd = vhd_store_fd(verb->store);
    const char *file;
    const int fd = vhd_disk_file(verb->disk, &file);

    int err = vhd_store_sync(verb->store);
    if (err == 0)
        err = vhd_draft_replace(verb->store, &snapshot->draft, file, fd);
    if (err == 0)
        return 0;
    if (*snapshot->draft.name) {
        unlink_image(verb, snapshot);
    } else if (vhd_store_confirm(verb->store, file, snapshot->draft.fd) == 0 &&
               vhd_store_confirm(verb->store, snapshot->file, fd) == 0) {
        /* Only the last sync has failed. The first name gets the image back. */
        (void)renameat(dir_fd, snapshot->file, dir_fd, file);
        (void)vhd_store_sync(verb->store);
    }
    return err;
}

/* Keep the content. The image is held, the child written. */
static enum vhd_result keep(const struct vhd_verb *verb, struct snapshot *snapshot,
                            struct vhd_verdict *ret)
{
    if (vhd_disk_confirm(verb->disk) == -ESTALE)
        return vhd_verdict_set(
            ret, VHD_IN_USE,
            "another program has changed the disk \"%s\", or a parent; try again "
            "when it has ended",
            verb->name);
    if (!vhd_task_commit(verb->task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    enum vhd_result result = link_image(verb, snapshot, ret);
    if (result != VHD_OK)
        return result;
    int err = replace(verb, snapshot);
    const char *file;
    (void)vhd_disk_file(verb->disk, &file);
    if (err == 0)
        vhd_backup_rename(verb->store, file, snapshot->file);
    return err == 0 ? VHD_OK : refuse_host(verb, err, ret);
}

static enum vhd_result snapshot_run(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    snapshot->draft = VHD_DRAFT_NONE;
    verb->state = snapshot;
    enum vhd_result result = judge_name(verb, snapshot->file, ret);
    if (result == VHD_OK)
        result = vhd_disk_open_exclusive(verb->catalogue, verb->name, &verb->disk, ret);
    if (result == VHD_OK)
        result = begin_child(verb, snapshot, ret);
    if (result != VHD_OK)
        return result;
    int err = write_child(verb, snapshot);
    return err == 0 ? keep(verb, snapshot, ret) : refuse_host(verb, err, ret);
}

static void snapshot_end(struct vhd_verb *verb)
{
    struct snapshot *snapshot = verb->state;

    vhd_draft_end(verb->store, &snapshot->draft);
    free(snapshot);
}

const struct vhd_verb_ops vhd_snapshot_ops = {
    .types = VHD_VERB_FITS(VHD_TYPE_FIXED) | VHD_VERB_FITS(VHD_TYPE_DYNAMIC) |
             VHD_VERB_FITS(VHD_TYPE_DIFFERENCING),
    .run = snapshot_run,
    .end = snapshot_end,
};
