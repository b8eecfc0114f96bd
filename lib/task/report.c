/* SPDX-License-Identifier: MIT */
#include "task/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool vhd_report_begin(struct vhd_report *report)
{
    if (report->lines)
        return true;
    report->lines = calloc(1, 1);
    report->capacity = report->lines ? 1 : 0;
    return report->lines;
}

/* Make space for len more bytes. Returns false for too many, or when memory is short. */
static bool grow(struct vhd_report *report, size_t len)
{
    const size_t wanted = report->len + len + 1;

    if (wanted > VHD_REPORT_MAX)
        return false;
    if (wanted <= report->capacity)
        return true;
    const size_t capacity = 2 * report->capacity > wanted ? 2 * report->capacity : wanted;
    char *lines = realloc(report->lines, capacity);
    if (!lines)
        return false;
    report->lines = lines;
    report->capacity = capacity;
    return true;
}

void vhd_report_add(struct vhd_report *report, const char *line)
{
    const size_t len = strlen(line);

    /* After a line that did not fit, a shorter one is omitted too: the lines stay in order. */
    if (!vhd_report_begin(report) || report->omitted > 0 || !grow(report, len + 1)) {
        report->omitted++;
        return;
    }
    memcpy(report->lines + report->len, line, len);
    memcpy(report->lines + report->len + len, "\n", 2);
    report->len += len + 1;
}

int vhd_report_copy(const struct vhd_report *report, char **ret)
{
    int len;

    if (!report->lines)
        return -ENOENT;
    if (report->omitted == 0)
        len = asprintf(ret, "%s", report->lines);
    else
        len = asprintf(ret, "%s%" PRIu64 " more lines are not shown\n", report->lines,
                       report->omitted);
    return len < 0 ? -ENOMEM : 0;
}

void vhd_report_free(struct vhd_report *report)
{
    free(report->lines);
}
