/* SPDX-License-Identifier: MIT */
/*
 * The one place where an outcome becomes a reply, and a refusal becomes a line in errors.
 *
 * Two failures are no refusals and get no line: a name that is not there, and calls that programs
 * only try, such as to reserve space (EOPNOTSUPP) or to find data (ENXIO).
 */
#pragma once

#include "tree/node.h"

/* The place of a refusal in the tree. */
struct fs_where {
    const struct fs_node *node;
    const char *child; /* a name in this folder; NULL for the node itself */
};

/*
 * Add a refusal at this place to errors. An empty sentence adds no line: the same refusal has one.
 *
 * Returns its errno, negative; or 0 for VHD_OK, which adds no line either.
 */
int fs_refuse_at(struct fs *fs, struct fs_where where, const struct vhd_verdict *verdict);

/* Reply to a request with a verdict: success without data, or a refusal. */
void fs_reply_verdict(struct fs *fs, struct fs_where where, fuse_req_t req,
                      const struct vhd_verdict *verdict);

/* The same for a write of len bytes. */
void fs_reply_written(struct fs *fs, struct fs_where where, fuse_req_t req,
                      const struct vhd_verdict *verdict, size_t len);

/* Refuse a request that the tree never permits; the sentence says what to do instead. */
void fs_reply_not_permitted(struct fs *fs, struct fs_where where, fuse_req_t req,
                            const char *sentence);

/* Reply to a request with the attributes of a node. */
void fs_reply_attr(struct fs *fs, const struct fs_node *node, fuse_req_t req);
