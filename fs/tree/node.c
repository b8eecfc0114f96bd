/* SPDX-License-Identifier: MIT */
#include "tree/node.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tree/ino.h"

const struct fs_row *fs_row(enum fs_kind kind)
{
    if (kind <= FS_NOTHING || kind >= FS_KIND_COUNT || !fs_rows[kind].ops)
        return NULL;
    return &fs_rows[kind];
}

enum fs_kind fs_row_kind(const struct fs_row *row)
{
    return (enum fs_kind)(row - fs_rows);
}

double fs_row_timeout(const struct fs_row *row)
{
    return row->name && S_ISDIR(row->mode) ? 3600.0 : 0.0;
}

fuse_ino_t fs_node_id(const struct fs_node *node)
{
    return fs_ino(node->entry ? node->entry->serial : 0, fs_row_kind(node->row));
}

const struct stat *fs_node_image(struct fs *fs, const struct fs_node *node, struct stat *ret)
{
    char file[NAME_MAX + 1];

    if (fs_row_kind(node->row) < FS_DISK)
        return NULL;
    return vhd_store_find(fs->store, fs_entry_name(node->entry), file, ret) == 0 ? ret : NULL;
}

enum vhd_result fs_node_judge(struct fs *fs, const struct fs_node *node, struct vhd_verdict *ret)
{
    char first[NAME_MAX + 1];
    struct stat image;

    if (!fs_node_image(fs, node, &image) ||
        !fs_numbers_is_link(&fs->numbers, fs->store, fs_entry_name(node->entry), &image, first))
        return vhd_verdict_set(ret, VHD_OK, NULL);
    return vhd_verdict_set(ret, VHD_NOT_A_DISK,
                           "this name is a hard link to the image of the disk \"%s\"; use that "
                           "disk",
                           first);
}

fuse_ino_t fs_node_ino(struct fs *fs, const struct fs_node *node, const struct stat *image)
{
    if (!image)
        return fs_node_id(node);
    return fs_ino_of_image(
        fs_numbers_of(&fs->numbers, fs->store, fs_entry_name(node->entry), image),
        fs_row_kind(node->row));
}

int fs_node_resolve(struct fs *fs, fuse_ino_t id, struct fs_node *ret)
{
    struct fs_node node = {.row = fs_row(fs_ino_kind(id))};
    uint32_t serial = fs_ino_serial(id);

    if (!node.row)
        return -ENOENT;
    if (serial != 0) {
        node.entry = fs_entries_by_serial(fs->entries, serial);
        if (!node.entry)
            return -ENOENT;
    }
    *ret = node;
    return 0;
}

void fs_node_put(struct fs *fs, struct fs_node *node)
{
    fs_entry_put(fs->entries, node->entry);
    node->entry = NULL;
}

/*
 * The entry of a folder's files, referenced. A working directory may be of a replaced disk: then
 * the entry that has the name now.
 */
static struct fs_entry *entry_of_files(struct fs *fs, const struct fs_node *folder)
{
    if (!folder->entry)
        return NULL;
    if (fs_entry_is_replaced(fs->entries, folder->entry))
        return fs_entries_get(fs->entries, fs_entry_name(folder->entry));
    return fs_entry_ref(fs->entries, folder->entry);
}

int fs_node_find(struct fs *fs, const struct fs_node *folder, const char *name, struct fs_node *ret)
{
    enum fs_kind parent = fs_row_kind(folder->row);

    for (const struct fs_row *row = fs_rows; row < fs_rows + FS_KIND_COUNT; row++) {
        if (row->parent != parent || !row->name || strcmp(row->name, name) != 0)
            continue;
        *ret = (struct fs_node){.row = row, .entry = entry_of_files(fs, folder)};
        return folder->entry && !ret->entry ? -ENOMEM : 0;
    }
    return folder->row->ops->find ? folder->row->ops->find(fs, name, ret) : -ENOENT;
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

static int stat_text(struct fs *fs, const struct fs_node *node, struct fs_attributes *ret)
{
    struct fs_text text;

    int err = fs_node_text(fs, node, &text);
    if (err < 0)
        return err;
    ret->changed = text.changed;
    ret->size = (off_t)text.len;
    fs_text_free(&text);
    return 0;
}

/* Find time, size and blocks of a file. Returns 0, -ENOENT when it is gone, or another errno. */
static int attributes_of(struct fs *fs, const struct fs_node *node, struct fs_attributes *ret)
{
    const struct fs_row_ops *ops = node->row->ops;

    *ret = (struct fs_attributes){.changed = fs->started};
    if (ops->attributes)
        return ops->attributes(fs, node, ret);
    if (ops->show)
        return stat_text(fs, node, ret);
    return ops->changed ? ops->changed(fs, node, &ret->changed) : 0;
}

/* The permissions of a disk's files: those of its image, unless an option replaces them. */
static mode_t permissions_of(const struct fs *fs, const struct stat *image)
{
    if (fs->has_umask)
        return 0666 & ~fs->umask;
    return image ? image->st_mode & 0666 : 0600;
}

static void set_owner(const struct fs *fs, const struct fs_node *node, const struct stat *image,
                      struct stat *ret)
{
    const mode_t mode = node->row->mode;

    ret->st_uid = fs->uid;
    ret->st_gid = fs->gid;
    if (S_ISLNK(mode)) {
        ret->st_mode = mode;
        return;
    }
    if (!S_ISREG(mode) || fs_row_kind(node->row) < FS_DISK) {
        ret->st_mode = mode & ~(fs->umask & 0777);
        return;
    }
    ret->st_mode = (mode & S_IFMT) | (mode & permissions_of(fs, image));
    if (image && !fs->has_uid)
        ret->st_uid = image->st_uid;
    if (image && !fs->has_gid)
        ret->st_gid = image->st_gid;
}

int fs_node_stat(struct fs *fs, const struct fs_node *node, struct stat *ret, fuse_ino_t *ret_id)
{
    mode_t mode = node->row->mode;
    struct fs_attributes seen;
    struct stat image;
    uint64_t generation = 0;

    int err = attributes_of(fs, node, &seen);
    if (err < 0)
        return err;
    if (ret_id && node->row->ops->new_node_per_lookup)
        generation = ++fs->generation;
    if (ret_id)
        *ret_id = fs_ino_with_generation(fs_node_id(node), generation);
    const struct stat *known = fs_node_image(fs, node, &image);
    *ret = (struct stat){
        .st_ino = fs_node_ino(fs, node, known),
        .st_nlink = S_ISDIR(mode) ? 2 : 1,
        .st_size = seen.size,
        .st_blocks = seen.blocks,
        .st_blksize = 4096,
        .st_atim = seen.changed,
        .st_mtim = seen.changed,
        .st_ctim = seen.changed,
    };
    set_owner(fs, node, known, ret);
    return 0;
}
