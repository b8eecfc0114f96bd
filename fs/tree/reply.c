/* SPDX-License-Identifier: MIT */
#include "tree/reply.h"

#include <limits.h>

#include "tree/errors.h"

/* Print the path of a node below the root, each part with a slash behind it. */
static void print_path(FILE *out, const struct fs_node *node)
{
    const struct fs_row *row = node->row;

    if (fs_row_kind(row) == FS_ROOT)
        return;
    const struct fs_node above = {fs_row(row->parent), node->entry};
    print_path(out, &above);
    fprintf(out, "%s/", row->name ? row->name : fs_entry_name(node->entry));
}

/* The path of a place; without a final slash, but for the root's "/". */
static void path_of(struct fs_where where, char ret[FS_ERRORS_WHERE])
{
    FILE *out = fmemopen(ret, FS_ERRORS_WHERE, "w");

    *ret = 0;
    if (!out)
        return;
    print_path(out, where.node);
    long len = ftell(out);
    if (where.child)
        fputs(where.child, out);
    else if (len == 0)
        putc('/', out);
    fclose(out);
    if (!where.child && len > 0 && len < FS_ERRORS_WHERE)
        ret[len - 1] = 0;
}

int fs_refuse_at(struct fs *fs, struct fs_where where, const struct vhd_verdict *verdict)
{
    char path[FS_ERRORS_WHERE];

    if (verdict->result == VHD_OK)
        return 0;
    path_of(where, path);
    if (*verdict->sentence)
        fs_errors_add(fs->errors, path, verdict);
    return -vhd_outcome(verdict->result)->err;
}

void fs_reply_verdict(struct fs *fs, struct fs_where where, fuse_req_t req,
                      const struct vhd_verdict *verdict)
{
    fuse_reply_err(req, -fs_refuse_at(fs, where, verdict));
}

void fs_reply_written(struct fs *fs, struct fs_where where, fuse_req_t req,
                      const struct vhd_verdict *verdict, size_t len)
{
    if (verdict->result == VHD_OK)
        fuse_reply_write(req, len);
    else
        fs_reply_verdict(fs, where, req, verdict);
}

void fs_reply_not_permitted(struct fs *fs, struct fs_where where, fuse_req_t req,
                            const char *sentence)
{
    struct vhd_verdict verdict;

    vhd_verdict_set(&verdict, VHD_NOT_PERMITTED, "%s", sentence);
    fs_reply_verdict(fs, where, req, &verdict);
}

void fs_reply_attr(struct fs *fs, const struct fs_node *node, fuse_req_t req)
{
    struct stat attributes;

    int err = fs_node_stat(fs, node, &attributes, NULL);
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_attr(req, &attributes, fs_row_timeout(node->row));
}
