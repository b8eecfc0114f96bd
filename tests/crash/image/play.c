/* SPDX-License-Identifier: MIT */
#include "play.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "reshape/compact.h"
#include "reshape/merge.h"
#include "file.h"
#include "promise.h"

/* Guards the outcomes, because two threads may play at once. */
static pthread_mutex_t outcome_lock = PTHREAD_MUTEX_INITIALIZER;

void play_fault(struct play *play, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    if (!*play->fault)
        vsnprintf(play->fault, sizeof play->fault, format, list);
    va_end(list);
}

/* Judge the result of an operation. */
static void judge_outcome(struct play *play, const char *what, int err)
{
    HOLD_LOCK(&outcome_lock);
    if (err < 0)
        play->has_denied = true;
    if (err < 0 && !play->may_fail)
        play_fault(play, "%s failed: %s", what, strerrorname_np(-err));
    if (err == 0 && play->has_failed_flush)
        play_fault(play, "%s succeeded after a flush had failed", what);
}

/* The values that an operation on whole sectors leaves: one value everywhere, or fresh ones. */
static struct content values_for(uint32_t count, const uint32_t *value)
{
    struct content content = {NULL, 0};

    content_resize(&content, count);
    for (uint32_t i = 0; i < count; i++)
        content.values[i] = value ? *value : value_fresh();
    return content;
}

/* Write sectors; takes the values over. */
static void write_values(struct play *play, uint32_t first, struct content values)
{
    AUTO_FREE uint8_t *bytes = malloc((size_t)values.count * SECTOR);

    if (!bytes)
        err(EXIT_FAILURE, "play");
    content_to_bytes(&values, bytes);
    size_t len = (size_t)values.count * SECTOR;
    uint32_t begin = recorder_op_begin(OP_WRITE, first, values);
    int err = vhd_disk_write(play->disk, bytes, len, (uint64_t)first * SECTOR);
    recorder_op_end(begin, err);
    judge_outcome(play, "a write", err);
}

void play_write(struct play *play, uint32_t first, uint32_t count)
{
    if (play->disk)
        write_values(play, first, values_for(count, NULL));
}

void play_write_zeros(struct play *play, uint32_t first, uint32_t count)
{
    const uint32_t zero = VALUE_ZERO;

    if (play->disk)
        write_values(play, first, values_for(count, &zero));
}

void play_write_value(struct play *play, uint32_t first, uint32_t value)
{
    if (play->disk)
        write_values(play, first, values_for(1, &value));
}

void play_write_bytes(struct play *play, uint64_t off, uint32_t len)
{
    uint32_t first = (uint32_t)(off / SECTOR), end = (uint32_t)((off + len + SECTOR - 1) / SECTOR);
    size_t size = (size_t)(end - first) * SECTOR;
    AUTO_FREE uint8_t *bytes = malloc(size);

    if (!play->disk)
        return;
    if (!bytes)
        err(EXIT_FAILURE, "play");
    int err = vhd_disk_read(play->disk, bytes, size, (uint64_t)first * SECTOR, NULL);
    if (err < 0)
        play_fault(play, "a read failed: %s", strerrorname_np(-err));
    memcpy(bytes + off % SECTOR, value_bytes(value_fresh()), len < SECTOR ? len : SECTOR);
    uint32_t begin = recorder_op_begin(OP_WRITE, first, content_of_bytes(bytes, end - first));
    err = vhd_disk_write(play->disk, bytes + off % SECTOR, len, off);
    recorder_op_end(begin, err);
    judge_outcome(play, "a write", err);
}

void play_discard(struct play *play, uint32_t first, uint32_t count)
{
    const uint32_t zero = VALUE_ZERO;

    if (!play->disk)
        return;
    uint32_t begin = recorder_op_begin(OP_DISCARD, first, values_for(count, &zero));
    int err = vhd_disk_discard(play->disk, (uint64_t)count * SECTOR, (uint64_t)first * SECTOR);
    recorder_op_end(begin, err);
    judge_outcome(play, "a discard", err);
}

void play_flush(struct play *play)
{
    if (!play->disk)
        return;
    uint32_t begin = recorder_op_begin(OP_FLUSH, 0, (struct content){NULL, 0});
    int err = vhd_disk_flush(play->disk);
    recorder_op_end(begin, err);
    judge_outcome(play, "a flush", err);
    if (err < 0)
        play->has_failed_flush = true;
}

/* Remove all blocks of zeros, then move blocks until none moves any more. */
static int compact(struct vhd_disk *disk)
{
    AUTO_FREE void *buf = malloc(vhd_disk_block_size(disk));
    struct vhd_packer *packer = NULL;
    unsigned moved = 1;
    bool was_allocated;
    int result = buf ? 0 : -ENOMEM;

    for (uint32_t block = 0; block < vhd_disk_blocks(disk) && result == 0; block++)
        result = vhd_disk_drop_zeros(disk, block, buf, &was_allocated);
    if (result == 0)
        result = vhd_packer_new(disk, &packer);
    while (result == 0 && moved > 0)
        result = vhd_packer_step(packer, &moved);
    vhd_packer_free(packer);
    return result;
}

void play_compact(struct play *play)
{
    if (!play->disk)
        return;
    int err = compact(play->disk);
    judge_outcome(play, "compacting", err);
    play_observe(play);
}

/* Open a child that a plan describes, without any parent. */
static struct vhd_layer *open_child(const struct play *play, struct made *made)
{
    const struct vhd_store *store = vhd_catalogue_store(play->catalogue);
    struct vhd_layer *child = NULL;
    struct vhd_fault fault;
    char path[300];

    snprintf(path, sizeof path, "%s/child.vhd", vhd_store_path(store));
    file_write(path, &made->file);
    int result = vhd_layer_open(store, "child.vhd", VHD_LAYER_READ, &child, NULL, &fault);
    if (result < 0)
        errx(EXIT_FAILURE, "the child does not open: %s", strerrorname_np(-result));
    unlink(path);
    return child;
}

/* Begin a write of each stretch that the child holds. Returns their number. */
static unsigned begin_writes(struct vhd_layer *child, const struct content *content,
                             uint32_t begins[PLAN_BLOCKS])
{
    const uint64_t size = (uint64_t)content->count * SECTOR;
    struct vhd_run run;
    unsigned count = 0;

    for (uint64_t off = 0; off < size; off += run.len) {
        if (vhd_layer_run(child, off, size - off, &run) < 0)
            errx(EXIT_FAILURE, "the child cannot be read");
        if (!run.is_here)
            continue;
        const struct content part = {content->values + off / SECTOR, (uint32_t)(run.len / SECTOR)};
        begins[count++] =
            recorder_op_begin(OP_WRITE, (uint32_t)(off / SECTOR), content_copy(&part));
    }
    return count;
}

void play_merge(struct play *play, const struct plan *plan)
{
    struct made made = plan_make(plan);
    struct vhd_layer *child = open_child(play, &made);
    uint32_t begins[PLAN_BLOCKS];
    struct vhd_merge *merge = NULL;
    uint64_t done = 0;

    if (play->disk) {
        const unsigned count = begin_writes(child, &made.disk, begins);
        int err = vhd_merge_new(play->disk, child, &merge);
        while (err == 0 && done < vhd_disk_size(play->disk))
            err = vhd_merge_step(merge, &done);
        if (err == 0)
            err = vhd_merge_finish(merge);
        vhd_merge_free(merge);
        for (unsigned i = 0; i < count; i++)
            recorder_op_end(begins[i], err);
        /* The child goes now, so all is durable. */
        uint32_t begin = recorder_op_begin(OP_FLUSH, 0, (struct content){NULL, 0});
        recorder_op_end(begin, err);
        judge_outcome(play, "merging", err);
        play_observe(play);
    }
    vhd_layer_close(child);
    made_free(&made);
}

void play_relink(struct play *play, uint32_t number)
{
    const unsigned flags = VHD_DISK_WRITE | VHD_DISK_ALONE;
    const uuid_t parent = {0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22,
                           0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22};
    struct vhd_disk *disk;
    struct vhd_verdict why;

    if (vhd_disk_open(play->catalogue, play->name, flags, &disk, &why) != VHD_OK) {
        play->has_denied = true;
        if (!play->may_fail)
            play_fault(play, "it does not open for another parent: %s", why.sentence);
        return;
    }
    uint32_t begin = recorder_op_begin(OP_RELINK, number, (struct content){NULL, 0});
    int err = vhd_disk_relink(disk, parent, 0x11111112, plan_parents[number], false);
    recorder_op_end(begin, err);
    int close_err = vhd_disk_close(disk, NULL);
    judge_outcome(play, "another parent", err ? err : close_err);
}

/* Read the whole disk; unwritten sectors are zeros. */
static struct content read_disk(struct play *play)
{
    uint32_t sectors = plan_sectors(play->plan);
    AUTO_FREE uint8_t *bytes = malloc((size_t)sectors * SECTOR);

    if (!bytes)
        err(EXIT_FAILURE, "play");
    int err = vhd_disk_read(play->disk, bytes, (size_t)sectors * SECTOR, 0, NULL);
    if (err < 0) {
        play_fault(play, "a read failed: %s", strerrorname_np(-err));
        memset(bytes, 0xEE, (size_t)sectors * SECTOR);
    }
    return content_of_bytes(bytes, sectors);
}

/* Does the disk show the content that the replies promise? */
static void judge_content(struct play *play, const struct content *content)
{
    struct promise promise = {.sectors = 0};
    uint32_t first_lost = plan_has_parent(play->plan) ? 8 : 0, sector;

    promise_at(&promise, play->log, play->log->count, CRASH_KILL, first_lost);
    if (!promise_holds(&promise, content, &sector))
        play_fault(play, "I5: the open disk's sector %u reads v%u", sector,
                   content->values[sector]);
    promise_free(&promise);
}

void play_observe(struct play *play)
{
    if (!play->disk)
        return;
    struct content content = read_disk(play);
    judge_content(play, &content);
    recorder_op_end(recorder_op_begin(OP_OBSERVE, 0, content), 0);
}

bool play_open(struct play *play, bool is_for_reading)
{
    unsigned flags = is_for_reading ? 0 : VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER;
    struct vhd_verdict why;

    enum vhd_result result = vhd_disk_open(play->catalogue, play->name, flags, &play->disk, &why);
    if (result != VHD_OK) {
        play->disk = NULL;
        play->has_denied = true;
        if (!play->may_fail)
            play_fault(play, "it does not open: %s", why.sentence);
        return false;
    }
    play->has_failed_flush = false;
    if (vhd_disk_size(play->disk) != (uint64_t)plan_sectors(play->plan) * SECTOR)
        play_fault(play, "its size is %llu", (unsigned long long)vhd_disk_size(play->disk));
    play_observe(play);
    return true;
}

bool play_close(struct play *play)
{
    if (!play->disk)
        return false;
    int err = vhd_disk_close(play->disk, NULL);
    play->disk = NULL;
    if (err < 0)
        play->has_denied = true;
    if (err < 0 && !play->may_fail && !play->has_failed_flush)
        play_fault(play, "closing failed: %s", strerrorname_np(-err));
    return err == 0;
}
