/* SPDX-License-Identifier: MIT */
/*
 * If this fails, the next growth or close cuts or overwrites a disk that another program restores,
 * replaces or removes while it is open: the restored backup is damaged. Or the change stays
 * unnoticed, and programs go on with old data.
 */
#include "disk/confirm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"

/* The library's calls of fdatasync(2) come here. */
static void (*at_sync)(void);
static unsigned syncs_before; /* while that runs */

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
    int err = __real_fdatasync(fd);
    if (at_sync && syncs_before-- == 0)
        at_sync();
    return err;
}

/* The library's calls of pwrite(2) come here, under both names. */
static void (*before_write)(void);
static off_t write_behind; /* the first write at or behind this byte runs that */

ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off);

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off)
{
    if (before_write && off >= write_behind) {
        void (*run)(void) = before_write;
        before_write = NULL;
        run();
    }
    return __real_pwrite(fd, buf, len, off);
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off)
{
    return __wrap_pwrite(fd, buf, len, off);
}

/* Give a file times of long ago, so that each change shows in them. */
static void age(const char *folder, const char *file)
{
    const struct timespec times[2] = {{.tv_sec = 1000000001, .tv_nsec = 5},
                                      {.tv_sec = 1000000002, .tv_nsec = 6}};
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(folder, file), times, 0), 0);
}

/* Changes that another program makes to an image that is open. */
enum way { SHORTER, LONGER, OTHER_TABLE, OTHER_FOOTER, RENAMED_OVER, RENAMED_AWAY, GONE, WAYS };

static void overwrite_in_place(const char *folder, const char *file, struct sample sample)
{
    int fd = open(scratch_path(folder, file), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, sample.bytes, sample.len, 0), sample.len);
    close(fd);
    free(sample.bytes);
}

static void write_at(const char *folder, const char *file, const void *bytes, size_t len,
                     uint64_t at)
{
    int fd = open(scratch_path(folder, file), O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
    close(fd);
}

/* An image of this length with other content. */
static struct sample sample_long(size_t len)
{
    struct sample sample = sample_of(len);
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 9);
    return sample;
}

static void meddle(const char *folder, enum way way)
{
    uint8_t byte = 0;

    switch (way) {
    case SHORTER:
        overwrite_in_place(folder, "a.vhd", sample_dynamic(9, 1));
        break;
    case LONGER:
        overwrite_in_place(folder, "a.vhd", sample_long(file_length(folder, "a.vhd") + 512));
        break;
    case OTHER_TABLE:
        write_at(folder, "a.vhd", &byte, 1, SAMPLE_TABLE + 4 * 2);
        break;
    case OTHER_FOOTER:
        overwrite_in_place(folder, "a.vhd", sample_long(file_length(folder, "a.vhd")));
        break;
    case RENAMED_OVER:
        put(folder, "b", sample_dynamic(1, 2));
        assert_int_equal(rename(scratch_path(folder, "b"), scratch_path(folder, "a.vhd")), 0);
        break;
    case RENAMED_AWAY:
        assert_int_equal(rename(scratch_path(folder, "a.vhd"), scratch_path(folder, "b")), 0);
        put(folder, "a.vhd", sample_dynamic(1, 3));
        break;
    default:
        assert_int_equal(unlink(scratch_path(folder, "a.vhd")), 0);
        break;
    }
}

static struct kept keep_if_there(const char *folder)
{
    return scratch_has(folder, "a.vhd") ? keep(folder, "a.vhd") : (struct kept){0};
}

static void expect_kept_if_there(const char *folder, struct kept kept)
{
    if (kept.bytes)
        expect_kept(folder, "a.vhd", kept);
    else
        assert_false(scratch_has(folder, "a.vhd"));
}

static bool is_zero(const struct vhd_fingerprint *fingerprint)
{
    const struct vhd_fingerprint zero = {0};
    return vhd_fingerprint_is_same(fingerprint, &zero) && !fingerprint->is_reliable;
}

static void remove_all(const char *folder)
{
    unlink(scratch_path(folder, "a.vhd"));
    unlink(scratch_path(folder, "b"));
}

static void a_reader_leaves_the_image_of_another_program(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_fingerprint left;

    for (enum way way = 0; way < WAYS; way++) {
        put(*state, "a.vhd", sample_dynamic(1, 2));
        age(*state, "a.vhd");
        struct vhd_disk *disk = open_disk(disks, "a", 0);
        assert_int_equal(vhd_disk_confirm(disk), 0);
        meddle(*state, way);
        struct kept kept = keep_if_there(*state);
        assert_int_equal(vhd_disk_confirm(disk), -ESTALE);
        assert_int_equal(vhd_disk_close(disk, &left), 0);
        assert_true(is_zero(&left));
        expect_kept_if_there(*state, kept);
        remove_all(*state);
    }
    disks_close(disks);
}

/* Grow, so that the close has something to cut off. */
static struct vhd_disk *grown(struct disks disks, const char *folder, bool is_raised)
{
    put(folder, "a.vhd", sample_dynamic(1, 0));
    struct vhd_disk *disk = open_disk(disks, "a", is_raised ? 0 : VHD_DISK_WRITE);

    if (is_raised)
        assert_int_equal(vhd_disk_make_writable(disk, NULL), VHD_OK);
    fill(disk, 0, 512, 1);
    fill(disk, BLOCK, 512, 1);
    assert_int_equal(vhd_disk_confirm(disk), 0);
    return disk;
}

static void a_writers_close_leaves_the_image_of_another_program(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_fingerprint left;

    for (unsigned i = 0; i < 2 * WAYS; i++) {
        const enum way way = i / 2;
        struct vhd_disk *disk = grown(disks, *state, i % 2);
        meddle(*state, way);
        struct kept kept = keep_if_there(*state);
        /* It would cost too much to compare the whole table at each open. */
        assert_int_equal(vhd_disk_confirm(disk), way == OTHER_TABLE ? 0 : -ESTALE);
        assert_int_equal(vhd_disk_close(disk, &left), -ESTALE);
        assert_true(is_zero(&left));
        expect_kept_if_there(*state, kept);
        remove_all(*state);
    }
    disks_close(disks);
}

/* Pending bits are not written into the image of another program either. */
static void a_childs_close_leaves_the_image_of_another_program(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 4));
    for (enum way way = 0; way < WAYS; way++) {
        if (way == OTHER_TABLE)
            continue;
        put(*state, "a.vhd", sample_child(2, 1, "base.vhd"));
        struct vhd_disk *disk = open_writable(disks, "a");
        fill(disk, 2 * BLOCK, BLOCK, 7);
        meddle(*state, way);
        struct kept kept = keep_if_there(*state);
        assert_int_equal(vhd_disk_close(disk, NULL), -ESTALE);
        expect_kept_if_there(*state, kept);
        remove_all(*state);
    }
    disks_close(disks);
}

static void a_fixed_disk_of_another_program_is_not_stamped(void **state)
{
    struct disks disks = disks_open(*state);

    for (enum way way = 0; way < WAYS; way++) {
        if (way == OTHER_TABLE)
            continue;
        put(*state, "a.vhd", sample_fixed(1));
        struct vhd_disk *disk = open_writable(disks, "a");
        fill(disk, 0, 512, 3);
        meddle(*state, way);
        struct kept kept = keep_if_there(*state);
        assert_int_equal(vhd_disk_confirm(disk), -ESTALE);
        assert_int_equal(vhd_disk_close(disk, NULL), -ESTALE);
        expect_kept_if_there(*state, kept);
        remove_all(*state);
    }
    disks_close(disks);
}

/* The disk has failed then: its writes go nowhere, so the writer must get an error. */
static void the_image_of_another_program_does_not_grow(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_verdict why;
    uint8_t byte = 1;

    for (enum way way = 0; way < WAYS; way++) {
        put_empty(*state, "a.vhd", 256 * MB, 1, 0, NULL);
        struct vhd_disk *disk = open_writable(disks, "a");
        assert_false(vhd_disk_has_failed(disk));
        meddle(*state, way);
        struct kept kept = keep_if_there(*state);
        assert_int_equal(vhd_disk_write(disk, &byte, 1, 0), -EIO);
        assert_true(vhd_disk_has_failed(disk));
        assert_int_equal(vhd_disk_flush(disk), -EIO);
        assert_int_equal(vhd_disk_make_writable(disk, &why), VHD_ACCESS_FAILED);
        assert_non_null(strstr(why.sentence, "\"a\""));
        assert_int_equal(vhd_disk_close(disk, NULL), -ESTALE);
        expect_kept_if_there(*state, kept);
        remove_all(*state);
    }
    disks_close(disks);
}

static const char *meddled_folder;
static enum way meddled_way;
static struct kept kept_then;

static void meddle_once(void)
{
    meddle(meddled_folder, meddled_way);
    kept_then = keep_if_there(meddled_folder);
}

/* The file is as another program left it, but for what lies behind its end. */
static void expect_start_kept(const char *folder, struct kept kept)
{
    size_t len;
    uint8_t *bytes = file_bytes(folder, "a.vhd", &len);

    assert_true(len >= kept.len);
    assert_memory_equal(bytes, kept.bytes, kept.len);
    free(bytes);
    free(kept.bytes);
}

/*
 * The host delays the write of a footer until a program that restores the image is done. The
 * growth notices, so that no data goes into the restored image and the writer gets an error.
 */
static void a_restore_beside_a_growth_is_noticed(void **state)
{
    struct disks disks = disks_open(*state);
    uint8_t byte = 1;

    for (enum way way = 0; way < WAYS; way++) {
        put_empty(*state, "a.vhd", 256 * MB, 1, 0, NULL);
        struct vhd_disk *disk = open_writable(disks, "a");
        meddled_folder = *state;
        meddled_way = way;
        write_behind = (off_t)file_length(*state, "a.vhd");
        before_write = meddle_once;
        assert_int_equal(vhd_disk_write(disk, &byte, 1, 0), -EIO);
        assert_null(before_write);
        assert_true(vhd_disk_has_failed(disk));
        assert_int_equal(vhd_disk_close(disk, NULL), -ESTALE);
        if (kept_then.bytes)
            expect_start_kept(*state, kept_then);
        remove_all(*state);
    }
    disks_close(disks);
}

static void meddle_at_sync(void)
{
    at_sync = NULL;
    meddle_once();
}

/* A crash has left this image with slack: recovery puts the footer forward, syncs, and cuts. */
static void put_with_slack(const char *folder)
{
    struct sample sample = sample_dynamic(1, 2);

    sample.len += 8192;
    sample_footers(&sample, SAMPLE_DYNAMIC, SAMPLE_SIZE, 1);
    put(folder, "a.vhd", sample);
}

static void recovery_does_not_cut_the_image_of_another_program(void **state)
{
    struct disks disks = disks_open(*state);

    for (unsigned i = 0; i < 2 * WAYS; i++) {
        struct vhd_disk *disk = NULL;
        put_with_slack(*state);
        meddled_folder = *state;
        meddled_way = i / 2;
        at_sync = meddle_at_sync;
        syncs_before = 1; /* remains of a killed writer, perhaps */
        if (i % 2) {
            disk = open_disk(disks, "a", 0);
            assert_int_equal(vhd_disk_make_writable(disk, NULL), VHD_IN_USE);
            assert_int_equal(vhd_disk_confirm(disk), -ESTALE);
            assert_int_equal(vhd_disk_close(disk, NULL), 0);
        } else {
            assert_int_equal(vhd_disk_open(disks.catalogue, "a", VHD_DISK_WRITE, &disk, NULL),
                             VHD_IN_USE);
        }
        assert_null(at_sync);
        expect_kept_if_there(*state, kept_then);
        remove_all(*state);
    }
    disks_close(disks);
}

/* A change right after the close shows, however coarse the clock of the host. */
static void a_written_disk_is_left_with_a_reliable_fingerprint(void **state)
{
    const char *const files[] = {"dynamic.vhd", "fixed.vhd", "child.vhd"};
    const char *const names[] = {"dynamic", "fixed", "child"};
    struct disks disks = disks_open(*state);
    struct vhd_fingerprint left;
    struct stat attributes;

    put(*state, "dynamic.vhd", sample_dynamic(1, 2));
    put(*state, "fixed.vhd", sample_fixed(2));
    put(*state, "base.vhd", sample_dynamic(3, 4));
    age(*state, "base.vhd");
    put(*state, "child.vhd", sample_child(4, 3, "base.vhd"));
    nanosleep(&(struct timespec){.tv_nsec = 50000000},
              NULL); /* the base's ctime is of a past tick */
    for (int i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_writable(disks, names[i]);
        fill(disk, 0, 512, 7);
        assert_int_equal(vhd_disk_close(disk, &left), 0);
        assert_true(left.is_reliable);
        assert_int_equal(left.parents != 0, i == 2);
        assert_int_equal(stat(scratch_path(*state, files[i]), &attributes), 0);
        assert_true(vhd_fingerprint_is_file(&left, &attributes));
        struct vhd_fingerprint now = vhd_fingerprint_of(&attributes);
        now.parents = left.parents;
        assert_true(vhd_fingerprint_is_same(&left, &now));
        write_at(*state, files[i], "x", 1, SAMPLE_DATA + 600);
        assert_int_equal(stat(scratch_path(*state, files[i]), &attributes), 0);
        now = vhd_fingerprint_of(&attributes);
        now.parents = left.parents;
        assert_false(vhd_fingerprint_is_same(&left, &now));
    }
    disks_close(disks);
}

/*
 * Children that others made have recorded the time of their parent: it stays if nothing is written.
 */
static void an_unwritten_disk_keeps_its_time(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_fingerprint left, opened;

    put(*state, "a.vhd", sample_dynamic(1, 2));
    age(*state, "a.vhd");
    for (unsigned flags = 0; flags <= VHD_DISK_WRITE; flags++) {
        struct kept kept = keep(*state, "a.vhd");
        struct vhd_disk *disk = open_disk(disks, "a", flags);
        expect(disk, 0, BLOCK, 0xEE);
        assert_int_equal(vhd_disk_fingerprint(disk, &opened), 0);
        assert_int_equal(vhd_disk_close(disk, &left), 0);
        assert_true(vhd_fingerprint_is_same(&left, &opened));
        expect_kept(*state, "a.vhd", kept);
    }
    disks_close(disks);
}

static int note_file(void *arg, const char *file, const struct stat *attributes)
{
    char *notes = arg;

    assert_true(S_ISREG(attributes->st_mode));
    strcat(strcat(notes, file), " ");
    return strcmp(file, "stop.vhd") == 0 ? 7 : 0;
}

static void each_file_is_visited_from_the_top(void **state)
{
    struct disks disks = disks_open(*state);
    char notes[100] = "";

    put(*state, "base.vhd", sample_dynamic(1, 4));
    put(*state, "stop.vhd", sample_child(2, 1, "base.vhd"));
    put(*state, "top.vhd", sample_child(3, 2, "stop.vhd"));
    struct vhd_disk *disk = open_disk(disks, "top", 0);
    assert_int_equal(vhd_disk_each_file(disk, note_file, notes), 7);
    assert_string_equal(notes, "top.vhd stop.vhd ");
    close_disk(disk);
    disks_close(disks);
}

/* The content of a child depends on each of its parents. */
static void a_change_of_a_parent_shows(void **state)
{
    struct vhd_fingerprint before, after;
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 4));
    put(*state, "middle.vhd", sample_child(2, 1, "base.vhd"));
    put(*state, "top.vhd", sample_child(3, 2, "middle.vhd"));
    const char *const files[] = {"base.vhd", "middle.vhd"};
    for (int i = 0; i < 2; i++) {
        age(*state, files[i]);
        struct vhd_disk *disk = open_disk(disks, "top", 0);
        assert_int_equal(vhd_disk_fingerprint(disk, &before), 0);
        assert_int_equal(vhd_disk_confirm(disk), 0);
        write_at(*state, files[i], "x", 1, SAMPLE_DATA + 600);
        assert_int_equal(vhd_disk_confirm(disk), -ESTALE);
        close_disk(disk);
        disk = open_disk(disks, "top", 0);
        assert_int_equal(vhd_disk_fingerprint(disk, &after), 0);
        assert_false(vhd_fingerprint_is_same(&before, &after));
        close_disk(disk);
    }
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_reader_leaves_the_image_of_another_program),
        SCRATCH_TEST(a_writers_close_leaves_the_image_of_another_program),
        SCRATCH_TEST(a_childs_close_leaves_the_image_of_another_program),
        SCRATCH_TEST(a_fixed_disk_of_another_program_is_not_stamped),
        SCRATCH_TEST(the_image_of_another_program_does_not_grow),
        SCRATCH_TEST(a_restore_beside_a_growth_is_noticed),
        SCRATCH_TEST(recovery_does_not_cut_the_image_of_another_program),
        SCRATCH_TEST(a_written_disk_is_left_with_a_reliable_fingerprint),
        SCRATCH_TEST(an_unwritten_disk_keeps_its_time),
        SCRATCH_TEST(each_file_is_visited_from_the_top),
        SCRATCH_TEST(a_change_of_a_parent_shows),
    };
    return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
