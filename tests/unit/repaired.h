/* SPDX-License-Identifier: MIT */
/*
 * Repairs of an image, in every way.
 *
 * An image is repaired once while every change of the file is recorded. Each state in which a crash
 * may leave the file must read as the image did before, if that was readable, and a second repair
 * must lead to the same disk. A file that includes this has included cmocka.h before, and is in
 * unit_wraps of meson.build.
 */
#pragma once

#include <stdio.h>

#include "checked.h"
#include "disk/disk.h"
#include "medium.h"
#include "repair/changes.h"
#include "repair/plan.h"
#include "repair/write.h"

/*
 * What a disk is: its content, and what a check says.
 */

struct verdict {
    bool opens;
    size_t length; /* of the file */
    uint8_t *content;
    size_t size; /* of the content */
    struct told told;
};

/* Content that was lost: a crash may leave bytes of the old footer there. */
static size_t lost_at, lost_end;

static inline bool is_same_content(const struct verdict *a, const struct verdict *b)
{
    if (a->opens != b->opens || a->size != b->size)
        return false;
    for (size_t i = 0; i < a->size; i++) {
        if (a->content[i] != b->content[i] && (i < lost_at || i >= lost_end))
            return false;
    }
    return true;
}

static inline void verdict_free(struct verdict *verdict)
{
    free(verdict->content);
}

/* The disk d. */
static inline struct verdict judge(const char *folder)
{
    struct disks disks = disks_open(folder);
    struct verdict verdict = {.length = file_length(folder, "d.vhd")};
    struct vhd_disk *disk;
    uint64_t count;

    assert_int_equal(check(folder, "d.vhd", &verdict.told, &count), 0);
    if (vhd_disk_open(disks.catalogue, "d", 0, &disk, NULL) == VHD_OK) {
        verdict.opens = true;
        verdict.size = vhd_disk_size(disk);
        verdict.content = malloc(verdict.size);
        assert_non_null(verdict.content);
        assert_int_equal(vhd_disk_read(disk, verdict.content, verdict.size, 0, NULL), 0);
        vhd_disk_close(disk, NULL);
    }
    disks_close(disks);
    return verdict;
}

/* Repair the disk d. Returns whether anything was changed, or a negative errno. */
static inline int repair(const char *folder, bool has_children)
{
    struct vhd_repair_plan plan;
    struct told told = {0};
    int fd = open(scratch_path(folder, "d.vhd"), O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(vhd_repair_plan_make(fd, has_children, NULL, NULL, &plan), 0);
    const bool is_empty = vhd_repair_plan_is_empty(&plan);
    int err = 0;
    if (!is_empty) {
        vhd_repair_changes_tell(&plan, tell, &told);
        err = vhd_repair_write(fd, &plan);
        assert_string_equal(told.text, "");
    }
    vhd_repair_plan_free(&plan);
    close(fd);
    return err < 0 ? err : !is_empty;
}

/* The same, recorded. The host is broken from the call `failing` on, from 1; 0 for never. */
static inline int repair_recorded(const char *folder, bool has_children, unsigned failing)
{
    record_begin(failing, ENOSPC);
    int err = repair(folder, has_children);
    record_end();
    record.done = record.count;
    return err;
}

/*
 * The states.
 */

static struct run {
    const char *folder;
    struct verdict start, end; /* of the disk, before the repair and after it */
    bool had_footer;           /* before the repair */
    bool has_children;
} run;

static inline const char *fault(const char *format, ...)
{
    static char text[1000];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return text;
}

/*
 * Has the disk d one of two footers, at the end or the copy? A fixed disk has no copy, so where a
 * length is durable alone, nothing can keep its footer at the end.
 */
static inline bool has_footer(const char *folder)
{
    struct vhd_image image;
    int fd = open(scratch_path(folder, "d.vhd"), O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    (void)vhd_image_read(fd, &image);
    close(fd);
    return image.has_footer && image.footer.type != VHD_TYPE_FIXED;
}

/* Is the disk that of the end of the repair? */
static inline bool is_end(const struct verdict *now)
{
    return strcmp(now->told.text, run.end.told.text) == 0 && is_same_content(now, &run.end);
}

/*
 * Judge that d is no worse than the start, and that a second repair leads to the same disk. After
 * the repair has returned, it needs none. Returns NULL, or a fault.
 */
static inline const char *judge_remains(bool is_done)
{
    struct verdict now = judge(run.folder);
    const bool is_same = is_same_content(&now, &run.start), has_ended = is_end(&now);
    verdict_free(&now);

    if (run.start.opens && !is_same)
        return fault("it no longer reads as before: %s", now.told.text);
    /* A host may keep the length of a growth without the footer. */
    if (now.length <= run.start.length && !strstr(run.start.told.text, "footer lost") &&
        strstr(now.told.text, "footer lost"))
        return fault("no footer ends the file");
    if (run.had_footer && !has_footer(run.folder))
        return fault("both footers are lost");
    if (is_done && !has_ended)
        return fault("the repair returned, but is not durable: \"%s\"", now.told.text);
    if (repair(run.folder, run.has_children) < 0)
        return fault("a second repair fails");
    now = judge(run.folder);
    const bool is_good = is_end(&now);
    verdict_free(&now);
    return is_good ? NULL
                   : fault("another disk after a second repair: \"%s\", expected \"%s\"",
                           now.told.text, run.end.told.text);
}

static inline bool judge_quietly(const struct file *state, const struct cut *cut)
{
    scratch_put(run.folder, "d.vhd", state->bytes, state->len);
    return !judge_remains(cut->is_done);
}

static inline bool judge_state(const struct file *state, const struct cut *cut)
{
    scratch_put(run.folder, "d.vhd", state->bytes, state->len);
    const char *found = judge_remains(cut->is_done);
    if (found)
        fail_msg("a cut after change %zu: %s", cut->events, found);
    return true;
}

/* The host fails at each call in turn: the image is no worse, and the next repair is whole. */
static inline void judge_failures(const struct file *image)
{
    int err = -1;

    for (unsigned failing = 1; err < 0; failing++) {
        scratch_put(run.folder, "d.vhd", image->bytes, image->len);
        err = repair_recorded(run.folder, run.has_children, failing);
        const char *found = err < 0 ? judge_remains(false) : NULL;
        if (found)
            fail_msg("a host that fails at call %u: %s", failing, found);
    }
}

/* Repair d, and judge the disk after that. Returns whether anything was changed. */
static inline int begin_run(const char *folder, bool has_children)
{
    run = (struct run){.folder = folder, .start = judge(folder), .has_children = has_children};
    run.had_footer = has_footer(folder);
    const int is_changed = repair_recorded(folder, has_children, 0);
    assert_true(is_changed >= 0);
    run.end = judge(folder);
    if (run.start.opens) {
        assert_true(run.end.opens);
        assert_int_equal(run.start.size, run.end.size);
        assert_memory_equal(run.start.content, run.end.content, run.end.size);
    }
    return is_changed;
}

/*
 * Repair an image in every way. Returns the disk after a repair, for verdict_free().
 *
 *   wanted  the findings that remain
 */
static inline struct verdict repaired(const char *folder, struct sample sample, bool has_children,
                                      const char *wanted)
{
    static struct file image;

    put(folder, "d.vhd", sample);
    load(folder, "d.vhd", &image);
    const int is_changed = begin_run(folder, has_children);
    assert_string_equal(run.end.told.text, wanted);
    if (is_changed) {
        judge_record(judge_state, &image, 0, true);
        judge_failures(&image);
    }
    /* Of what is repaired, nothing changes again. */
    scratch_put(folder, "d.vhd", image.bytes, image.len);
    repair(folder, has_children);
    assert_int_equal(repair(folder, has_children), 0);
    record_forget();
    verdict_free(&run.start);
    return run.end;
}

static inline void expect_repaired(const char *folder, struct sample sample, const char *wanted)
{
    struct verdict end = repaired(folder, sample, false, wanted);
    verdict_free(&end);
}

/* Append bytes behind the end. */
static inline struct sample longer(struct sample sample, size_t len, int byte)
{
    memset(sample.bytes + sample.len, byte, len);
    sample.len += len;
    return sample;
}
