/* SPDX-License-Identifier: MIT */
/*
 * A report: lines that a task's work adds, one finding each. It grows up to a limit. Its owner has
 * the lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes of a report's lines. */
#define VHD_REPORT_MAX ((size_t)1 << 20)

struct vhd_report {
    char *lines; /* terminated; NULL where there is no report */
    size_t len, capacity;
    uint64_t omitted; /* lines that did not fit */
};

/* Begin a report, unless it has begun. Returns false when memory is short. */
bool vhd_report_begin(struct vhd_report *report);

/*
 * Add a line. One beyond VHD_REPORT_MAX, or one that memory is too short for, only counts.
 *
 *   line  without a newline
 */
void vhd_report_add(struct vhd_report *report, const char *line);

/*
 * Copy a report: its lines, and one that says how many did not fit.
 *
 *   ret  receives a terminated text that the caller frees
 *
 * Returns 0, -ENOENT where there is no report, or -ENOMEM.
 */
int vhd_report_copy(const struct vhd_report *report, char **ret);

/* Free the lines. */
void vhd_report_free(struct vhd_report *report);
