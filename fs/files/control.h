/* SPDX-License-Identifier: MIT */
/*
 * Control files: one write to new/NAME or to the ctl of a disk is one request, which becomes a
 * task. That write gets the answer: when quick work has ended, or when long work is accepted.
 */
#pragma once

#include "tree/handle.h"

/*
 * Judge a request and submit it.
 *
 *   req        of the write, for the caller's rights
 *   text, len  all that the write brings; not terminated
 *
 * Returns its task, referenced; or NULL with a sentence in *ret.
 */
typedef struct vhd_task *fs_control_begin(struct fs_handle *handle, fuse_req_t req,
                                          const char *text, size_t len, struct vhd_verdict *ret);

/*
 * Answer a write. A handle takes one request: after one that has succeeded only blanks are
 * accepted, after a failure another try.
 */
void fs_control_write(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data,
                      fs_control_begin *begin);
