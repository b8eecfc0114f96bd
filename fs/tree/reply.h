/*
 * The one place where an outcome becomes a reply, and a refusal a line among the errors.
 *
 * What is no refusal has no line: a name that is not there, and calls that programs only try, as
 * to reserve room (EOPNOTSUPP) or to find data (ENXIO).
 */
#pragma once

#include "tree/node.h"

/* Where in the tree something is refused. */
struct fs_where {
    const struct fs_node *node;
    const char *child; /* a name in this folder; NULL for the node itself */
};

/*
 * Note a refusal at this place. One with an empty sentence has been told before, and is not noted.
 *
 * Returns its errno, negative; or 0 for VHD_OK, which is not noted either.
 */
int fs_refuse_at(struct fs *fs, struct fs_where where, const struct vhd_verdict *verdict);

/* Answer a request with a verdict: with no more than that it went well, or as refused. */
void fs_reply_verdict(struct fs *fs, struct fs_where where, fuse_req_t req,
                      const struct vhd_verdict *verdict);

/* The same for a write of len bytes. */
void fs_reply_written(struct fs *fs, struct fs_where where, fuse_req_t req,
                      const struct vhd_verdict *verdict, size_t len);

/* Refuse a request; what is wrong, and what to do instead, as printf. */
void fs_reply_refusal(struct fs *fs, struct fs_where where, fuse_req_t req, enum vhd_result result,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Answer a request with the attributes of a node. */
void fs_reply_attr(struct fs *fs, const struct fs_node *node, fuse_req_t req);
