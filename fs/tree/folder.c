/* SPDX-License-Identifier: MIT */
#include "tree/folder.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "tree/ino.h"

struct listed {
    char *name;
    fuse_ino_t ino;
    mode_t mode;
};

struct fs_listing {
    struct listed *entries;
    size_t count, capacity;
};

struct fs_folder {
    struct fs_opened opened;
    struct fs *fs;        /* constant */
    struct fs_node node;  /* constant */
    pthread_mutex_t lock; /* guards the members below */
    struct fs_listing listing;
};

int fs_listing_add(struct fs_listing *listing, const char *name, fuse_ino_t ino, mode_t mode)
{
    struct listed *entries =
        array_grow(listing->entries, listing->count, &listing->capacity, sizeof *entries);
    if (!entries)
        return -ENOMEM;
    listing->entries = entries;
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    listing->entries[listing->count++] = (struct listed){copy, ino, mode};
    return 0;
}

static void listing_free(struct fs_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->entries[i].name);
    free(listing->entries);
    *listing = (struct fs_listing){0};
}

/* Collect the rows of this folder, and the NAMEs of its list(). */
static int collect(struct fs *fs, const struct fs_node *node, struct fs_listing *listing)
{
    struct stat image;
    const struct stat *known = fs_node_image(fs, node, &image);
    const fuse_ino_t above = node->row->parent ? fs_ino(0, node->row->parent) : FUSE_ROOT_ID;
    int err = fs_listing_add(listing, ".", fs_node_ino(fs, node, known), S_IFDIR);
    if (err == 0)
        err = fs_listing_add(listing, "..", above, S_IFDIR);

    for (unsigned kind = FS_ROOT; err == 0 && kind < FS_KIND_COUNT; kind++) {
        const struct fs_row *row = fs_row((enum fs_kind)kind);
        if (!row || row->parent != fs_row_kind(node->row) || !row->name)
            continue;
        const struct fs_node child = {row, node->entry};
        if (!row->ops->is_listed || row->ops->is_listed(fs, node))
            err = fs_listing_add(listing, row->name, fs_node_ino(fs, &child, known), row->mode);
    }
    if (err == 0 && node->row->ops->list)
        err = node->row->ops->list(fs, listing);
    return err;
}

static int refill(struct fs_folder *folder)
{
    listing_free(&folder->listing);
    return collect(folder->fs, &folder->node, &folder->listing);
}

static void close_opened(struct fs_opened *opened)
{
    fs_folder_close((struct fs_folder *)((char *)opened - offsetof(struct fs_folder, opened)));
}

int fs_folder_open(struct fs *fs, struct fs_node *node, struct fs_folder **ret)
{
    struct stat attributes;
    struct fs_folder *folder = calloc(1, sizeof *folder);
    int err = folder ? fs_node_stat(fs, node, &attributes, NULL) : -ENOMEM;
    if (err < 0) {
        fs_node_put(fs, node);
        free(folder);
        return err;
    }
    folder->fs = fs;
    folder->node = *node;
    pthread_mutex_init(&folder->lock, NULL);
    fs_opened_add(&fs->opened, &folder->opened, close_opened);
    *ret = folder;
    return 0;
}

void fs_folder_close(struct fs_folder *folder)
{
    fs_opened_remove(&folder->fs->opened, &folder->opened);
    listing_free(&folder->listing);
    fs_node_put(folder->fs, &folder->node);
    pthread_mutex_destroy(&folder->lock);
    free(folder);
}

void fs_folder_read(struct fs_folder *folder, fuse_req_t req, size_t size, off_t off)
{
    AUTO_FREE char *buf = malloc(size);
    size_t len = 0;
    int err = buf ? 0 : -ENOMEM;

    {
        HOLD_LOCK(&folder->lock);
        const struct fs_listing *listing = &folder->listing;
        if (err == 0 && off == 0)
            err = refill(folder);
        for (size_t i = (size_t)off; err == 0 && i < listing->count; i++) {
            const struct listed *entry = &listing->entries[i];
            const struct stat attributes = {.st_ino = entry->ino, .st_mode = entry->mode};
            size_t need = fuse_add_direntry(req, buf + len, size - len, entry->name, &attributes,
                                            (off_t)i + 1);
            if (need > size - len)
                break;
            len += need;
        }
    }
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_buf(req, buf, len);
}
