/* SPDX-License-Identifier: MIT */
#include "verb/rebase.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/chain.h"
#include "image/info.h"
#include "image/parent.h"
#include "operation/exclusive.h"
#include "operation/link.h"
#include "request/size.h"

/* Find the parent's file of an image, by its header. Returns false where it has none. */
static bool find_parent(const struct vhd_store *store, int fd, char file[NAME_MAX + 1])
{
    struct vhd_image image;
    char name[NAME_MAX + 1];

    if (!vhd_image_read(fd, &image) || !vhd_image_is_differencing(&image))
        return false;
    vhd_parent_find(store, fd, &image.header, name, file);
    return *file;
}

/*
 * Does the chain of the new parent come back to the disk? Only headers are read, because the chain
 * may be broken at the disk itself.
 */
static bool comes_back(const struct vhd_verb *verb)
{
    char file[NAME_MAX + 1], own[NAME_MAX + 1];

    if (vhd_store_find(verb->store, verb->name, own, NULL) < 0 ||
        vhd_store_find(verb->store, verb->command.name, file, NULL) < 0)
        return false;
    for (int files = 0; files < VHD_CHAIN_MAX; files++) {
        AUTO_CLOSE int fd = vhd_store_open_unlocked(verb->store, file);
        if (fd < 0)
            return false;
        if (vhd_store_confirm(verb->store, own, fd) == 0)
            return true;
        if (!find_parent(verb->store, fd, file))
            return false;
    }
    return false;
}

/* Open the disk without its chain. */
static enum vhd_result open_alone(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    enum vhd_result result = vhd_disk_open_patiently(
        verb->catalogue, verb->name, VHD_DISK_WRITE | VHD_DISK_ALONE, verb->task, &verb->disk, ret);
    if (result == VHD_IN_USE)
        return vhd_verdict_set(
            ret, VHD_IN_USE,
            "the disk \"%s\", or a differencing disk on it, is open; close it in "
            "every program first",
            verb->name);
    return result;
}

/* The state of the disk before the change. */
struct before {
    bool is_same_parent; /* the new parent has the recorded identity */
    unsigned children;
    unsigned depth; /* of the chains of children */
};

static int read_before(const struct vhd_verb *verb, const struct vhd_link *link, struct before *ret)
{
    struct vhd_info info;
    uuid_t uuid = {0};

    int err = vhd_info_read(verb->store, verb->name, &info);
    if (err < 0)
        return err;
    vhd_disk_uuid(link->parent, uuid);
    ret->is_same_parent = uuid_compare(uuid, info.image.header.parent_uuid) == 0;
    err = vhd_catalogue_count_children_now(verb->catalogue, info.file, info.image.footer.uuid,
                                           &ret->children);
    if (err < 0)
        return err;
    return vhd_catalogue_depth_below(verb->catalogue, info.file, info.image.footer.uuid,
                                     VHD_CHAIN_MAX, &ret->depth);
}

/*
 * Judge whether the new parent fits the disk. The recorded parent may be smaller, because XenServer
 * enlarges children.
 */
static enum vhd_result judge_parent(const struct vhd_verb *verb, const struct vhd_link *link,
                                    const struct before *before, struct vhd_verdict *ret)
{
    const uint64_t size = vhd_disk_size(verb->disk), wanted = vhd_disk_size(link->parent);
    const char *parent = verb->command.name;
    char own[VHD_SIZE_TEXT], found[VHD_SIZE_TEXT];

    if (link->files + 1 + before->depth > VHD_CHAIN_MAX)
        return vhd_verdict_set(
            ret, VHD_INVALID_ARGUMENT,
            "with \"%s\" as the parent, a disk based on \"%s\" would have a chain of more than %d "
            "files, which is the most; merge some of them first",
            parent, verb->name, VHD_CHAIN_MAX);
    vhd_size_describe(size, own);
    vhd_size_describe(wanted, found);
    /* No force helps here, because the disk would not open. */
    if (wanted > size)
        return vhd_verdict_set(
            ret, VHD_PARENT_IDENTITY,
            "\"%s\" has %s, more than the %s of the disk \"%s\", so it cannot be "
            "the parent",
            parent, found, own, verb->name);
    if (before->is_same_parent || verb->command.is_forced)
        return VHD_OK;
    return vhd_verdict_set(ret, VHD_PARENT_IDENTITY,
                           "\"%s\" is not the parent that \"%s\" was made on, by its UUID; if its "
                           "content is the same, write \"rebase %s force\"",
                           parent, verb->name, parent);
}

static enum vhd_result refuse_failure(const struct vhd_verb *verb, int err, struct vhd_verdict *ret)
{
    if (err == -EILSEQ)
        return vhd_link_refuse_name(verb->command.name, ret);
    if (vhd_disk_has_failed(verb->disk))
        return vhd_disk_refuse_failed(verb->disk, ret);
    return vhd_verdict_errno(ret, err, "cannot change the header of \"%s\"", verb->name);
}

/*
 * Write the record, and close the disk before the answer. If children record the time of the disk's
 * file, its second stays, unless their content may have changed.
 */
static enum vhd_result relink(struct vhd_verb *verb, const struct vhd_link *link,
                              const struct before *before, struct vhd_verdict *ret)
{
    const bool keeps_second = before->children > 0 && before->is_same_parent;
    enum vhd_result result = VHD_OK;
    uuid_t uuid = {0};

    vhd_disk_uuid(link->parent, uuid);
    int err = vhd_disk_relink(verb->disk, uuid, link->timestamp, link->file, keeps_second);
    if (err < 0)
        result = refuse_failure(verb, err, ret);
    err = vhd_disk_close(TAKE(verb->disk), NULL);
    if (err < 0 && result == VHD_OK)
        result = vhd_verdict_errno(ret, err, "cannot close the image of \"%s\"", verb->name);
    return result;
}

static enum vhd_result rebase(struct vhd_verb *verb, const struct vhd_link *link,
                              struct vhd_verdict *ret)
{
    struct before before;

    enum vhd_result result = open_alone(verb, ret);
    if (result != VHD_OK)
        return result;
    int err = read_before(verb, link, &before);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot read the disk \"%s\"", verb->name);
    result = judge_parent(verb, link, &before, ret);
    if (result != VHD_OK)
        return result;
    if (!vhd_task_commit(verb->task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    result = relink(verb, link, &before, ret);
    /* The folder has not changed, so have the index of children read the header now. */
    (void)vhd_catalogue_count_children_now(verb->catalogue, link->file, (uuid_t){0},
                                           &before.children);
    return result;
}

static enum vhd_result rebase_run(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    struct vhd_link link;

    if (comes_back(verb))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "\"%s\" is the disk \"%s\" itself, or is based on it, so it cannot "
                               "be its parent",
                               verb->command.name, verb->name);
    enum vhd_result result =
        vhd_link_open(verb->catalogue, verb->command.name, verb->task, &link, ret);
    if (result != VHD_OK)
        return result;
    result = rebase(verb, &link, ret);
    vhd_link_end(&link);
    return result;
}

const struct vhd_verb_ops vhd_rebase_ops = {
    .types = VHD_VERB_FITS(VHD_TYPE_DIFFERENCING),
    .run = rebase_run,
};
