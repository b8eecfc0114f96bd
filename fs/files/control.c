/* SPDX-License-Identifier: MIT */
#include "files/control.h"

#include <errno.h>

#include "base/cleanup.h"
#include "kernel/deferred.h"
#include "request/words.h"
#include "tree/reply.h"

static struct fs_where where_of(const struct fs_handle *handle)
{
    return (struct fs_where){&handle->node, NULL};
}

static void set_request(struct fs_handle *handle, enum fs_request_state state)
{
    HOLD_LOCK(&handle->lock);
    handle->request = state;
}

/*
 * Reply to the write. The task has ended or is sure to end as cancelled, or its long work was
 * accepted.
 */
static void answer(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
                   const struct vhd_task_status *status)
{
    struct vhd_verdict verdict = status->verdict;
    (void)off;

    /* Accepted work may have ended by now. Its outcome is the task's, not that of the write. */
    if (verdict.result == VHD_PENDING || status->is_accepted)
        vhd_verdict_set(&verdict, VHD_OK, NULL);
    set_request(handle, verdict.result == VHD_OK ? FS_REQUEST_DONE : FS_REQUEST_NONE);
    fs_reply_written(handle->fs, where_of(handle), req, &verdict, size);
}

/*
 * May this handle make a request now? *ret_is_over is true after one that has succeeded.
 *
 * Returns 0; -EBUSY while its request is at work; or -EINVAL after one that has succeeded, unless
 * the text is blank.
 */
static int judge_handle(struct fs_handle *handle, const char *text, size_t len, bool *ret_is_over)
{
    HOLD_LOCK(&handle->lock);
    *ret_is_over = handle->request == FS_REQUEST_DONE;
    if (handle->request == FS_REQUEST_AT_WORK)
        return -EBUSY;
    if (handle->request == FS_REQUEST_DONE)
        return vhd_line_is_blank(text, len) ? 0 : -EINVAL;
    handle->request = FS_REQUEST_AT_WORK;
    return 0;
}

void fs_control_write(struct fs_handle *handle, fuse_req_t req, const struct fs_data *data,
                      fs_control_begin *begin)
{
    static const struct fs_deferred_ops ops = {.is_work = true, .answer = answer};
    struct fs *fs = handle->fs;
    struct vhd_verdict verdict;
    bool is_over;

    fs_handle_written(handle);
    int err = judge_handle(handle, data->bytes, data->len, &is_over);
    if (err < 0) {
        vhd_verdict_set(&verdict, err == -EBUSY ? VHD_IN_USE : VHD_INVALID_ARGUMENT,
                        "this handle already made a request; open the file again for another");
        fs_reply_verdict(fs, where_of(handle), req, &verdict);
        return;
    }
    if (is_over) {
        fuse_reply_write(req, data->len);
        return;
    }
    struct vhd_task *task = begin(handle, req, data->bytes, data->len, &verdict);
    if (task) {
        fs_defer(fs->deferred, &ops, handle, req, data->len, 0, task);
        vhd_task_unref(task);
        return;
    }
    set_request(handle, FS_REQUEST_NONE);
    fs_reply_verdict(fs, where_of(handle), req, &verdict);
}
