#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disks.h"
#include "errors.h"
#include "ino.h"
#include "new.h"
#include "tasks.h"
#include "version.h"

static int version_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    (void)node;
    fputs("vhdfs " VHDFS_VERSION "\n", out);
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

static void errors_write(struct fs_handle *handle, fuse_req_t req, const char *text, size_t len)
{
    struct fs *fs = fuse_req_userdata(req);
    (void)handle;
    (void)text;
    fs_errors_clear(fs->errors);
    fuse_reply_write(req, len);
}

static const struct fs_row_ops root_ops = {0};
static const struct fs_row_ops version_ops = {.show = version_show};
static const struct fs_row_ops errors_ops = {.show = errors_show, .write = errors_write};

#define FOLDER(permissions) (S_IFDIR | (permissions))
#define TEXT(permissions)   (S_IFREG | (permissions))
#define ALIAS               (S_IFLNK | 0777)
#define TASK_VALUE(key)                                                                            \
    {                                                                                              \
#        key, FS_TASK, TEXT(0444), &fs_task_value_ops, &fs_task_fields[FS_TASK_FIELD_##key]        \
    }
#define DISK_VALUE(key)                                                                            \
    {                                                                                              \
#        key, FS_DISK, TEXT(0444), &fs_disk_value_ops, &fs_disk_fields[FS_DISK_FIELD_##key]        \
    }

static const struct fs_row rows[FS_KIND_COUNT] = {
    [FS_ROOT] = {"", FS_NOTHING, FOLDER(0755), &root_ops, NULL},
    [FS_NEW] = {"new", FS_ROOT, FOLDER(0755), &fs_new_ops, NULL},
    [FS_TASKS] = {"tasks", FS_ROOT, FOLDER(0755), &fs_tasks_ops, NULL},
    [FS_DISKS] = {"disks", FS_ROOT, FOLDER(0755), &fs_disks_ops, NULL},
    [FS_ERRORS] = {"errors", FS_ROOT, TEXT(0644), &errors_ops, NULL},
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
    [FS_TASK_WAIT] = {"wait", FS_TASK, TEXT(0444), &fs_task_wait_ops, NULL},
    [FS_TASK_CANCEL] = {"cancel", FS_TASK, TEXT(0200), &fs_task_cancel_ops, NULL},

    [FS_DISK] = {NULL, FS_DISKS, FOLDER(0755), &fs_disk_ops, NULL},
    [FS_DISK_ALIAS] = {NULL, FS_DISKS, ALIAS, &fs_disk_alias_ops, NULL},
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

const struct fs_row *fs_row(enum fs_kind kind)
{
    return kind > FS_NOTHING && kind < FS_KIND_COUNT ? &rows[kind] : NULL;
}

enum fs_kind fs_row_kind(const struct fs_row *row)
{
    return (enum fs_kind)(row - rows);
}

fuse_ino_t fs_node_id(const struct fs_node *node)
{
    return fs_ino(node->name ? node->name->serial : 0, fs_row_kind(node->row));
}

int fs_node_resolve(struct fs *fs, fuse_ino_t id, struct fs_node *ret)
{
    struct fs_node node = {.row = fs_row(fs_ino_kind(id))};
    uint32_t serial = fs_ino_serial(id);

    if (!node.row)
        return -ENOENT;
    if (serial != 0) {
        node.name = fs_names_by_serial(fs->names, serial);
        if (!node.name)
            return -ENOENT;
    }
    *ret = node;
    return 0;
}

void fs_node_put(struct fs *fs, struct fs_node *node)
{
    fs_name_put(fs->names, node->name);
    node->name = NULL;
}

int fs_node_find(struct fs *fs, const struct fs_node *folder, const char *text, struct fs_node *ret)
{
    enum fs_kind parent = fs_row_kind(folder->row);

    for (const struct fs_row *row = rows; row < rows + FS_KIND_COUNT; row++) {
        if (row->parent != parent || !row->name || strcmp(row->name, text) != 0)
            continue;
        *ret = (struct fs_node){
            .row = row,
            .name = folder->name ? fs_name_ref(fs->names, folder->name) : NULL,
        };
        return 0;
    }
    return folder->row->ops->find ? folder->row->ops->find(fs, text, ret) : -ENOENT;
}

int fs_node_text(struct fs *fs, const struct fs_node *node, struct fs_text *ret)
{
    struct fs_text text = {0};
    FILE *out = open_memstream(&text.data, &text.len);
    if (!out)
        return -ENOMEM;
    int err = node->row->ops->show(fs, node, out, &text.changed);
    if (fclose(out) != 0 && err == 0)
        err = -ENOMEM;
    if (err < 0) {
        fs_text_free(&text);
        return err;
    }
    *ret = text;
    return 0;
}

/* Whether it exists, its time, and the size of what it shows. */
static int look(struct fs *fs, const struct fs_node *node, struct timespec *ret_changed,
                off_t *ret_size)
{
    const struct fs_row_ops *ops = node->row->ops;

    *ret_changed = fs->started;
    *ret_size = 0;
    if (ops->show) {
        struct fs_text text;
        int err = fs_node_text(fs, node, &text);
        if (err < 0)
            return err;
        *ret_changed = text.changed;
        *ret_size = (off_t)text.len;
        fs_text_free(&text);
        return 0;
    }
    return ops->changed ? ops->changed(fs, node, ret_changed) : 0;
}

int fs_node_stat(struct fs *fs, const struct fs_node *node, struct stat *ret)
{
    mode_t mode = node->row->mode;
    struct timespec changed;
    off_t size;

    int err = look(fs, node, &changed, &size);
    if (err < 0)
        return err;
    *ret = (struct stat){
        .st_ino = fs_node_id(node),
        .st_mode = S_ISLNK(mode) ? mode : mode & ~(fs->umask & 0777),
        .st_nlink = S_ISDIR(mode) ? 2 : 1,
        .st_uid = fs->uid,
        .st_gid = fs->gid,
        .st_size = size,
        .st_blksize = 4096,
        .st_atim = changed,
        .st_mtim = changed,
        .st_ctim = changed,
    };
    return 0;
}
