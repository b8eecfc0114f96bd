/* SPDX-License-Identifier: MIT */
#include "verb/merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "reshape/merge.h"
#include "operation/exclusive.h"
#include "repair/backup.h"
#include "request/name.h"
#include "request/size.h"

/* What a merge holds beside the parent, which is verb->disk. */
struct merging {
    struct vhd_layer *child; /* claimed for writing, so that nobody opens it */
    int child_fd;            /* open for writing; -1 for none */
    char parent_file[NAME_MAX + 1];
    struct timespec parent_mtime; /* which the child records */
    struct vhd_merge *merge;
    bool has_merged; /* the parent's file has changed for good */
};

/* Judge the whole chain by opening it, and find the parent. */
static enum vhd_result find_parent(const struct vhd_verb *verb, struct merging *merging,
                                   struct vhd_verdict *ret)
{
    struct vhd_disk *disk = NULL;
    struct stat attributes = {0};

    enum vhd_result result = vhd_disk_open(verb->catalogue, verb->name, 0, &disk, ret);
    if (result != VHD_OK)
        return result;
    const char *file = vhd_disk_parent(disk, &attributes);
    snprintf(merging->parent_file, sizeof merging->parent_file, "%s", file ? file : "");
    merging->parent_mtime = attributes.st_mtim;
    (void)vhd_disk_close(disk, NULL);
    if (vhd_name_stem_length(merging->parent_file) < strlen(merging->parent_file))
        return VHD_OK;
    return vhd_verdict_set(ret, VHD_WRONG_TYPE,
                           "the parent \"%s\" of \"%s\" is no disk of the store; write convert "
                           "dynamic instead",
                           merging->parent_file, verb->name);
}

/* Hold the child: no program opens it, or makes it a parent. */
static enum vhd_result hold_child(const struct vhd_verb *verb, struct merging *merging,
                                  const char *file, struct vhd_verdict *ret)
{
    struct vhd_fault fault = {0};

    int err = vhd_layer_open(verb->store, file, VHD_LAYER_WRITE, &merging->child,
                             &merging->child_fd, &fault);
    if (err == -EAGAIN)
        return vhd_disk_refuse_lease(file, ret);
    if (err == -EBUSY)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "another program holds a lock on \"%s\"; end that program, or try "
                               "again",
                               file);
    return err < 0 ? vhd_verdict_errno(ret, err, "cannot hold the disk \"%s\"", verb->name)
                   : VHD_OK;
}

static enum vhd_result refuse_change(const struct vhd_verb *verb, const struct merging *merging,
                                     struct vhd_verdict *ret)
{
    return vhd_verdict_set(ret, VHD_IN_USE,
                           "another program has changed \"%s\" or \"%s\" while they were merged; "
                           "merge again when it has ended",
                           verb->name, merging->parent_file);
}

/* Open the parent for writing. Its one child is held. */
static enum vhd_result open_parent(struct vhd_verb *verb, const struct merging *merging,
                                   struct vhd_verdict *ret)
{
    const unsigned flags = VHD_DISK_WRITE | VHD_DISK_FOR_MERGE | VHD_DISK_NO_FLUSHER;
    const char *file = merging->parent_file;
    char name[NAME_MAX + 1], size[VHD_SIZE_TEXT];
    uuid_t uuid = {0};
    unsigned count = 0;

    int err = vhd_catalogue_count_children_now(verb->catalogue, file,
                                               merging->child->image.header.parent_uuid, &count);
    if (err == 0 && count > 1)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "the parent \"%s\" has %u differencing disks; merge needs \"%s\" to "
                               "be the only one",
                               file, count, verb->name);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot list the folder \"%s\"",
                                 vhd_store_path(verb->store));
    snprintf(name, sizeof name, "%.*s", (int)vhd_name_stem_length(file), file);
    enum vhd_result result = vhd_disk_open(verb->catalogue, name, flags, &verb->disk, ret);
    if (result != VHD_OK)
        return result;
    vhd_disk_uuid(verb->disk, uuid);
    if (uuid_compare(uuid, merging->child->image.header.parent_uuid) != 0)
        return refuse_change(verb, merging, ret);
    if (vhd_disk_size(verb->disk) == merging->child->image.footer.current_size)
        return VHD_OK;
    vhd_size_describe(vhd_disk_size(verb->disk), size);
    return vhd_verdict_set(ret, VHD_SIZE_TOO_SMALL,
                           "the parent \"%s\" has %s, less than the disk \"%s\"; write convert "
                           "dynamic instead",
                           name, size, verb->name);
}

static enum vhd_result merge_admit(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    struct merging *merging = calloc(1, sizeof *merging);
    struct vhd_info info;
    int fd = -1;

    if (!merging)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    merging->child_fd = -1;
    verb->state = merging;
    /* The lock judges and waits. The layer claims once more. */
    enum vhd_result result =
        vhd_disk_lock_exclusive(verb->catalogue, verb->name, VHD_PATIENCE_TASK, &info, &fd, ret);
    if (result != VHD_OK)
        return result;
    close(fd);
    result = find_parent(verb, merging, ret);
    if (result == VHD_OK)
        result = hold_child(verb, merging, info.file, ret);
    if (result == VHD_OK)
        result = open_parent(verb, merging, ret);
    if (result != VHD_OK)
        return result;
    int err = vhd_merge_new(verb->disk, merging->child, &merging->merge);
    return err == 0 ? VHD_OK : vhd_verdict_errno(ret, err, "cannot merge \"%s\"", verb->name);
}

/* Combine all blocks. */
static int combine_all(struct vhd_verb *verb, struct vhd_merge *merge)
{
    const uint64_t size = vhd_disk_size(verb->disk);
    uint64_t done = 0;
    int err = 0;

    while (done < size && err == 0) {
        if (vhd_task_is_cancelled(verb->task))
            return -ECANCELED;
        err = vhd_merge_step(merge, &done);
        vhd_task_advance(verb->task, done, size);
    }
    return err;
}

/* Delete the child's file, whose content the parent has. */
static int delete_child(const struct vhd_verb *verb, const struct vhd_layer *child)
{
    int err = vhd_store_confirm(verb->store, child->file, child->fd);
    if (err == 0 && unlinkat(vhd_store_fd(verb->store), child->file, 0) < 0)
        err = -errno;
    if (err == 0)
        vhd_backup_remove(verb->store, child->file);
    return err == 0 ? vhd_store_sync(verb->store) : err;
}

/* Judge that no program has changed or replaced one of the two files meanwhile. */
static enum vhd_result confirm(const struct vhd_verb *verb, const struct merging *merging,
                               struct vhd_verdict *ret)
{
    if (vhd_disk_confirm(verb->disk) != -ESTALE &&
        vhd_layer_confirm(verb->store, merging->child) != -ESTALE)
        return VHD_OK;
    return refuse_change(verb, merging, ret);
}

/* Say why the merge has failed, and what a fixed parent holds then. */
static enum vhd_result refuse(const struct vhd_verb *verb, const struct merging *merging, int err,
                              struct vhd_verdict *ret)
{
    return vhd_verdict_set(ret, vhd_result_of_errno(err), "cannot merge \"%s\" into \"%s\": %s%s%s",
                           verb->name, merging->parent_file, strerrordesc_np(-err),
                           err == -ENOSPC ? "; free some space and merge again" : "",
                           merging->has_merged
                               ? "; the parent holds a part of the content, and the "
                                 "disk still all of it: merge again"
                               : "");
}

/* Give the parent all that the child holds. */
static enum vhd_result merge_all(struct vhd_verb *verb, struct merging *merging,
                                 struct vhd_verdict *ret)
{
    const bool is_in_place = vhd_disk_type(verb->disk) == VHD_TYPE_FIXED;

    int err = vhd_merge_reserve(merging->merge);
    if (err < 0)
        return refuse(verb, merging, err, ret);
    if (is_in_place && confirm(verb, merging, ret) != VHD_OK)
        return ret->result;
    if (is_in_place && !vhd_task_commit(verb->task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    merging->has_merged = is_in_place;
    err = combine_all(verb, merging->merge);
    if (err == -ECANCELED)
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    if (err < 0)
        return refuse(verb, merging, err, ret);
    if (confirm(verb, merging, ret) != VHD_OK)
        return ret->result;
    if (!is_in_place && !vhd_task_commit(verb->task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    merging->has_merged = true;
    err = vhd_merge_finish(merging->merge);
    return err < 0 ? refuse(verb, merging, err, ret) : VHD_OK;
}

static enum vhd_result merge_run(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    const struct merging *merging = verb->state;

    enum vhd_result result = merge_all(verb, verb->state, ret);
    /* The child goes only if the name of the parent leads to its content. */
    if (result == VHD_OK)
        result = confirm(verb, merging, ret);
    if (result != VHD_OK)
        return result;
    int err = delete_child(verb, merging->child);
    return err == 0 ? VHD_OK
                    : vhd_verdict_errno(ret, err,
                                        "\"%s\" was merged into \"%s\", but cannot be deleted; "
                                        "delete it by rmdir",
                                        verb->name, merging->parent_file);
}

/* Leave the parent. If nothing was merged, its file has the time that the child records. */
static void close_parent(struct vhd_verb *verb, const struct merging *merging)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, merging->parent_mtime};
    const char *file;
    AUTO_CLOSE int fd =
        verb->disk ? fcntl(vhd_disk_file(verb->disk, &file), F_DUPFD_CLOEXEC, 0) : -1;

    (void)vhd_disk_close(TAKE(verb->disk), NULL);
    if (fd >= 0 && !merging->has_merged)
        (void)futimens(fd, times);
}

static void merge_end(struct vhd_verb *verb)
{
    struct merging *merging = verb->state;

    vhd_merge_free(merging->merge);
    close_parent(verb, merging);
    vhd_layer_close(merging->child);
    if (merging->child_fd >= 0)
        close(merging->child_fd);
    free(merging);
}

const struct vhd_verb_ops vhd_merge_ops = {
    .types = VHD_VERB_FITS(VHD_TYPE_DIFFERENCING),
    .admit = merge_admit,
    .run = merge_run,
    .end = merge_end,
};
