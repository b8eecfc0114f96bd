/* SPDX-License-Identifier: MIT */
#include "files/status.h"

#include <inttypes.h>

static void print_state(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    fputs(vhd_task_state_name(status->state), out);
}

static void print_percent(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    fprintf(out, "%3u", status->percent);
}

static void print_result(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    const struct vhd_outcome *outcome = vhd_outcome(status->verdict.result);
    fprintf(out, "0x%08" PRIX32 " %s", outcome->hresult, outcome->name);
}

static void print_errno(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    fputs(vhd_outcome(status->verdict.result)->err_name, out);
}

static void print_id(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    fprintf(out, "%" PRIu64, status->id);
}

static void print_operation(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    fputs(status->operation, out);
}

static void print_cancelable(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    fputs(status->is_cancelable ? "1" : "0", out);
}

static void print_started(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    fs_print_time(out, status->started);
}

static void print_finished(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    fs_print_time(out, status->finished);
}

struct fs_rate fs_task_rate(const struct vhd_task_status *status)
{
    const int64_t ms = (int64_t)(status->changed.tv_sec - status->started.tv_sec) * 1000 +
                       (status->changed.tv_nsec - status->started.tv_nsec) / 1000000;

    if (status->state != VHD_TASK_RUNNING || status->done == 0 || ms <= 0)
        return (struct fs_rate){.is_known = false};
    const uint64_t per_second = status->done / (uint64_t)ms * 1000;
    return (struct fs_rate){
        .is_known = per_second > 0,
        .bytes_per_second = per_second,
        .left = per_second > 0 ? (status->total - status->done) / per_second : 0,
    };
}

/* Print a figure of a rate, if that is known. */
static void print_figure(FILE *out, const struct fs_rate *rate, uint64_t figure)
{
    if (rate->is_known)
        fprintf(out, "%" PRIu64, figure);
    else
        fputc('-', out);
}

static void print_rate(FILE *out, const void *record)
{
    const struct fs_rate rate = fs_task_rate(record);
    print_figure(out, &rate, rate.bytes_per_second);
}

static void print_left(FILE *out, const void *record)
{
    const struct fs_rate rate = fs_task_rate(record);
    print_figure(out, &rate, rate.left);
}

static void print_description(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    fputs(status->description, out);
}

static void print_error(FILE *out, const void *record)
{
    const struct vhd_task_status *status = record;
    bool has_failed = vhd_outcome(status->verdict.result)->err != 0;
    fputs(has_failed ? status->verdict.sentence : "-", out);
}

const struct fs_field fs_task_fields[] = {
    [FS_TASK_FIELD_state] = {"state", print_state, false},
    [FS_TASK_FIELD_percent] = {"percent", print_percent, true},
    [FS_TASK_FIELD_result] = {"result", print_result, false},
    [FS_TASK_FIELD_errno] = {"errno", print_errno, false},
    [FS_TASK_FIELD_id] = {"id", print_id, true},
    [FS_TASK_FIELD_operation] = {"operation", print_operation, false},
    [FS_TASK_FIELD_cancelable] = {"cancelable", print_cancelable, true},
    [FS_TASK_FIELD_started] = {"started", print_started, false},
    [FS_TASK_FIELD_finished] = {"finished", print_finished, false},
    [FS_TASK_FIELD_rate] = {"rate", print_rate, true},
    [FS_TASK_FIELD_left] = {"left", print_left, true},
    [FS_TASK_FIELD_description] = {"description", print_description, false},
    [FS_TASK_FIELD_error] = {"error", print_error, false},
    [FS_TASK_FIELD_END] = {NULL, NULL, false},
};
