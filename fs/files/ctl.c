/* SPDX-License-Identifier: MIT */
#include "files/ctl.h"

#include "files/bytes.h"
#include "files/control.h"
#include "files/tasks.h"
#include "image/info.h"
#include "operation/admit.h"
#include "verb/verbs.h"
#include "request/name.h"
#include "tree/permission.h"
#include "tree/records.h"
#include "tree/reply.h"

/* Print the verbs that fit the disk, one a line: usage, then meaning. */
static int ctl_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    struct vhd_info info;

    int err = vhd_info_read(fs->store, fs_entry_name(node->entry), &info);
    if (err < 0)
        return err;
    *ret = info.changed;
    for (enum vhd_verb_kind verb = 0; verb < VHD_VERB_COUNT; verb++) {
        const struct vhd_verb_words *words = &vhd_verb_words[verb];
        if (vhd_verb_fits(verb, &info.image))
            fprintf(out, "%-24s %s\n", words->usage, words->meaning);
    }
    return 0;
}

/* Judge before anything is written: shutdown, read-only or a lost lock, then the disk. */
static enum vhd_result judge_change(struct fs *fs, const struct fs_node *node,
                                    struct vhd_verdict *ret)
{
    if (vhd_service_is_stopping(fs->service))
        return vhd_verdict_set(ret, VHD_SHUTTING_DOWN, NULL);
    enum vhd_result result = fs_judge_change(fs, ret);
    if (result == VHD_OK)
        result = fs_bytes_judge_there(fs, node, fs_entry_name(node->entry), ret);
    return result == VHD_OK ? fs_node_judge(fs, node, ret) : result;
}

static int ctl_open(struct fs_handle *handle)
{
    struct vhd_verdict verdict;

    if (!handle->is_writer || judge_change(handle->fs, &handle->node, &verdict) == VHD_OK)
        return 0;
    return fs_refuse_at(handle->fs, (struct fs_where){&handle->node, NULL}, &verdict);
}

/* Judge whether the caller may read a disk that becomes the parent, if there is one. */
static enum vhd_result judge_new_parent(struct fs *fs, fuse_req_t req, const char *parent,
                                        struct vhd_verdict *ret)
{
    char file[NAME_MAX + 1];
    struct stat attributes;

    if (vhd_store_find(fs->store, parent, file, &attributes) < 0 ||
        fs_may_read(fs, req, &attributes))
        return VHD_OK;
    return vhd_verdict_set(ret, VHD_ACCESS_DENIED,
                           "the disk \"%s\" is not yours to read; ask its owner", parent);
}

/* Judge whether the caller may read the parents, and write to the first if it is merged into. */
static enum vhd_result judge_parents(struct fs *fs, fuse_req_t req, const char *name,
                                     bool is_merged, struct vhd_verdict *ret)
{
    struct vhd_disk *disk = NULL;
    struct stat parent;

    enum vhd_result result = vhd_disk_open(fs->catalogue, name, 0, &disk, ret);
    if (result == VHD_OK)
        result = fs_bytes_judge_parents(fs, req, disk, name, ret);
    if (result == VHD_OK && is_merged && vhd_disk_parent(disk, &parent) &&
        !fs_may_write(fs, req, &parent))
        result =
            vhd_verdict_set(ret, VHD_ACCESS_DENIED,
                            "the parent of \"%s\" is not yours to write to; ask its owner", name);
    (void)vhd_disk_close(disk, NULL);
    return result;
}

/* Judge whether the caller may do what a verb does to other disks. */
static enum vhd_result judge_caller(struct fs *fs, fuse_req_t req, const char *name,
                                    const struct vhd_command *command, struct vhd_verdict *ret)
{
    if (fs_may_all(req))
        return VHD_OK;
    switch (command->verb) {
    case VHD_VERB_REBASE:
        return judge_new_parent(fs, req, command->name, ret);
    case VHD_VERB_CONVERT:
    case VHD_VERB_MERGE:
        return judge_parents(fs, req, name, command->verb == VHD_VERB_MERGE, ret);
    default:
        return VHD_OK;
    }
}

/* Submit a command. Returns its task, referenced; or NULL with a sentence in *ret. */
static struct vhd_task *submit_verb(struct fs *fs, const char *name,
                                    const struct vhd_command *command, struct vhd_verdict *ret)
{
    struct vhd_task *task = NULL;

    struct vhd_verb *verb = vhd_verb_new(fs->catalogue, name, command);
    if (!verb)
        vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    else
        vhd_verb_submit(fs->service, verb, &task, ret);
    return task;
}

/* Judge the name of a disk that a verb makes, before it becomes an entry. */
static enum vhd_result judge_new_name(const struct fs *fs, const char *name,
                                      struct vhd_verdict *ret)
{
    char file[NAME_MAX + 1];

    enum vhd_result result = vhd_name_judge_disk(vhd_store_path(fs->store), name, ret);
    if (result == VHD_OK && vhd_store_find(fs->store, name, file, NULL) == 0)
        return vhd_admit_refuse_existing(fs->store, file, ret);
    return result;
}

/*
 * Submit a snapshot. The name of the new disk is claimed too, so that no request makes that disk
 * meanwhile. Its record is the same task.
 */
static struct vhd_task *submit_snapshot(struct fs *fs, const char *name,
                                        const struct vhd_command *command, struct vhd_verdict *ret)
{
    if (judge_new_name(fs, command->name, ret) != VHD_OK)
        return NULL;
    struct fs_entry *entry = fs_tasks_claim(fs, command->name, ret);
    if (!entry)
        return NULL;
    struct vhd_task *task = submit_verb(fs, name, command, ret);
    fs_record_end_claim(fs->entries, entry, task);
    fs_entry_put(fs->entries, entry);
    return task;
}

/* Judge a command, and submit it. Returns its task, referenced; or NULL with a sentence in *ret. */
static struct vhd_task *submit(struct fs *fs, fuse_req_t req, const struct fs_node *node,
                               const char *text, size_t len, struct vhd_verdict *ret)
{
    const char *name = fs_entry_name(node->entry);
    struct vhd_command command;

    if (judge_change(fs, node, ret) != VHD_OK ||
        vhd_command_parse(text, len, &command, ret) != VHD_OK ||
        judge_caller(fs, req, name, &command, ret) != VHD_OK)
        return NULL;
    return command.verb == VHD_VERB_SNAPSHOT ? submit_snapshot(fs, name, &command, ret)
                                             : submit_verb(fs, name, &command, ret);
}

/* The name is claimed until the task ends, so that no other task or change of it begins. */
static struct vhd_task *ctl_begin(struct fs_handle *handle, fuse_req_t req, const char *text,
                                  size_t len, struct vhd_verdict *ret)
{
    struct fs *fs = handle->fs;
    const struct fs_node *node = &handle->node;

    if (!fs_record_claim(fs->entries, node->entry)) {
        fs_tasks_refuse_at_work(fs_entry_name(node->entry), ret);
        return NULL;
    }
    struct vhd_task *task = submit(fs, req, node, text, len, ret);
    fs_record_end_claim(fs->entries, node->entry, task);
    return task;
}

static void ctl_write(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data)
{
    fs_control_write(handle, req, data, ctl_begin);
}

const struct fs_row_ops fs_disk_ctl_ops = {
    .show = ctl_show,
    .open = ctl_open,
    .write = ctl_write,
    .new_node_per_lookup = true,
};
