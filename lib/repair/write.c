/* SPDX-License-Identifier: MIT */
#include "repair/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "format/block.h"
#include "format/table.h"

enum { PIECE = 1 << 20 };

static int barrier(int fd)
{
    return fdatasync(fd) < 0 ? -errno : 0;
}

static int put_footer(int fd, const struct vhd_repair_plan *plan, uint64_t at)
{
    return vhd_io_put(fd, &plan->footer, sizeof plan->footer, at);
}

static int write_copy(int fd, const struct vhd_repair_plan *plan)
{
    if (!plan->changes_copy)
        return 0;
    int err = put_footer(fd, plan, 0);
    return err == 0 ? barrier(fd) : err;
}

/* Copy a block to its new place. What the file lacks of it stays a hole, which reads as zeros. */
static int copy_block(int fd, const struct vhd_repair_plan *plan,
                      const struct vhd_repair_entry *entry, uint8_t *buf)
{
    const uint64_t from = (uint64_t)entry->old_sector * VHD_SECTOR_SIZE,
                   to = (uint64_t)entry->sector * VHD_SECTOR_SIZE;
    const uint64_t there = plan->old_end - from;
    const uint64_t length = plan->block_length < there ? plan->block_length : there;
    int err = 0;

    for (uint64_t done = 0; done < length && err == 0; done += PIECE) {
        const size_t len = length - done < PIECE ? (size_t)(length - done) : PIECE;
        err = vhd_io_get(fd, buf, len, from + done);
        if (err == 0)
            err = vhd_io_put(fd, buf, len, to + done);
    }
    return err;
}

static int copy_blocks(int fd, const struct vhd_repair_plan *plan)
{
    AUTO_FREE uint8_t *buf = malloc(PIECE);
    int err = buf ? 0 : -ENOMEM;

    for (size_t i = 0; i < plan->entry_count && err == 0; i++) {
        if (plan->entries[i].sector != VHD_UNALLOCATED)
            err = copy_block(fd, plan, &plan->entries[i], buf);
    }
    return err;
}

/* Write ones to the entries that a cut table lacks. */
static int fill_table(int fd, const struct vhd_repair_plan *plan)
{
    uint8_t ones[4096];
    int err = 0;

    memset(ones, 0xFF, sizeof ones);
    for (uint64_t at = plan->filled.at; at < plan->filled.end && err == 0; at += sizeof ones) {
        const uint64_t left = plan->filled.end - at;
        err = vhd_io_put(fd, ones, left < sizeof ones ? (size_t)left : sizeof ones, at);
    }
    return err;
}

/*
 * Make the file longer, by its new footer first, then fill what is new in it. After a crash before
 * the end, bytes of the old footer may stay where content was lost.
 */
static int grow(int fd, const struct vhd_repair_plan *plan)
{
    if (!plan->changes_end || plan->footer_at + VHD_FOOTER_SIZE <= plan->length)
        return 0;
    int err = put_footer(fd, plan, plan->footer_at);
    if (err == 0)
        err = barrier(fd);
    if (err == 0 && plan->zero.end > plan->zero.at)
        err = vhd_io_zero(fd, plan->zero.at, plan->zero.end - plan->zero.at);
    if (err == 0 && plan->moves > 0)
        err = copy_blocks(fd, plan);
    if (err == 0)
        err = fill_table(fd, plan);
    return err == 0 ? barrier(fd) : err;
}

/* In a fixed disk that keeps its length, zero the footer in its content before the mark goes. */
static int erase(int fd, const struct vhd_repair_plan *plan)
{
    if (plan->survey.image.footer.type != VHD_TYPE_FIXED || plan->extended > 0 ||
        plan->zero.end == 0)
        return 0;
    int err = vhd_io_zero(fd, plan->zero.at, plan->zero.end - plan->zero.at);
    return err == 0 ? barrier(fd) : err;
}

/* Entries and header: each lies in one sector, or was of no use before. */
static int write_table(int fd, const struct vhd_repair_plan *plan)
{
    const struct vhd_header *header = &plan->survey.image.header;
    int err = 0;

    for (size_t i = 0; i < plan->entry_count && err == 0; i++)
        err = vhd_table_write_entry(fd, header, plan->entries[i].block, plan->entries[i].sector);
    if (err == 0 && plan->changes_header)
        err = vhd_io_put(fd, &plan->header, sizeof plan->header,
                         plan->survey.image.footer.data_offset);
    return err;
}

/*
 * The footer goes where nothing is in use any more. Once it is durable, with the table, the file is
 * cut behind it.
 */
static int write_end(int fd, const struct vhd_repair_plan *plan)
{
    const uint64_t length = plan->footer_at + VHD_FOOTER_SIZE;
    const bool is_cut = plan->changes_end && length < plan->length;
    int err = 0;

    if (plan->changes_end && length <= plan->length)
        err = put_footer(fd, plan, plan->footer_at);
    if (err == 0)
        err = barrier(fd);
    if (err == 0 && is_cut && ftruncate(fd, (off_t)length) < 0)
        err = -errno;
    return err == 0 && is_cut ? barrier(fd) : err;
}

int vhd_repair_write(int fd, const struct vhd_repair_plan *plan)
{
    int err = write_copy(fd, plan);
    if (err == 0)
        err = grow(fd, plan);
    if (err == 0)
        err = erase(fd, plan);
    if (err == 0)
        err = write_table(fd, plan);
    return err == 0 ? write_end(fd, plan) : err;
}
