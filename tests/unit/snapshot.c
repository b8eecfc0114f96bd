/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a snapshot would lose the content of a disk, or leave names that nobody asked
 * for.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "image/info.h"
#include "operation/blank.h"
#include "operation/link.h"
#include "operation/rename.h"
#include "store/draft.h"
#include "store/lock.h"
#include "store/sweep.h"
#include "verbs.h"

enum { PARENT = 7, ID = 9, OTHER = 11 };

/*
 * The host, which fails as a test wants it: the n-th call from now on, or none.
 */

int __real_fsync(int fd);
int __real_linkat(int old_dir, const char *old, int dir, const char *name, int flags);
int __real_renameat(int old_dir, const char *old, int dir, const char *name);
int __wrap_fsync(int fd);
int __wrap_linkat(int old_dir, const char *old, int dir, const char *name, int flags);
int __wrap_renameat(int old_dir, const char *old, int dir, const char *name);

static struct {
    int syncs, links, renames; /* calls up to the failing one; 0 for none */
    int err;
} failing;

static bool fails(int *calls)
{
    if (*calls == 0 || --*calls > 0)
        return false;
    errno = failing.err;
    return true;
}

int __wrap_fsync(int fd)
{
    return fails(&failing.syncs) ? -1 : __real_fsync(fd);
}

int __wrap_linkat(int old_dir, const char *old, int dir, const char *name, int flags)
{
    return fails(&failing.links) ? -1 : __real_linkat(old_dir, old, dir, name, flags);
}

int __wrap_renameat(int old_dir, const char *old, int dir, const char *name)
{
    return fails(&failing.renames) ? -1 : __real_renameat(old_dir, old, dir, name);
}

static struct vhd_info info_of(struct disks disks, const char *name)
{
    struct vhd_info info;
    assert_int_equal(vhd_info_read_all(disks.catalogue, name, &info), 0);
    if (info.image.fault.defect != VHD_SOUND)
        print_error("%s: %s\n", name, info.image.fault.sentence);
    return info;
}

static struct stat stat_of(struct disks disks, const char *file)
{
    struct stat attributes;
    assert_int_equal(stat(scratch_path(vhd_store_path(disks.store), file), &attributes), 0);
    return attributes;
}

/* "d" has become a sound child of "before", which is the image as it was. */
static void expect_snapshot(struct disks disks, struct kept kept)
{
    const struct vhd_info base = info_of(disks, "before"), child = info_of(disks, "d");

    expect_kept(vhd_store_path(disks.store), "before.vhd", kept);
    assert_int_equal(child.image.fault.defect, VHD_SOUND);
    assert_string_equal(child.parent, "before");
    assert_int_equal(child.image.footer.type, VHD_TYPE_DIFFERENCING);
    assert_int_equal(child.image.footer.current_size, base.image.footer.current_size);
    assert_memory_not_equal(child.image.footer.uuid, base.image.footer.uuid, sizeof(uuid_t));
    assert_int_equal(stat_of(disks, "before.vhd").st_nlink, 1);
    assert_int_equal(scratch_count(vhd_store_path(disks.store), VHD_DRAFT_PREFIX), 0);
}

static void the_disk_goes_on_as_a_child(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "d.vhd", sample_dynamic(ID, 2));
    const struct stat image = stat_of(disks, "d.vhd");
    struct kept kept = keep(*state, "d.vhd");
    assert_int_equal(verb(disks, "d", "snapshot before"), VHD_OK);
    expect_snapshot(disks, kept);
    assert_int_equal(stat_of(disks, "before.vhd").st_ino, image.st_ino);

    /* Both show the content so far; a write changes the disk alone. */
    struct vhd_disk *disk = open_writable(disks, "d");
    expect(disk, 0, (size_t)2 * BLOCK, 0xEE);
    fill(disk, BLOCK, BLOCK, 0x11);
    close_disk(disk);
    disk = open_disk(disks, "before", 0);
    expect(disk, 0, (size_t)2 * BLOCK, 0xEE);
    close_disk(disk);
    disk = open_disk(disks, "d", 0);
    expect(disk, 0, BLOCK, 0xEE);
    expect(disk, BLOCK, BLOCK, 0x11);
    close_disk(disk);
    disks_close(disks);
}

static void every_type_has_snapshots(void **state)
{
    const struct sample samples[] = {sample_fixed(ID), sample_dynamic(ID, 1),
                                     sample_child(ID, PARENT, "base.vhd")};
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(PARENT, 2));
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct timespec old = {VHD_EPOCH + 0x11111111, 0}, times[] = {old, old};
        assert_int_equal(utimensat(AT_FDCWD, scratch_path(*state, "base.vhd"), times, 0), 0);
        put(*state, "d.vhd", samples[i]);
        struct kept kept = keep(*state, "d.vhd");
        assert_int_equal(verb(disks, "d", "snapshot before"), VHD_OK);
        expect_snapshot(disks, kept);
        struct vhd_disk *disk = open_disk(disks, "d", 0);
        expect(disk, 0, BLOCK, 0xEE);
        close_disk(disk);
        assert_int_equal(remove(scratch_path(*state, "d.vhd")), 0);
        assert_int_equal(remove(scratch_path(*state, "before.vhd")), 0);
    }
    disks_close(disks);
}

/* Each keeps what the disk was then. */
static void snapshots_can_follow_each_other(void **state)
{
    static const char *const lines[] = {"snapshot s1", "snapshot s2", "snapshot s3"};
    static const char *const names[] = {"s1", "s2", "s3"};
    struct disks disks = disks_open(*state);

    put(*state, "d.VHD", sample_dynamic(ID, 2));
    for (uint8_t i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_writable(disks, "d");
        fill(disk, 0, 512, i);
        close_disk(disk);
        assert_int_equal(verb(disks, "d", lines[i]), VHD_OK);
    }
    for (uint8_t i = 0; i < 3; i++) {
        struct vhd_disk *disk = open_disk(disks, names[i], 0);
        expect(disk, 0, 512, i);
        close_disk(disk);
    }
    assert_true(scratch_has(*state, "s3.VHD"));
    assert_int_equal(info_of(disks, "d").depth, 4);
    disks_close(disks);
}

static void owner_and_mode_stay(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "d.vhd", sample_dynamic(ID, 2));
    assert_int_equal(chmod(scratch_path(*state, "d.vhd"), 0640), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(scratch_path(*state, "d.vhd"), NOBODY, NOBODY), 0);
    const struct stat image = stat_of(disks, "d.vhd");
    assert_int_equal(verb(disks, "d", "snapshot before"), VHD_OK);
    const struct stat base = stat_of(disks, "before.vhd"), child = stat_of(disks, "d.vhd");
    assert_int_equal(base.st_mode, image.st_mode);
    assert_int_equal(base.st_uid, image.st_uid);
    assert_int_equal(child.st_mode, image.st_mode);
    assert_int_equal(child.st_uid, image.st_uid);
    assert_int_equal(child.st_gid, image.st_gid);
    disks_close(disks);
}

static void it_can_be_undone(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "d.vhd", sample_dynamic(ID, 2));
    struct kept kept = keep(*state, "d.vhd");
    assert_int_equal(verb(disks, "d", "snapshot before"), VHD_OK);
    assert_int_equal(remove(scratch_path(*state, "d.vhd")), 0);
    assert_int_equal(vhd_rename(disks.catalogue, "before", "d", NULL), VHD_OK);
    expect_kept(*state, "d.vhd", kept);
    disks_close(disks);
}

/* A refusal leaves the image, and no other name. */
static void refuse(struct disks disks, const char *line, enum vhd_result expected)
{
    const char *folder = vhd_store_path(disks.store);
    const unsigned count = scratch_count(folder, "");

    refused(disks, "d", line, expected);
    assert_int_equal(scratch_count(folder, ""), count);
    assert_int_equal(stat_of(disks, "d.vhd").st_nlink, 1);
}

static void what_cannot_be_is_refused(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "d.vhd", sample_dynamic(ID, 2));
    put(*state, "other.VHD", sample_dynamic(OTHER, 2));
    assert_int_equal(symlink("nowhere", scratch_path(*state, "link.vhd")), 0);
    refuse(disks, "snapshot .hidden", VHD_INVALID_NAME);
    refuse(disks, "snapshot a:b", VHD_INVALID_NAME);
    refuse(disks, "snapshot d", VHD_ALREADY_EXISTS);
    refuse(disks, "snapshot other", VHD_ALREADY_EXISTS);
    refuse(disks, "snapshot link", VHD_ALREADY_EXISTS);

    struct vhd_disk *reader = open_disk(disks, "d", 0);
    refuse(disks, "snapshot before", VHD_IN_USE);
    close_disk(reader);
    put(*state, "child.vhd", sample_child(3, ID, "d.vhd"));
    refuse(disks, "snapshot before", VHD_IN_USE);
    disks_close(disks);
}

static void a_failing_host_changes_nothing(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "d.vhd", sample_dynamic(ID, 2));
    failing.err = EPERM;
    failing.links = 1;
    refuse(disks, "snapshot before", VHD_NOT_PERMITTED);
    failing.err = EROFS;
    failing.renames = 1;
    refuse(disks, "snapshot before", VHD_READ_ONLY);
    /* The draft, the folder, the folder; then the draft again, and the folder once more. */
    for (int n = 1; n <= 5; n++) {
        failing.syncs = n;
        refuse(disks, "snapshot before", VHD_READ_ONLY);
        assert_int_equal(failing.syncs, 0);
    }
    struct kept kept = keep(*state, "d.vhd");
    assert_int_equal(verb(disks, "d", "snapshot before"), VHD_OK);
    expect_snapshot(disks, kept);
    disks_close(disks);
}

/*
 * The sweep, after a crash between the second name and the rename.
 */

/* Leave the draft of a child, as the snapshot "before" of "d" makes it. */
static void leave_draft(struct disks disks, const char *file)
{
    struct vhd_draft draft;
    struct vhd_link link;
    const char *own;

    struct vhd_disk *disk = open_disk(disks, "d", 0);
    assert_int_equal(vhd_link_rename(disk, "before", file, &link, NULL), VHD_OK);
    struct vhd_blank blank =
        vhd_blank_of(VHD_TYPE_DIFFERENCING, vhd_disk_size(disk), (uuid_t){1}, &link.locators);
    vhd_link_record(&link, &blank.header);
    assert_int_equal(vhd_draft_begin_snapshot(disks.store, vhd_disk_file(disk, &own), &draft), 0);
    assert_int_equal(vhd_blank_write(draft.fd, &blank), 0);
    close(draft.fd);
    close_disk(disk);
    assert_int_equal(scratch_count(vhd_store_path(disks.store), VHD_SNAPSHOT_PREFIX), 1);
}

static void link_to(const char *folder, const char *file, const char *new_file)
{
    assert_int_equal(link(scratch_path(folder, file), scratch_path(folder, new_file)), 0);
}

static void sweep(struct disks disks)
{
    const char *folder = vhd_store_path(disks.store);
    assert_int_equal(vhd_store_sweep(vhd_store_fd(disks.store), folder, NULL), VHD_OK);
    assert_int_equal(scratch_count(folder, VHD_DRAFT_PREFIX), 0);
}

static void a_crash_leaves_no_second_name(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "d.vhd", sample_dynamic(ID, 2));
    struct kept kept = keep(*state, "d.vhd");
    leave_draft(disks, "before.vhd");
    sweep(disks); /* the link was not made */
    leave_draft(disks, "before.vhd");
    link_to(*state, "d.vhd", "before.vhd");
    sweep(disks);
    assert_false(scratch_has(*state, "before.vhd"));
    expect_kept(*state, "d.vhd", kept);
    assert_int_equal(scratch_count(*state, ""), 1);
    disks_close(disks);
}

/* A name that the user made, or the last one of an image, is never removed. */
static void other_names_are_spared(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "d.vhd", sample_dynamic(ID, 2));
    put(*state, "e.vhd", sample_dynamic(ID, 2));
    link_to(*state, "e.vhd", "before.vhd"); /* of another image, even with the same UUID */
    leave_draft(disks, "before.vhd");
    sweep(disks);
    assert_true(scratch_has(*state, "before.vhd"));
    assert_int_equal(remove(scratch_path(*state, "before.vhd")), 0);

    link_to(*state, "d.vhd", "mine.vhd"); /* of the image, by another name than the draft's */
    leave_draft(disks, "before.vhd");
    sweep(disks);
    assert_true(scratch_has(*state, "mine.vhd"));
    assert_int_equal(remove(scratch_path(*state, "mine.vhd")), 0);

    link_to(*state, "d.vhd", "before.vhd"); /* the user has removed the first name */
    leave_draft(disks, "before.vhd");
    assert_int_equal(remove(scratch_path(*state, "d.vhd")), 0);
    sweep(disks);
    assert_true(scratch_has(*state, "before.vhd"));

    link_to(*state, "before.vhd", "backup"); /* or has given it a name that is no disk's */
    link_to(*state, "before.vhd", "d.vhd");
    leave_draft(disks, "before.vhd");
    assert_int_equal(remove(scratch_path(*state, "d.vhd")), 0);
    sweep(disks);
    assert_true(scratch_has(*state, "before.vhd"));
    disks_close(disks);
}

/* A draft that does not say which name it is for leads nowhere. */
static void half_a_draft_is_removed_alone(void **state)
{
    static const char *const bad[] = {"", "zz-1", "1", "-", "7fffffffffffffffffffffff-1"};
    struct disks disks = disks_open(*state);

    put(*state, "d.vhd", sample_dynamic(ID, 2));
    link_to(*state, "d.vhd", "before.vhd");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char file[NAME_MAX + 1];
        snprintf(file, sizeof file, VHD_SNAPSHOT_PREFIX "%s", bad[i]);
        put(*state, file, sample_child(3, ID, "before.vhd"));
        sweep(disks);
        scratch_put(*state, file, "half", 4);
        sweep(disks);
    }
    const char *const names[] = {"../x/before.vhd", ".vhd", "", "before", ".hidden.vhd"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[NAME_MAX + 1];
        snprintf(file, sizeof file, VHD_SNAPSHOT_PREFIX "%llx-1",
                 (unsigned long long)stat_of(disks, "d.vhd").st_ino);
        put(*state, file, sample_child(3, ID, names[i]));
        sweep(disks);
    }
    assert_true(scratch_has(*state, "before.vhd"));
    assert_true(scratch_has(*state, "d.vhd"));
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_disk_goes_on_as_a_child),
        SCRATCH_TEST(every_type_has_snapshots),
        SCRATCH_TEST(snapshots_can_follow_each_other),
        SCRATCH_TEST(owner_and_mode_stay),
        SCRATCH_TEST(it_can_be_undone),
        SCRATCH_TEST(what_cannot_be_is_refused),
        SCRATCH_TEST(a_failing_host_changes_nothing),
        SCRATCH_TEST(a_crash_leaves_no_second_name),
        SCRATCH_TEST(other_names_are_spared),
        SCRATCH_TEST(half_a_draft_is_removed_alone),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
