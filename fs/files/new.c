/* SPDX-License-Identifier: MIT */
#include "files/new.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "tree/events.h"
#include "tree/records.h"
#include "tree/folder.h"
#include "tree/handle.h"
#include "tree/ino.h"
#include "operation/admit.h"
#include "operation/create.h"
#include "tree/permission.h"
#include "tree/reply.h"
#include "request/name.h"
#include "files/control.h"
#include "files/tasks.h"

/* The disk that a file name in new/ means: "X.vhd" makes disk X. */
static char *disk_of(const char *name)
{
    return strndup(name, vhd_name_stem_length(name));
}

/* A name in new/ can be looked up while its task is remembered or a file of it is open. */
static bool is_there(struct fs *fs, struct fs_entry *entry)
{
    struct vhd_task *task = fs_record_task(fs->entries, entry);
    vhd_task_unref(task);
    return task || fs_entry_has_request(fs->entries, entry);
}

static int new_find(struct fs *fs, const char *name, struct fs_node *ret)
{
    AUTO_FREE char *disk = disk_of(name);
    struct fs_entry *entry = disk ? fs_entries_find(fs->entries, disk) : NULL;

    if (!entry || !is_there(fs, entry)) {
        fs_entry_put(fs->entries, entry);
        return disk ? -ENOENT : -ENOMEM;
    }
    *ret = (struct fs_node){fs_row(FS_REQUEST), entry};
    return 0;
}

static int list_working(void *arg, const struct fs_entry *entry, bool is_at_work)
{
    if (!is_at_work)
        return 0;
    return fs_listing_add(arg, fs_entry_name(entry), fs_ino(entry->serial, FS_REQUEST), S_IFREG);
}

static int new_list(struct fs *fs, struct fs_listing *listing)
{
    return fs_records_each(fs->entries, list_working, listing);
}

/* Judge before anything is written: shutdown, then read-only or a lost lock, then the name. */
static enum vhd_result judge_name(struct fs *fs, const char *disk, struct vhd_verdict *ret)
{
    if (vhd_service_is_stopping(fs->service))
        return vhd_verdict_set(ret, VHD_SHUTTING_DOWN, NULL);
    enum vhd_result result = fs_judge_change(fs, ret);
    if (result != VHD_OK)
        return result;
    return vhd_name_judge_disk(vhd_store_path(fs->store), disk, ret);
}

/* Is there no such disk yet? */
static enum vhd_result judge_new(struct fs *fs, const char *disk, struct vhd_verdict *ret)
{
    char file[NAME_MAX + 1];

    if (vhd_store_find(fs->store, disk, file, NULL) == 0)
        return vhd_admit_refuse_existing(fs->store, file, ret);
    return VHD_OK;
}

/* The same, and is no task of the name at work? */
static enum vhd_result judge_free(struct fs *fs, struct fs_entry *entry, struct vhd_verdict *ret)
{
    const char *disk = fs_entry_name(entry);

    enum vhd_result result = judge_new(fs, disk, ret);
    if (result == VHD_OK && fs_record_is_at_work(fs->entries, entry))
        return fs_tasks_refuse_at_work(disk, ret);
    return result;
}

/* The open of the file comes next, and judges the name. */
static int new_create(struct fs *fs, const char *name, struct fs_node *ret)
{
    AUTO_FREE char *disk = disk_of(name);
    struct fs_entry *entry = disk ? fs_entries_get(fs->entries, disk) : NULL;
    if (!entry)
        return -ENOMEM;
    *ret = (struct fs_node){fs_row(FS_REQUEST), entry};
    return 0;
}

static struct fs_where where_of(const struct fs_handle *handle)
{
    return (struct fs_where){&handle->node, NULL};
}

static int request_open(struct fs_handle *handle)
{
    struct fs *fs = handle->fs;
    const struct fs_node *node = &handle->node;
    struct vhd_verdict verdict;

    if (!handle->is_writer)
        return 0;
    if (judge_name(fs, fs_entry_name(node->entry), &verdict) != VHD_OK ||
        judge_free(fs, node->entry, &verdict) != VHD_OK)
        return fs_refuse_at(fs, where_of(handle), &verdict);
    fs_entry_request_opened(fs->entries, node->entry);
    return 0;
}

static void request_close(struct fs_handle *handle)
{
    if (handle->is_writer)
        fs_entry_request_closed(handle->fs->entries, handle->node.entry);
}

/*
 * A read of new/NAME shows the status of its task. Without a task it shows nothing: the file was
 * just made, or was found just before the disk was deleted and may be opened to make another.
 */
static int request_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    int err = fs_tasks_show_status(fs, node, out, ret);
    if (err == -ENOENT) {
        *ret = fs->started;
        return 0;
    }
    return err;
}

static enum vhd_result new_unlink(struct fs *fs, const struct fs_node *node, const char *name,
                                  pid_t pid, struct vhd_verdict *ret)
{
    (void)node;
    (void)pid;
    AUTO_FREE char *disk = disk_of(name);
    return disk ? fs_tasks_forget(fs, disk, ret) : vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
}

/* Submit a request. Returns its task, referenced; or NULL with a sentence in *ret. */
static struct vhd_task *submit(struct fs *fs, const char *disk, const struct vhd_request *request,
                               struct vhd_verdict *ret)
{
    char file[NAME_MAX + 1];
    struct vhd_task *task = NULL;

    snprintf(file, sizeof file, "%s%s", disk, VHD_ENDING);
    struct vhd_create *create = vhd_create_new(fs->catalogue, file, request);
    if (!create) {
        vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
        return NULL;
    }
    vhd_create_set_formatter(create, &fs->formatter);
    vhd_create_submit(fs->service, create, &task, ret);
    return task;
}

/* The record of a request that was refused; NULL where a disk of that name owns the record. */
static struct vhd_task *refusal(struct fs *fs, const char *disk, const struct vhd_request *request,
                                const struct vhd_verdict *verdict)
{
    char description[VHD_DESCRIPTION_SIZE], file[NAME_MAX + 1];

    if (vhd_store_find(fs->store, disk, file, NULL) == 0)
        return NULL;
    vhd_create_describe(disk, request, description);
    return vhd_service_record_refusal(fs->service, VHD_CREATE_OPERATION, disk, description,
                                      verdict);
}

/*
 * Judge a request and submit it. The name is claimed first and judged again, because a disk of that
 * name may have come since the open. A refused request leaves a record too.
 *
 * Returns its task, referenced; or NULL with a sentence in *ret.
 */
static struct vhd_task *begin(struct fs *fs, const char *disk, const char *text, size_t len,
                              struct vhd_verdict *ret)
{
    struct vhd_request request = {0};
    struct vhd_task *task = NULL, *record;

    struct fs_entry *entry = fs_tasks_claim(fs, disk, ret);
    if (!entry)
        return NULL;
    if (judge_name(fs, disk, ret) == VHD_OK && judge_new(fs, disk, ret) == VHD_OK &&
        vhd_request_parse(text, len, &request, ret) == VHD_OK)
        task = submit(fs, disk, &request, ret);
    record = task ? vhd_task_ref(task) : refusal(fs, disk, &request, ret);
    if (record && !task)
        fs_events_note(fs->events, record);
    fs_record_end_claim(fs->entries, entry, record);
    vhd_task_unref(record);
    fs_entry_put(fs->entries, entry);
    return task;
}

static struct vhd_task *request_begin(struct fs_handle *handle, fuse_req_t req, const char *text,
                                      size_t len, struct vhd_verdict *ret)
{
    (void)req;
    return begin(handle->fs, handle->opened_as, text, len, ret);
}

static void request_write(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data)
{
    fs_control_write(handle, req, data, request_begin);
}

const struct fs_row_ops fs_new_ops = {
    .find = new_find,
    .list = new_list,
    .create = new_create,
    .unlink = new_unlink,
};

const struct fs_row_ops fs_request_ops = {
    .show = request_show,
    .open = request_open,
    .close = request_close,
    .write = request_write,
    .new_node_per_lookup = true,
};
