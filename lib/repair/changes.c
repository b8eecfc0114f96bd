/* SPDX-License-Identifier: MIT */
#include "repair/changes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/block.h"

ssize_t vhd_repair_changes_list(const struct vhd_repair_plan *plan, struct vhd_repair_stretch **ret)
{
    enum { OTHERS = 6 };
    const uint64_t header_at = plan->survey.image.footer.data_offset,
                   table = plan->survey.image.header.table_offset;
    struct vhd_repair_stretch *all = calloc(plan->entry_count + OTHERS, sizeof *all);
    ssize_t count = 0;

    if (!all)
        return -ENOMEM;
    if (plan->changes_copy)
        all[count++] = (struct vhd_repair_stretch){0, VHD_FOOTER_SIZE};
    if (plan->changes_header)
        all[count++] = (struct vhd_repair_stretch){header_at, header_at + VHD_HEADER_SIZE};
    if (plan->changes_end) {
        all[count++] =
            (struct vhd_repair_stretch){plan->footer_at, plan->footer_at + VHD_FOOTER_SIZE};
        all[count++] = (struct vhd_repair_stretch){plan->survey.end.at, plan->length};
    }
    if (plan->zero.end > 0)
        all[count++] = plan->zero;
    if (plan->filled.end > 0)
        all[count++] = plan->filled;
    for (size_t i = 0; i < plan->entry_count; i++) {
        const uint64_t at =
            (table + UINT64_C(4) * plan->entries[i].block) / VHD_SECTOR_SIZE * VHD_SECTOR_SIZE;
        if (count == 0 || all[count - 1].at != at)
            all[count++] = (struct vhd_repair_stretch){at, at + VHD_SECTOR_SIZE};
    }
    *ret = all;
    return count;
}

/* A caller that hears of changes. */
struct listener {
    void (*found)(void *arg, const struct vhd_finding *finding);
    void *arg;
};

static void __attribute__((format(printf, 3, 4)))
tell(const struct listener *listener, const char *where, const char *format, ...)
{
    struct vhd_finding finding = {.is_remark = true, .kind = "repaired"};
    va_list args;

    snprintf(finding.where, sizeof finding.where, "%s", where);
    va_start(args, format);
    vsnprintf(finding.sentence, sizeof finding.sentence, format, args);
    va_end(args);
    listener->found(listener->arg, &finding);
}

static void tell_entry(const struct listener *listener, const struct vhd_repair_entry *entry)
{
    char where[24];

    snprintf(where, sizeof where, "block %" PRIu32, entry->block);
    if (entry->sector == VHD_UNALLOCATED)
        tell(listener, where,
             "it lay at sector %" PRIu32 ", outside the file or over metadata, and has left the "
             "table",
             entry->old_sector);
    else
        tell(listener, where,
             "it overlapped another block at sector %" PRIu32 "; a copy of it lies at sector "
             "%" PRIu32 " now",
             entry->old_sector, entry->sector);
}

static void tell_footers(const struct listener *listener, const struct vhd_repair_plan *plan)
{
    const uint64_t length = plan->footer_at + VHD_FOOTER_SIZE;
    const bool is_other = memcmp(&plan->survey.end.disk, &plan->footer, sizeof plan->footer) != 0;

    if (plan->changes_copy)
        tell(listener, "copy", "the footer's copy was written");
    if (plan->changes_end && (is_other || plan->survey.end.at != plan->footer_at))
        tell(listener, "footer", "the footer was written to byte %" PRIu64, plan->footer_at);
    if (plan->changes_end && length != plan->length)
        tell(listener, "file", "its length was %" PRIu64 " bytes, and is %" PRIu64 " now",
             plan->length, length);
}

void vhd_repair_changes_tell(const struct vhd_repair_plan *plan,
                             void (*found)(void *arg, const struct vhd_finding *finding), void *arg)
{
    const struct listener listener = {found, arg};

    if (vhd_repair_plan_is_empty(plan))
        return;
    tell_footers(&listener, plan);
    if (plan->changes_header)
        tell(&listener, "header", "the header was written, for a table of %" PRIu32 " entries",
             be32_get(plan->header.max_entries));
    if (plan->filled.end > 0)
        tell(&listener, "table",
             "the file ended inside the table; entries from byte %" PRIu64
             " on were lost, and their blocks read as unwritten",
             plan->filled.at);
    if (plan->extended > 0)
        tell(&listener, plan->block_length > 0 ? "table" : "file",
             "the file ended inside the content; zeros follow where it was cut off");
    else if (plan->zero.end > 0)
        tell(&listener, "file",
             "a resize was interrupted; the footer that it left at byte %" PRIu64 " is gone",
             plan->zero.at);
    for (size_t i = 0; i < plan->entry_count; i++)
        tell_entry(&listener, &plan->entries[i]);
}
