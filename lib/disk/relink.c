/* SPDX-License-Identifier: MIT */
#include "disk/relink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mutation.h"
#include "base/rounding.h"
#include "disk/barrier.h"
#include "disk/confirm.h"
#include "disk/grow.h"
#include "format/hop.h"
#include "format/locator.h"
#include "image/layout.h"
#include "image/parent.h"

/* Sync, unless a mutation leaves the step out. */
static int barrier(struct vhd_disk *disk, bool is_left_out)
{
    return is_left_out ? 0 : vhd_disk_barrier_now(disk);
}

/*
 * Have both footers lead to the header in memory, one after the other. A drive that tears a sector
 * then spoils one of them at most. The caller makes the second one durable.
 */
static int point_footers(struct vhd_disk *disk)
{
    int err = vhd_footer_put(disk, disk->write_fd, 0);
    if (err == 0)
        err = vhd_disk_barrier_now(disk);
    return err == 0 ? vhd_footer_put(disk, disk->write_fd, disk->footer_at) : err;
}

/* Shift the places of all locators. */
static void move_locators(struct vhd_header *header, uint64_t from, uint64_t to)
{
    for (int i = 0; i < VHD_LOCATORS; i++) {
        if (header->locators[i].platform != 0)
            header->locators[i].data_offset += to - from;
    }
}

/*
 * Home.
 */

static bool is_clear(const struct vhd_layout *layout, uint64_t at, uint64_t end)
{
    for (size_t i = 0; i < layout->count; i++) {
        if (layout->stretches[i].at < end && at < layout->stretches[i].end)
            return false;
    }
    return true;
}

static int compare_stretches(const void *a, const void *b)
{
    const struct vhd_stretch *one = a, *other = b;
    return (one->at > other->at) - (one->at < other->at);
}

/* Whole sectors of the old locators, sorted. Returns how many stretches. */
static int old_locators(const struct vhd_disk *disk, struct vhd_stretch stretches[VHD_LOCATORS])
{
    const struct vhd_header *header = &disk->top->image.header;
    int count = 0;

    for (int i = 0; i < VHD_LOCATORS; i++) {
        const struct vhd_locator *locator = &header->locators[i];
        const uint64_t at = locator->data_offset;
        if (locator->platform == 0 || at % VHD_SECTOR_SIZE != 0 || at >= disk->footer_at)
            continue;
        /* The space may be in sectors or in bytes, and a small number tells neither. */
        const uint64_t longest =
            locator->data_space > locator->data_length ? locator->data_space : locator->data_length;
        const uint64_t end = at + round_up(longest, VHD_SECTOR_SIZE);
        if (end <= disk->footer_at)
            stretches[count++] = (struct vhd_stretch){at, end};
    }
    qsort(stretches, (size_t)count, sizeof *stretches, compare_stretches);
    return count;
}

/* List all of the file but the locators. */
static int list_others(struct vhd_disk *disk, struct vhd_layout *ret)
{
    struct vhd_header *header = &disk->top->image.header;
    struct vhd_locator saved[VHD_LOCATORS];

    memcpy(saved, header->locators, sizeof saved);
    memset(header->locators, 0, sizeof saved);
    int err = vhd_layout_list(disk->top, ret);
    memcpy(header->locators, saved, sizeof saved);
    return err;
}

/*
 * Find the home of new locators: the first stretch of the old ones that is long enough, and that
 * nothing else uses.
 *
 *   at  the far place, where they stay if there is none
 */
static int find_home(struct vhd_disk *disk, uint64_t length, uint64_t at, uint64_t *ret)
{
    struct vhd_stretch old[VHD_LOCATORS];
    const int count = old_locators(disk, old);
    struct vhd_layout others;

    *ret = at;
    int err = list_others(disk, &others);
    if (err < 0)
        return err;
    for (int i = 0; i < count && *ret == at; i++) {
        uint64_t end = old[i].end;
        for (int next = i + 1; next < count && old[next].at <= end; next++)
            end = old[next].end > end ? old[next].end : end;
        if (end - old[i].at >= length && is_clear(&others, old[i].at, old[i].at + length))
            *ret = old[i].at;
    }
    vhd_layout_free(&others);
    return 0;
}

/*
 * The hop.
 */

/* Copy the locators, if they do not stay, and write the header at home. */
static int put_home(struct vhd_disk *disk, const struct vhd_hop *hop,
                    const struct vhd_header *header)
{
    uint8_t locators[VHD_LOCATORS_SPACE];
    struct vhd_header_disk encoded;
    int err = 0;

    if (hop->locators != hop->far_locators) {
        err = vhd_io_get(disk->top->fd, locators, hop->length, hop->far_locators);
        if (err == 0)
            err = vhd_io_put(vhd_disk_writing(disk), locators, hop->length, hop->locators);
    }
    vhd_header_encode(header, &encoded);
    return err == 0 ? vhd_io_put(vhd_disk_writing(disk), &encoded, sizeof encoded, hop->header)
                    : err;
}

/*
 * Move the header from the far place, where both footers lead, to its home. The footer at the end
 * may still lead to the far place on the medium, until the barrier of the cut that follows.
 */
static int go_home(struct vhd_disk *disk, const struct vhd_hop *hop)
{
    struct vhd_image *image = &disk->top->image;
    struct vhd_header home = image->header;

    int err = vhd_confirm_mark(disk, vhd_confirm_all(disk));
    if (err < 0)
        return err;
    move_locators(&home, hop->far_locators, hop->locators);
    err = put_home(disk, hop, &home);
    if (err == 0)
        err = barrier(disk, MUTATED(H4));
    if (err < 0)
        return err;
    image->header = home;
    image->footer.data_offset = hop->header;
    return point_footers(disk);
}

/*
 * Grow the file by the far place. The footer is durable before the stretch below it. The layout
 * counts that stretch from now on.
 */
static int grow(struct vhd_disk *disk, uint64_t end)
{
    const uint64_t old = disk->footer_at;

    int err = vhd_footer_append(disk, end);
    if (err < 0)
        return err;
    disk->top->image.footer_at = disk->footer_at;
    disk->top->image.length = disk->length;
    vhd_disk_note_stale_footer(disk, old, old + VHD_FOOTER_SIZE);
    err = vhd_confirm_mark(disk, vhd_confirm_growth(disk));
    return err == 0 ? barrier(disk, MUTATED(H1)) : err;
}

/* Write the far place: locators, hop sector, header. */
static int put_far(struct vhd_disk *disk, const struct vhd_hop *hop,
                   const struct vhd_locators *locators, const struct vhd_header *header)
{
    struct vhd_hop_disk sector;
    struct vhd_header_disk encoded;
    struct iovec iov[] = {
        {(void *)locators->data, locators->length},
        {&sector, sizeof sector},
        {&encoded, sizeof encoded},
    };

    vhd_hop_encode(hop, &sector);
    vhd_header_encode(header, &encoded);
    int err = vhd_io_write(disk->write_fd, iov, 3, hop->far_locators);
    return err == 0 ? barrier(disk, MUTATED(H2)) : err;
}

/*
 * Write a header with new locators, by a hop.
 *
 *   header  all but the locators
 *   file    of the parent
 */
static int hop(struct vhd_disk *disk, struct vhd_header *header, const char *file)
{
    struct vhd_image *image = &disk->top->image;
    const uint64_t far = disk->footer_at + VHD_FOOTER_SIZE;
    struct vhd_hop hop = {.header = image->footer.data_offset, .far_locators = far};
    struct vhd_locators locators;

    int err = vhd_locators_encode(file, far, &locators);
    if (err == 0)
        err = find_home(disk, locators.length, far, &hop.locators);
    if (err < 0)
        return err;
    hop.length = locators.length;
    uuid_copy(hop.uuid, image->footer.uuid);
    memcpy(header->parent_name, locators.parent_name, sizeof header->parent_name);
    memcpy(header->locators, locators.entries, sizeof header->locators);

    const uint64_t far_header = far + locators.length + VHD_HOP_SIZE;
    vhd_disk_writing(disk);
    err = grow(disk, far_header + VHD_HEADER_SIZE);
    if (err == 0)
        err = put_far(disk, &hop, &locators, header);
    if (err < 0)
        return err;
    image->header = *header;
    image->footer.data_offset = far_header;
    err = point_footers(disk);
    if (err == 0)
        err = barrier(disk, MUTATED(H3));
    return err == 0 ? go_home(disk, &hop) : err;
}

/*
 * The record.
 */

/* Do all names that the disk records for its parent lead to this file already? */
static bool has_name(const struct vhd_disk *disk, const char *file)
{
    struct vhd_parent_names names = {0};
    bool has_one = false;

    vhd_parent_read_names(disk->top->fd, &disk->top->image.header, &names);
    for (int i = 0; i < 4; i++) {
        if (*names.names[i] && strcmp(names.names[i], file) != 0)
            return false;
        has_one = has_one || *names.names[i];
    }
    return has_one;
}

/*
 * Write a header that has the old names, if its first sector alone differs from the one on disk.
 * Returns 1 if the second one differs too.
 */
static int put_in_place(struct vhd_disk *disk, const struct vhd_header *header)
{
    struct vhd_image *image = &disk->top->image;
    struct vhd_header_disk found, wanted;

    int err = vhd_io_get(disk->top->fd, &found, sizeof found, image->footer.data_offset);
    if (err < 0)
        return err;
    vhd_header_encode(header, &wanted);
    if (memcmp((const uint8_t *)&found + VHD_SECTOR_SIZE,
               (const uint8_t *)&wanted + VHD_SECTOR_SIZE, VHD_HEADER_SIZE - VHD_SECTOR_SIZE) != 0)
        return 1;
    if (memcmp(&found, &wanted, VHD_SECTOR_SIZE) == 0)
        return 0;
    err = vhd_io_put(vhd_disk_writing(disk), &wanted, VHD_SECTOR_SIZE, image->footer.data_offset);
    image->header = *header;
    return err == 0 ? vhd_disk_barrier_now(disk) : err;
}

int vhd_disk_relink(struct vhd_disk *disk, const uuid_t parent, uint32_t timestamp,
                    const char *file, bool keeps_second)
{
    struct vhd_header header = disk->top->image.header;

    if (!vhd_disk_is_differencing(disk))
        return -EINVAL;
    if (!vhd_disk_is_writable(disk))
        return -EROFS;
    uuid_copy(header.parent_uuid, parent);
    header.parent_timestamp = timestamp;
    int err = vhd_confirm_mark(disk, vhd_confirm_all(disk));
    if (err < 0)
        return err;
    disk->keeps_second = keeps_second;
    if (has_name(disk, file)) {
        err = put_in_place(disk, &header);
        if (err <= 0)
            return err;
    }
    return hop(disk, &header, file);
}

/*
 * Recovery.
 */

/* Is this a hop of this disk, and is home free? Returns 1, 0, or a negative errno. */
static int judge_hop(const struct vhd_disk *disk, const struct vhd_hop *hop)
{
    const struct vhd_image *image = &disk->top->image;
    const uint64_t header_end = hop->header + VHD_HEADER_SIZE;
    const bool is_moved = hop->locators != hop->far_locators;
    struct vhd_layout layout;

    bool is_sane =
        uuid_compare(hop->uuid, image->footer.uuid) == 0 && hop->length <= VHD_LOCATORS_SPACE &&
        hop->length % VHD_SECTOR_SIZE == 0 && hop->header % VHD_SECTOR_SIZE == 0 &&
        hop->locators % VHD_SECTOR_SIZE == 0 && hop->far_locators < image->footer.data_offset &&
        hop->far_locators + hop->length + VHD_HOP_SIZE == image->footer.data_offset &&
        hop->header < hop->far_locators && header_end <= hop->far_locators &&
        (!is_moved ||
         (hop->locators < hop->far_locators && hop->locators + hop->length <= hop->far_locators));
    if (!is_sane)
        return 0;
    int err = vhd_layout_list(disk->top, &layout);
    if (err < 0)
        return err;
    bool is_free = is_clear(&layout, hop->header, header_end) &&
                   (!is_moved || is_clear(&layout, hop->locators, hop->locators + hop->length));
    vhd_layout_free(&layout);
    return is_free;
}

int vhd_relink_recover(struct vhd_disk *disk, bool *ret_is_moved)
{
    const uint64_t at = disk->top->image.footer.data_offset;
    struct vhd_hop_disk sector;
    struct vhd_hop hop;

    *ret_is_moved = false;
    if (!vhd_disk_is_differencing(disk) || at < VHD_HOP_SIZE)
        return 0;
    int err = vhd_io_get(disk->top->fd, &sector, sizeof sector, at - VHD_HOP_SIZE);
    if (err < 0 || !vhd_hop_decode(&sector, &hop))
        return err;
    int is_ours = judge_hop(disk, &hop);
    if (is_ours <= 0)
        return is_ours;
    err = go_home(disk, &hop);
    *ret_is_moved = err == 0;
    return (err == -ENOSPC || err == -EDQUOT) && !vhd_disk_has_failed(disk) ? 0 : err;
}
