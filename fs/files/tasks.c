/* SPDX-License-Identifier: MIT */
#include "files/tasks.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "files/status.h"
#include "tree/records.h"
#include "tree/folder.h"
#include "tree/handle.h"
#include "tree/ino.h"
#include "kernel/deferred.h"
#include "tree/reply.h"
#include "request/name.h"

int fs_tasks_show(struct fs *fs, const struct fs_node *node, FILE *out,
                  struct timespec *ret_changed, fs_tasks_print *print)
{
    struct vhd_task_status status;
    struct vhd_task *task = fs_record_task(fs->entries, node->entry);

    if (!task)
        return -ENOENT;
    vhd_task_status(task, &status);
    print(out, node, &status);
    *ret_changed = status.changed;
    vhd_task_unref(task);
    return 0;
}

static void print_nothing(FILE *out, const struct fs_node *node,
                          const struct vhd_task_status *status)
{
    (void)out;
    (void)node;
    (void)status;
}

static void print_lines(FILE *out, const struct fs_node *node, const struct vhd_task_status *status)
{
    (void)node;
    fs_fields_show(out, fs_task_fields, status);
}

static void print_json(FILE *out, const struct fs_node *node, const struct vhd_task_status *status)
{
    (void)node;
    fs_fields_show_json(out, fs_task_fields, status);
}

static void print_value(FILE *out, const struct fs_node *node, const struct vhd_task_status *status)
{
    fs_field_show(out, node->row->field, status);
}

static void print_target(FILE *out, const struct fs_node *node,
                         const struct vhd_task_status *status)
{
    (void)status;
    fputs(fs_entry_name(node->entry), out);
}

static void print_wait(FILE *out, const struct fs_node *node, const struct vhd_task_status *status)
{
    (void)node;
    if (status->is_complete)
        fprintf(out, "%s\n", vhd_task_state_name(status->state));
    else
        fprintf(out, "%*s", FS_TASK_WAIT_SIZE, "");
}

int fs_tasks_show_status(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    return fs_tasks_show(fs, node, out, ret, print_lines);
}

static int json_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    return fs_tasks_show(fs, node, out, ret, print_json);
}

static int value_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    return fs_tasks_show(fs, node, out, ret, print_value);
}

static int alias_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    return fs_tasks_show(fs, node, out, ret, print_target);
}

static int wait_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    return fs_tasks_show(fs, node, out, ret, print_wait);
}

static int task_changed(struct fs *fs, const struct fs_node *node, struct timespec *ret)
{
    return fs_tasks_show(fs, node, NULL, ret, print_nothing);
}

bool fs_tasks_has_record(struct fs *fs, const struct fs_node *node)
{
    struct timespec changed;
    return task_changed(fs, node, &changed) == 0;
}

/*
 * The folder.
 */

/* The node of a name that has a record. Returns 0 or -ENOENT. */
static int find_record(struct fs *fs, const char *name, enum fs_kind kind, struct fs_node *ret)
{
    struct fs_node node = {fs_row(kind), fs_entries_find(fs->entries, name)};

    if (!node.entry)
        return -ENOENT;
    if (!fs_tasks_has_record(fs, &node)) {
        fs_node_put(fs, &node);
        return -ENOENT;
    }
    *ret = node;
    return 0;
}

static int tasks_find(struct fs *fs, const char *name, struct fs_node *ret)
{
    if (find_record(fs, name, FS_TASK, ret) == 0)
        return 0;
    size_t stem = vhd_name_stem_length(name);
    if (stem == strlen(name))
        return -ENOENT;
    AUTO_FREE char *stem_name = strndup(name, stem);
    return stem_name ? find_record(fs, stem_name, FS_TASK_ALIAS, ret) : -ENOMEM;
}

static int list_record(void *arg, const struct fs_entry *entry, bool is_at_work)
{
    (void)is_at_work;
    return fs_listing_add(arg, fs_entry_name(entry), fs_ino(entry->serial, FS_TASK), S_IFDIR);
}

static int tasks_list(struct fs *fs, struct fs_listing *listing)
{
    return fs_records_each(fs->entries, list_record, listing);
}

enum vhd_result fs_tasks_refuse_at_work(const char *name, struct vhd_verdict *ret)
{
    return vhd_verdict_set(ret, VHD_IN_USE,
                           "the task of \"%s\" is at work; wait for its end, or cancel it: "
                           "echo 1 > tasks/%s/cancel",
                           name, name);
}

struct fs_entry *fs_tasks_claim(struct fs *fs, const char *name, struct vhd_verdict *ret)
{
    struct fs_entry *entry = NULL;

    int err = fs_records_claim(fs->entries, name, &entry);
    if (err == -EBUSY)
        fs_tasks_refuse_at_work(name, ret);
    else if (err < 0)
        vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    return err < 0 ? NULL : entry;
}

enum vhd_result fs_tasks_forget(struct fs *fs, const char *name, struct vhd_verdict *ret)
{
    struct fs_entry *entry = fs_entries_find(fs->entries, name);
    int err = entry ? fs_record_forget(fs->entries, entry) : -ENOENT;

    fs_entry_put(fs->entries, entry);
    if (err == -EBUSY)
        return fs_tasks_refuse_at_work(name, ret);
    if (err < 0)
        return vhd_verdict_set(ret, VHD_PATH_NOT_FOUND,
                               "there is no task of \"%s\"; ls tasks lists all tasks", name);
    return vhd_verdict_set(ret, VHD_OK, NULL);
}

static enum vhd_result tasks_rmdir(struct fs *fs, const char *name, pid_t pid,
                                   struct vhd_verdict *ret)
{
    (void)pid;
    return fs_tasks_forget(fs, name, ret);
}

/*
 * wait and cancel.
 */

/* Listed earlier, they would hang programs that walk the tree. */
bool fs_tasks_is_over(struct fs *fs, const struct fs_node *node)
{
    return !fs_record_is_at_work(fs->entries, node->entry);
}

static void wait_read_answer(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
                             const struct vhd_task_status *status)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%s\n", vhd_task_state_name(status->state));
    (void)handle;

    fs_reply_text(req, text, (size_t)len, size, off);
}

static void wait_fsync_answer(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
                              const struct vhd_task_status *status)
{
    (void)handle;
    (void)size;
    (void)off;
    fuse_reply_err(req, vhd_outcome(status->verdict.result)->err);
}

/* Defer the reply to a request until the task of its handle's name ends. */
static void defer(struct fs_handle *handle, const struct fs_deferred_ops *ops, fuse_req_t req,
                  size_t size, off_t off)
{
    struct vhd_task *task = fs_record_task(handle->fs->entries, handle->node.entry);
    if (!task) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    fs_defer(handle->fs->deferred, ops, handle, req, size, off, task);
    vhd_task_unref(task);
}

static void wait_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    static const struct fs_deferred_ops ops = {.is_work = false, .answer = wait_read_answer};
    defer(handle, &ops, req, size, off);
}

static void wait_fsync(struct fs_handle *handle, fuse_req_t req)
{
    static const struct fs_deferred_ops ops = {.is_work = false, .answer = wait_fsync_answer};
    defer(handle, &ops, req, 0, 0);
}

/*
 * The report, which only some tasks have.
 */

static bool report_is_listed(struct fs *fs, const struct fs_node *folder)
{
    struct vhd_task *task = fs_record_task(fs->entries, folder->entry);
    const bool has_report = task && vhd_task_has_report(task);

    vhd_task_unref(task);
    return has_report;
}

static int report_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    struct vhd_task_status status;
    AUTO_FREE char *text = NULL;
    struct vhd_task *task = fs_record_task(fs->entries, node->entry);

    if (!task)
        return -ENOENT;
    int err = vhd_task_report(task, &text);
    vhd_task_status(task, &status);
    vhd_task_unref(task);
    if (err < 0)
        return err;
    fputs(text, out);
    *ret = status.changed;
    return 0;
}

static void cancel_write(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data)
{
    struct fs *fs = handle->fs;
    const char *name = fs_entry_name(handle->node.entry);
    struct vhd_verdict verdict;

    struct vhd_task *task = fs_record_task(fs->entries, handle->node.entry);
    int err = task ? vhd_task_cancel(task) : -ESRCH;
    vhd_task_unref(task);
    if (err == 0) {
        fuse_reply_write(req, data->len);
        return;
    }
    if (err == -EBUSY)
        vhd_verdict_set(&verdict, VHD_IN_USE,
                        "the task of \"%s\" can no longer be cancelled; wait for its end", name);
    else
        vhd_verdict_set(&verdict, VHD_ENDED,
                        "the task of \"%s\" has ended, so there is nothing to cancel", name);
    fs_reply_verdict(fs, (struct fs_where){&handle->node, NULL}, req, &verdict);
}

const struct fs_row_ops fs_tasks_ops = {
    .find = tasks_find,
    .list = tasks_list,
    .rmdir = tasks_rmdir,
};

const struct fs_row_ops fs_task_ops = {.changed = task_changed};
const struct fs_row_ops fs_task_alias_ops = {.show = alias_show};
const struct fs_row_ops fs_task_status_ops = {.show = fs_tasks_show_status};
const struct fs_row_ops fs_task_json_ops = {.show = json_show};
const struct fs_row_ops fs_task_value_ops = {.show = value_show};

const struct fs_row_ops fs_task_wait_ops = {
    .show = wait_show,
    .is_listed = fs_tasks_is_over,
    .read = wait_read,
    .fsync = wait_fsync,
    .new_node_per_lookup = true,
};

const struct fs_row_ops fs_task_report_ops = {
    .show = report_show,
    .is_listed = report_is_listed,
};

const struct fs_row_ops fs_task_cancel_ops = {
    .changed = task_changed,
    .write = cancel_write,
};
