/* SPDX-License-Identifier: MIT */
#include "files/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "files/status.h"
#include "files/tasks.h"
#include "kernel/deferred.h"
#include "tree/handle.h"
#include "tree/records.h"
#include "tree/reply.h"

/* Columns of a terminal that a line takes, and of its parts. */
enum { COLUMNS = 79, NAME_COLUMNS = 18, BAR_COLUMNS = 16 };

/*
 * Print the start of a name that fits its columns. A character that is not ASCII may take two of
 * them. Returns the columns that it takes at most.
 */
static int print_name(FILE *out, const char *name)
{
    int columns = 0;

    while (*name) {
        size_t len = 1;
        while ((name[len] & 0xC0) == 0x80)
            len++;
        const int width = len > 1 ? 2 : 1;
        if (columns + width + (name[len] != 0) > NAME_COLUMNS) {
            fputc('~', out);
            return columns + 1;
        }
        fwrite(name, 1, len, out);
        columns += width;
        name += len;
    }
    return columns;
}

/* Print the rate of work that moves bytes, and the time left. Returns the columns. */
static int print_rate(FILE *out, const struct vhd_task_status *status)
{
    const struct fs_rate rate = fs_task_rate(status);

    if (!rate.is_known)
        return 0;
    int columns = fprintf(out, "  %" PRIu64 " MB/s", rate.bytes_per_second >> 20);
    if (rate.left >= 3600)
        columns += fprintf(out, "  %" PRIu64 ":%02u:%02u left", rate.left / 3600,
                           (unsigned)(rate.left / 60 % 60), (unsigned)(rate.left % 60));
    else
        columns +=
            fprintf(out, "  %u:%02u left", (unsigned)(rate.left / 60), (unsigned)(rate.left % 60));
    return columns;
}

/*
 * Print the line of a task.
 *
 *   covers  fill it up with blanks, so that it covers an earlier one
 */
static void print_line(FILE *out, const char *name, const struct vhd_task_status *status,
                       bool covers)
{
    const unsigned full = status->percent * BAR_COLUMNS / 100;
    int columns = print_name(out, name);

    columns += fprintf(out, " %s [", status->operation);
    for (unsigned i = 0; i < BAR_COLUMNS; i++)
        fputc(i < full ? '#' : '.', out);
    columns += BAR_COLUMNS + fprintf(out, "] %3u%%", status->percent);
    if (status->state == VHD_TASK_RUNNING)
        columns += print_rate(out, status);
    else
        columns += fprintf(out, "  %s", vhd_task_state_name(status->state));
    if (covers && columns < COLUMNS)
        fprintf(out, "%*s", COLUMNS - columns, "");
}

/*
 * Print the next picture. It goes over the earlier one, if there was one. Returns 0 or -ENOMEM.
 *
 *   is_first  the reader has seen none yet
 */
static int draw(const char *name, const struct vhd_task_status *status, bool is_first,
                struct fs_text *ret)
{
    FILE *out = open_memstream(&ret->data, &ret->len);
    if (!out)
        return -ENOMEM;
    const bool is_alone = is_first && status->is_complete;
    if (!is_alone)
        fputc('\r', out);
    print_line(out, name, status, !is_alone);
    if (status->is_complete)
        fputc('\n', out);
    if (fclose(out) != 0) {
        fs_text_free(ret);
        return -ENOMEM;
    }
    ret->changed = status->changed;
    return 0;
}

/* Reply with the part of the handle's picture from an offset of the file on. Under the lock. */
static void reply_part(const struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    fs_reply_text(req, handle->text.data, handle->text.len, size, off - handle->start);
}

static void progress_answer(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
                            const struct vhd_task_status *status)
{
    struct fs_text text = {0};

    HOLD_LOCK(&handle->lock);
    if (draw(handle->opened_as, status, off == 0, &text) < 0) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    fs_text_free(&handle->text);
    handle->text = text;
    handle->start = off;
    handle->is_last = status->is_complete;
    reply_part(handle, req, size, off);
}

/* Begin again at a read at 0. Returns true if the handle's picture has the answer. */
static bool answer_known(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
                         struct timespec *ret_seen)
{
    HOLD_LOCK(&handle->lock);
    if (off == 0) {
        fs_text_free(&handle->text);
        handle->text.changed = (struct timespec){0};
        handle->is_last = false;
    }
    const off_t end = handle->start + (off_t)handle->text.len;
    *ret_seen = handle->text.changed;
    if (off == 0 || (off >= end && !handle->is_last))
        return false;
    if (off < handle->start)
        handle->start = off;
    reply_part(handle, req, size, off);
    return true;
}

static void read_picture(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    static const struct fs_deferred_ops ops = {.is_work = false, .answer = progress_answer};
    struct fs *fs = handle->fs;
    struct timespec seen;

    if (answer_known(handle, req, size, off, &seen))
        return;
    struct vhd_task *task = fs_record_task(fs->entries, handle->node.entry);
    if (!task) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    fs_defer_change(fs->deferred, &ops, handle, req, size, off, task, seen);
    vhd_task_unref(task);
}

/* After the reply its program may close the file while this still holds the lock. */
static void progress_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off)
{
    fs_handle_ref(handle);
    read_picture(handle, req, size, off);
    fs_handle_unref(handle);
}

static void print_alone(FILE *out, const struct fs_node *node, const struct vhd_task_status *status)
{
    if (!status->is_complete) {
        fprintf(out, "%*s", FS_TASK_WAIT_SIZE, "");
        return;
    }
    print_line(out, fs_entry_name(node->entry), status, false);
    fputc('\n', out);
}

/* The text for programs that ask for the size: the last line, or blanks while the task works. */
static int progress_show(struct fs *fs, const struct fs_node *node, FILE *out, struct timespec *ret)
{
    return fs_tasks_show(fs, node, out, ret, print_alone);
}

const struct fs_row_ops fs_task_progress_ops = {
    .show = progress_show,
    .is_listed = fs_tasks_is_over,
    .read = progress_read,
    .new_node_per_lookup = true,
};
