/* SPDX-License-Identifier: MIT */
/*
 * If this fails, the next growth or close cuts or overwrites a disk that another program restores,
 * replaces or removes while it is open: the restored backup is damaged. Or the change stays
 * unnoticed, and programs go on with old data.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "confirm.h"
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

/*
 * What another program does to an image that is open: it changes the file; or, from RENAMED_OVER
 * on, only the name, so that the file stays ours.
 */
enum way { SHORTER, LONGER, OTHER_TABLE, OTHER_FOOTER, RENAMED_OVER, RENAMED_AWAY, GONE, WAYS };

static bool is_file_changed(enum way way)
{
    return way < RENAMED_OVER;
}

static void overwrite_in_place(const char *folder, const char *file, struct sample sample)
{
    int fd = open(scratch_path(folder, file), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, sample.bytes, sample.len, 0), sample.len);
    close(fd);
    free(sample.bytes);
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
        assert_int_equal(vhd_disk_close(disk, &left), is_file_changed(way) ? -ESTALE : 0);
        assert_true(is_zero(&left));
        expect_kept_if_there(*state, kept);
        remove_all(*state);
    }
    disks_close(disks);
}

/* A program that has a file open goes on with it under any name, and without one. */
static void a_file_that_lost_its_name_is_written_to_the_end(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample empty = sample_dynamic(1, 0);
    const size_t clean = empty.len;

    for (enum way way = RENAMED_OVER; way < WAYS; way++) {
        struct vhd_disk *disk = grown(disks, *state, false);
        meddle(*state, way);
        struct kept kept = keep_if_there(*state);
        for (uint32_t block = 2; block < DISK / BLOCK; block++)
            fill(disk, block * BLOCK, 512, 5);
        assert_int_equal(vhd_disk_flush(disk), 0);
        expect(disk, 2 * BLOCK, 512, 5);
        assert_false(vhd_disk_has_failed(disk));
        assert_int_equal(vhd_disk_close(disk, NULL), 0);
        expect_kept_if_there(*state, kept);
        if (way == RENAMED_AWAY) {
            /* It is a whole image without slack. */
            assert_int_equal(rename(scratch_path(*state, "b"), scratch_path(*state, "c.vhd")), 0);
            disk = open_writable(disks, "c");
            expect(disk, 2 * BLOCK, 512, 5);
            const uint64_t length = file_length(*state, "c.vhd");
            assert_true(length > clean);
            close_disk(disk);
            assert_int_equal(file_length(*state, "c.vhd"), length);
            unlink(scratch_path(*state, "c.vhd"));
        }
        remove_all(*state);
    }
    free(empty.bytes);
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
        assert_int_equal(vhd_disk_close(disk, NULL), is_file_changed(way) ? -ESTALE : 0);
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
        assert_int_equal(vhd_disk_close(disk, NULL), is_file_changed(way) ? -ESTALE : 0);
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

    for (enum way way = 0; is_file_changed(way); way++) {
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

    for (enum way way = 0; is_file_changed(way); way++) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_reader_leaves_the_image_of_another_program),
        SCRATCH_TEST(a_writers_close_leaves_the_image_of_another_program),
        SCRATCH_TEST(a_file_that_lost_its_name_is_written_to_the_end),
        SCRATCH_TEST(a_childs_close_leaves_the_image_of_another_program),
        SCRATCH_TEST(a_fixed_disk_of_another_program_is_not_stamped),
        SCRATCH_TEST(the_image_of_another_program_does_not_grow),
        SCRATCH_TEST(a_restore_beside_a_growth_is_noticed),
        SCRATCH_TEST(recovery_does_not_cut_the_image_of_another_program),
    };
    return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
