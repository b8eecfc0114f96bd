/* SPDX-License-Identifier: MIT */
/*
 * All rows of the tree, and the functions of its two small files: version and errors.
 */
#include "files/ctl.h"
#include "files/disks.h"
#include "tree/errors.h"
#include "files/events.h"
#include "files/fixed.h"
#include "files/info.h"
#include "files/new.h"
#include "files/progress.h"
#include "files/raw.h"
#include "tree/reply.h"
#include "files/status.h"
#include "files/tasks.h"
#include "version.h"

static int version_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    (void)node;
    fprintf(out, "vhdfs " VHDFS_VERSION "\nconfined by %s\n", fs->confined_by);
    *ret = fs->started;
    return 0;
}

static int errors_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    (void)node;
    *ret = fs_errors_show(fs->errors, out);
    if (ret->tv_sec == 0)
        *ret = fs->started;
    return 0;
}

static void errors_write(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data)
{
    struct fs *fs = fuse_req_userdata(req);
    (void)handle;
    fs_errors_clear(fs->errors);
    fuse_reply_write(req, data->len);
}

static const struct fs_row_ops root_ops = {0};
static const struct fs_row_ops version_ops = {.show = version_show};

/* The shell's `: > errors` clears the list. */
static void errors_truncate(struct fs *fs, const struct fs_node *node, fuse_req_t req, off_t size,
                            struct fs_handle *handle)
{
    (void)handle;
    if (size == 0)
        fs_errors_clear(fs->errors);
    fs_reply_attr(fs, node, req);
}

static const struct fs_row_ops errors_ops = {
    .show = errors_show,
    .write = errors_write,
    .truncate = errors_truncate,
};

#define FOLDER(permissions) (S_IFDIR | (permissions))
#define TEXT(permissions)   (S_IFREG | (permissions))
#define BYTES(permissions)  (S_IFREG | (permissions))
#define ALIAS               (S_IFLNK | 0777)
#define TASK_VALUE(key)                                                                            \
    {                                                                                              \
#        key, FS_TASK, TEXT(0444), &fs_task_value_ops, &fs_task_fields[FS_TASK_FIELD_##key]        \
    }
#define DISK_VALUE(key)                                                                            \
    {                                                                                              \
#        key, FS_DISK, TEXT(0444), &fs_disk_value_ops, &fs_disk_fields[FS_DISK_FIELD_##key]        \
    }

const struct fs_row fs_rows[FS_KIND_COUNT] = {
    [FS_ROOT] = {"", FS_NOTHING, FOLDER(0755), &root_ops, NULL},
    [FS_NEW] = {"new", FS_ROOT, FOLDER(0755), &fs_new_ops, NULL},
    [FS_TASKS] = {"tasks", FS_ROOT, FOLDER(0755), &fs_tasks_ops, NULL},
    [FS_DISKS] = {"disks", FS_ROOT, FOLDER(0755), &fs_disks_ops, NULL},
    [FS_ERRORS] = {"errors", FS_ROOT, TEXT(0644), &errors_ops, NULL},
    [FS_EVENTS] = {"events", FS_ROOT, TEXT(0444), &fs_events_ops, NULL},
    [FS_VERSION] = {"version", FS_ROOT, TEXT(0444), &version_ops, NULL},

    [FS_REQUEST] = {NULL, FS_NEW, TEXT(0644), &fs_request_ops, NULL},

    [FS_TASK] = {NULL, FS_TASKS, FOLDER(0755), &fs_task_ops, NULL},
    [FS_TASK_ALIAS] = {NULL, FS_TASKS, ALIAS, &fs_task_alias_ops, NULL},
    [FS_TASK_STATUS] = {"status", FS_TASK, TEXT(0444), &fs_task_status_ops, NULL},
    [FS_TASK_STATUS_JSON] = {"status.json", FS_TASK, TEXT(0444), &fs_task_json_ops, NULL},
    [FS_TASK_STATE] = TASK_VALUE(state),
    [FS_TASK_PERCENT] = TASK_VALUE(percent),
    [FS_TASK_RESULT] = TASK_VALUE(result),
    [FS_TASK_ERRNO] = TASK_VALUE(errno),
    [FS_TASK_ERROR] = TASK_VALUE(error),
    [FS_TASK_ID] = TASK_VALUE(id),
    [FS_TASK_OPERATION] = TASK_VALUE(operation),
    [FS_TASK_CANCELABLE] = TASK_VALUE(cancelable),
    [FS_TASK_DESCRIPTION] = TASK_VALUE(description),
    [FS_TASK_STARTED] = TASK_VALUE(started),
    [FS_TASK_FINISHED] = TASK_VALUE(finished),
    [FS_TASK_RATE] = TASK_VALUE(rate),
    [FS_TASK_LEFT] = TASK_VALUE(left),
    [FS_TASK_WAIT] = {"wait", FS_TASK, TEXT(0444), &fs_task_wait_ops, NULL},
    [FS_TASK_PROGRESS] = {"progress", FS_TASK, TEXT(0444), &fs_task_progress_ops, NULL},
    [FS_TASK_REPORT] = {"report", FS_TASK, TEXT(0444), &fs_task_report_ops, NULL},
    [FS_TASK_CANCEL] = {"cancel", FS_TASK, TEXT(0200), &fs_task_cancel_ops, NULL},

    [FS_DISK] = {NULL, FS_DISKS, FOLDER(0755), &fs_disk_ops, NULL},
    [FS_DISK_ALIAS] = {NULL, FS_DISKS, ALIAS, &fs_disk_alias_ops, NULL},
    [FS_DISK_RAW] = {"raw", FS_DISK, BYTES(0666), &fs_raw_ops, NULL},
    [FS_DISK_FIXED] = {"fixed.vhd", FS_DISK, BYTES(0444), &fs_fixed_ops, NULL},
    [FS_DISK_CTL] = {"ctl", FS_DISK, TEXT(0666), &fs_disk_ctl_ops, NULL},
    [FS_DISK_INFO] = {"info", FS_DISK, TEXT(0444), &fs_disk_info_ops, NULL},
    [FS_DISK_INFO_JSON] = {"info.json", FS_DISK, TEXT(0444), &fs_disk_json_ops, NULL},
    [FS_DISK_SIZE] = DISK_VALUE(size),
    [FS_DISK_TYPE] = DISK_VALUE(type),
    [FS_DISK_UUID] = DISK_VALUE(uuid),
    [FS_DISK_PARENT] = DISK_VALUE(parent),
    [FS_DISK_GEOMETRY] = DISK_VALUE(geometry),
    [FS_DISK_USED] = DISK_VALUE(used),
    [FS_DISK_PATH] = DISK_VALUE(path),
    [FS_DISK_TASK] = {"task", FS_DISK, ALIAS, &fs_disk_task_ops, NULL},
};
