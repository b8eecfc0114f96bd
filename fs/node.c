#include "node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ino.h"

const struct fs_row *fs_row(enum fs_kind kind)
{
    return kind > FS_NOTHING && kind < FS_KIND_COUNT ? &fs_rows[kind] : NULL;
}

enum fs_kind fs_row_kind(const struct fs_row *row)
{
    return (enum fs_kind)(row - fs_rows);
}

fuse_ino_t fs_node_id(const struct fs_node *node)
{
    return fs_ino(node->name ? node->name->serial : 0, fs_row_kind(node->row));
}

fuse_ino_t fs_node_new_id(struct fs *fs, const struct fs_node *node)
{
    uint64_t generation = __atomic_add_fetch(&fs->generation, 1, __ATOMIC_RELAXED);
    return fs_ino_with_generation(fs_node_id(node), generation);
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

    for (const struct fs_row *row = fs_rows; row < fs_rows + FS_KIND_COUNT; row++) {
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
