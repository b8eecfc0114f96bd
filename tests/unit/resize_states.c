/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a crash while a disk gets another size would lose data, leave a disk that does
 * not open, or show old bytes in its new part; or a resized disk would be damaged for other
 * programs.
 *
 * A run records each call that changes the image. Each state that a power cut may leave has to open
 * with the old or the new size and the old content, and to be resized again. Last, single barriers
 * are left out of the model: the states then have to show a fault.
 */
#include "reshape/resize.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "medium.h"
#include "resize_scenes.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/*
 * Judging.
 */

static struct run {
    const struct scene *scene;
    const char *folder; /* of the states */
    struct disks disks;
    uint8_t *content; /* `before` bytes */
    unsigned old_sizes, new_sizes;
    char fault[2000];
} run;

static bool fault(const char *what, uint64_t number)
{
    if (!*run.fault)
        snprintf(run.fault, sizeof run.fault, "%s (%llu)", what, (unsigned long long)number);
    return false;
}

/* Has the disk the old content, and zeros behind? */
static bool judge_content(struct vhd_disk *disk)
{
    const uint64_t size = vhd_disk_size(disk), before = run.scene->before;
    static uint8_t buf[1 << 16];
    bool is_hole;

    if (size != before && size != run.scene->after)
        return fault("a third size", size);
    for (uint64_t at = 0; at < size; at += sizeof buf) {
        const size_t len = size - at < sizeof buf ? (size_t)(size - at) : sizeof buf;
        int err = vhd_disk_read(disk, buf, len, at, &is_hole);
        if (err < 0)
            return fault("a read fails", (uint64_t)-err);
        if (is_hole && at >= before)
            continue;
        if (is_hole)
            memset(buf, 0, len);
        for (size_t i = 0; i < len; i++) {
            const uint8_t expected = at + i < before ? run.content[at + i] : 0;
            if (buf[i] != expected)
                return fault("other content at", at + i);
        }
    }
    return true;
}

static struct vhd_disk *try_open(unsigned flags)
{
    struct vhd_disk *disk = NULL;
    struct vhd_verdict why = {0};

    if (vhd_disk_open(run.disks.catalogue, "s", flags | VHD_DISK_NO_FLUSHER, &disk, &why) != VHD_OK)
        fault(why.sentence, why.result);
    return disk;
}

/* As the verb does, without its judging. */
static int resize_to(struct vhd_disk *disk, uint64_t size)
{
    int err = 0;

    if (size > vhd_disk_size(disk)) {
        do
            err = vhd_disk_make_way(disk, size);
        while (err > 0);
    } else if (size < vhd_disk_size(disk)) {
        if (!run.scene->is_fixed)
            err = vhd_disk_discard(disk, vhd_disk_size(disk) - size, size);
        err = err ? err : vhd_disk_flush(disk);
    }
    return err ? err : vhd_disk_resize(disk, size);
}

/* Is the closed image sound, with equal footers and an exact table? */
static bool judge_clean(bool is_exact)
{
    struct vhd_image image;
    size_t len;

    uint8_t *bytes = file_bytes(run.folder, "s.vhd", &len);
    int fd = open(scratch_path(run.folder, "s.vhd"), O_RDONLY | O_CLOEXEC);
    bool is_sound = vhd_image_judge(fd, &image) && image.fault.defect == VHD_SOUND;
    if (!is_sound)
        fault(image.fault.sentence, 0);
    if (is_sound && !run.scene->is_fixed && memcmp(bytes, bytes + len - 512, 512) != 0)
        is_sound = fault("the footers differ", len);
    if (is_sound && image.footer.original_size != image.footer.current_size)
        is_sound = fault("the original size differs", image.footer.original_size);
    if (is_sound && image.footer.current_size != run.scene->after)
        is_sound = fault("not the new size", image.footer.current_size);
    if (is_sound && is_exact && image.has_header && image.header.max_entries != image.blocks)
        is_sound = fault("surplus entries", image.header.max_entries);
    if (is_sound && run.scene->is_fixed && len != image.footer.current_size + 512)
        is_sound = fault("another length", len);
    close(fd);
    free(bytes);
    return is_sound;
}

/* Judge what other programs need of a dynamic image, and the library does not. */
static bool judge_bytes(const struct file *file, bool is_class_a)
{
    const uint8_t *end = file->bytes + file->len - 512;
    const uint32_t entries = get32(file->bytes + SAMPLE_HEADER + 28);

    if (memcmp(end, "conectix", 8) != 0 && is_class_a)
        end = file->bytes;
    else if (memcmp(end, "conectix", 8) != 0)
        return fault("no footer at the end", file->len);
    if (run.scene->is_fixed)
        return true;
    /* Some programs read the copy alone. */
    if (get32(file->bytes + 52) > (uint64_t)entries * BLOCK)
        return fault("fewer entries than the copy needs", entries);
    for (uint32_t i = (get32(end + 52) + BLOCK - 1) / BLOCK; i < entries; i++) {
        if (!run.scene->has_surplus && get32(file->bytes + SAMPLE_TABLE + 4 * (size_t)i) != ~0u)
            return fault("a surplus entry points somewhere", i);
    }
    return true;
}

/*
 * Open the state for reading, for writing, and resize it once more.
 *
 *   is_done  the resize has succeeded
 */
static bool judge_file(bool is_done)
{
    struct vhd_disk *disk = try_open(0);
    bool is_exact = false;
    if (!disk)
        return false;
    bool is_good = judge_content(disk);
    run.old_sizes += vhd_disk_size(disk) == run.scene->before;
    run.new_sizes += vhd_disk_size(disk) == run.scene->after;
    if (is_done && vhd_disk_size(disk) != run.scene->after)
        is_good = fault("the resize is undone", vhd_disk_size(disk));
    vhd_disk_close(disk, NULL);
    disk = is_good ? try_open(VHD_DISK_WRITE) : NULL;
    if (!disk)
        return false;
    is_good = judge_content(disk);
    if (is_good && vhd_disk_size(disk) != run.scene->after) {
        int err = resize_to(disk, run.scene->after);
        is_exact = true;
        is_good = err == 0 ? judge_content(disk) : fault("resizing fails", (uint64_t)-err);
    }
    int err = vhd_disk_close(disk, NULL);
    if (is_good && err < 0)
        is_good = fault("closing fails", (uint64_t)-err);
    return is_good && judge_clean(is_exact);
}

static bool judge_state(const struct file *file, const struct cut *cut)
{
    unlink(scratch_path(run.folder, "s.vhd"));
    scratch_put(run.folder, "s.vhd", file->bytes, file->len);
    return judge_bytes(file, cut->is_class_a) && judge_file(cut->is_done);
}

/* Only the copy of the footer helps after a growth of class A; a fixed disk has none. */
static bool judge_run(const struct file *base, unsigned ignored)
{
    *run.fault = 0;
    return judge_record(judge_state, base, ignored, !run.scene->is_fixed);
}

/*
 * Running.
 */

static const char *folder_for_states(const char *folder)
{
    const char *states = scratch_path(folder, "states");

    assert_int_equal(mkdir(states, 0755), 0);
    return states;
}

/* Put the disk of a scene, and load its content and its file as opened for writing. */
static struct vhd_disk *begin(const struct scene *scene, const char *folder, struct disks disks,
                              struct file *ret_base)
{
    unlink(scratch_path(folder, "d.vhd"));
    put(folder, "d.vhd", scene->make());
    struct vhd_disk *disk = open_writable(disks, "d");
    assert_int_equal(vhd_disk_size(disk), scene->before);
    free(run.content);
    run.content = malloc(scene->before);
    assert_non_null(run.content);
    assert_int_equal(vhd_disk_read(disk, run.content, scene->before, 0, NULL), 0);
    load(folder, "d.vhd", ret_base);
    run.scene = scene;
    return disk;
}

/* Resize the disk of a scene and record that. Returns the error of the resize. */
static int record_scene(const struct scene *scene, const char *folder, struct disks disks,
                        struct file *ret_base, unsigned failing)
{
    struct vhd_disk *disk = begin(scene, folder, disks, ret_base);

    record_begin(failing, EIO);
    int err = resize_to(disk, scene->after);
    record.done = record.count;
    int closing = vhd_disk_close(disk, NULL);
    record_end();
    if (!failing)
        assert_int_equal(closing, 0);
    return err;
}

static void each_cut_leaves_the_old_or_the_new_size(void **state)
{
    static struct file base;
    const char *folder = *state, *states = folder_for_states(folder);
    struct disks disks = disks_open(folder);

    run.folder = states;
    run.disks = disks_open(states);
    for (size_t i = 0; i < LENGTH(scenes); i++) {
        run.old_sizes = run.new_sizes = 0;
        assert_int_equal(record_scene(&scenes[i], folder, disks, &base, 0), 0);
        expect_clean(folder, "d.vhd");
        if (!judge_run(&base, 0))
            fail_msg("%s: %s", scenes[i].name, run.fault);
        assert_true(run.old_sizes > 0 && run.new_sizes > 0);
    }
    record_forget();
    disks_close(run.disks);
    disks_close(disks);
}

static void each_barrier_is_needed(void **state)
{
    /*
     * A character for each sync: 1 if states show its lack. A footer and its copy need none between
     * them, because a sector is old or new; and nothing can undo the last change of a run that the
     * change before it has already decided.
     */
    static const struct {
        size_t scene;
        const char *needed;
    } cases[] = {{1, "11111100"}, {7, "1010"}, {9, "110"}, {10, "0111"}};
    static struct file base;
    const char *folder = *state, *states = folder_for_states(folder);
    struct disks disks = disks_open(folder);

    run.folder = states;
    run.disks = disks_open(states);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct scene *scene = &scenes[cases[i].scene];
        assert_int_equal(record_scene(scene, folder, disks, &base, 0), 0);
        const unsigned syncs = record.syncs;
        char needed[40] = "";
        /* Where footers are durable first, a growth has one sync more. */
        if (syncs != strlen(cases[i].needed))
            continue;
        for (unsigned ignored = 1; ignored <= syncs; ignored++)
            needed[ignored - 1] = judge_run(&base, ignored) ? '0' : '1';
        if (strcmp(needed, cases[i].needed) != 0)
            print_error("%s\n", scene->name);
        assert_string_equal(needed, cases[i].needed);
    }
    record_forget();
    disks_close(run.disks);
    disks_close(disks);
}

/* From one call on, the host fails all of them. */
static void a_failing_host_leaves_the_old_or_the_new_size(void **state)
{
    static struct file base, left;
    const char *folder = *state, *states = folder_for_states(folder);
    struct disks disks = disks_open(folder);

    run.folder = states;
    run.disks = disks_open(states);
    for (size_t i = 0; i < LENGTH(scenes); i++) {
        int err = -EIO;
        for (unsigned failing = 1; err < 0; failing++) {
            err = record_scene(&scenes[i], folder, disks, &base, failing);
            const struct cut cut = {.is_done = err == 0};
            load(folder, "d.vhd", &left);
            *run.fault = 0;
            if (!judge_state(&left, &cut))
                fail_msg("%s, call %u fails: %s", scenes[i].name, failing, run.fault);
        }
    }
    record_forget();
    disks_close(run.disks);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(each_cut_leaves_the_old_or_the_new_size),
        SCRATCH_TEST(each_barrier_is_needed),
        SCRATCH_TEST(a_failing_host_leaves_the_old_or_the_new_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
