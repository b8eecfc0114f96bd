/*
 * The one place where an outcome becomes a reply.
 */
#pragma once

#include "node.h"

/* Note a refusal among the errors. Returns its errno, negative. */
int fs_refuse(struct fs *fs, const char *folder, const char *name,
              const struct vhd_verdict *verdict);

/* Answer a request with the attributes of a node. */
void fs_reply_attr(struct fs *fs, const struct fs_node *node, fuse_req_t req);

/* Answer a request with a verdict: a write of len bytes that went well, or its errno. */
void fs_reply_verdict(fuse_req_t req, const struct vhd_verdict *verdict, size_t len);
