/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a renamed disk could replace another, be back under its old name after a crash,
 * or be lost to its children.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "disk/disk.h"
#include "disks.h"
#include "fast.h"
#include "operation/rename.h"
#include "sentence.h"

/*
 * The linker leads the library's calls of these here (--wrap). They note the order of the calls,
 * and another program can be faster, or the host can fail.
 */
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat2(int old_dir, const char *old, int dir, const char *name, unsigned flags);
int __wrap_renameat2(int old_dir, const char *old, int dir, const char *name, unsigned flags);

static struct {
    char steps[8]; /* r: renamed, s: folder synced; a letter each */
    ino_t synced;
    unsigned flags;
    const char *rival; /* a file that appears just before the renaming */
    int fsync_errno;
} host;

static void note(char step)
{
    size_t len = strlen(host.steps);
    assert_true(len + 1 < sizeof host.steps);
    host.steps[len] = step;
}

int __wrap_fsync(int fd)
{
    struct stat attributes;

    note('s');
    assert_int_equal(fstat(fd, &attributes), 0);
    host.synced = attributes.st_ino;
    if (host.fsync_errno != 0) {
        errno = host.fsync_errno;
        return -1;
    }
    return __real_fsync(fd);
}

int __wrap_renameat2(int old_dir, const char *old, int dir, const char *name, unsigned flags)
{
    note('r');
    host.flags = flags;
    if (host.rival)
        close(openat(dir, host.rival, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    return __real_renameat2(old_dir, old, dir, name, flags);
}

static void renames(struct disks disks, const char *name, const char *new_name)
{
    struct vhd_verdict verdict = {0};
    memset(host.steps, 0, sizeof host.steps);
    enum vhd_result result = vhd_rename(disks.catalogue, name, new_name, &verdict);
    if (result != VHD_OK)
        print_error("%s\n", verdict.sentence);
    assert_int_equal(result, VHD_OK);
}

static struct vhd_verdict refuses(struct disks disks, const char *name, const char *new_name,
                                  enum vhd_result result)
{
    struct vhd_verdict verdict = {0};
    memset(host.steps, 0, sizeof host.steps);
    assert_int_equal(vhd_rename(disks.catalogue, name, new_name, &verdict), result);
    assert_int_equal(verdict.result, result);
    assert_sentence(verdict.sentence);
    assert_int_equal(vhd_rename(disks.catalogue, name, new_name, NULL), result);
    return verdict;
}

static void gives_a_disk_another_name(void **state)
{
    struct disks disks = disks_open(*state);
    struct stat before, after;

    put(*state, "a.vhd", sample_dynamic(1, 2));
    put(*state, "other.vhd", sample_fixed(2));
    assert_int_equal(stat(scratch_path(*state, "a.vhd"), &before), 0);
    renames(disks, "a", "b");
    assert_false(scratch_has(*state, "a.vhd"));
    assert_int_equal(stat(scratch_path(*state, "b.vhd"), &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    refuses(disks, "a", "c", VHD_PATH_NOT_FOUND);
    renames(disks, "b", "a");
    renames(disks, "a", "A");
    renames(disks, "A", "\u00E4 with blanks");
    assert_true(scratch_has(*state, "\u00E4 with blanks.vhd"));
    assert_true(scratch_has(*state, "other.vhd"));
    assert_int_equal(scratch_count(*state, ""), 2);
    disks_close(disks);
}

static void keeps_the_case_of_the_ending(void **state)
{
    static const char *const endings[] = {".vhd", ".vhD", ".vHd", ".vHD",
                                          ".Vhd", ".VhD", ".VHd", ".VHD"};
    struct disks disks = disks_open(*state);
    char file[32];

    for (size_t i = 0; i < 8; i++) {
        snprintf(file, sizeof file, "old%s", endings[i]);
        put(*state, file, sample_dynamic(1, 1));
        renames(disks, "old", "other name");
        snprintf(file, sizeof file, "other name%s", endings[i]);
        assert_true(scratch_has(*state, file));
        assert_int_equal(scratch_count(*state, ""), 1);
        assert_int_equal(unlink(scratch_path(*state, file)), 0);
    }
    disks_close(disks);
}

/* No disk gets a name that ends like the file of an image; a disk with such a name can lose it. */
static void a_name_that_ends_like_a_file_is_only_left(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "b.vhd.vhd", sample_dynamic(1, 1));
    renames(disks, "b.vhd", "a");
    assert_true(scratch_has(*state, "a.vhd"));
    refuses(disks, "a", "b.vhd", VHD_INVALID_NAME);
    refuses(disks, "a", "b.qcow2", VHD_INVALID_NAME);
    assert_true(scratch_has(*state, "a.vhd"));
    disks_close(disks);
}

static void is_durable_before_it_returns(void **state)
{
    struct disks disks = disks_open(*state);
    struct stat folder;

    put(*state, "a.vhd", sample_dynamic(1, 1));
    memset(&host, 0, sizeof host);
    renames(disks, "a", "b");
    assert_string_equal(host.steps, "rs");
    assert_int_equal(stat(*state, &folder), 0);
    assert_int_equal(host.synced, folder.st_ino);
    assert_int_equal(host.flags, RENAME_NOREPLACE);
    disks_close(disks);
}

static void reports_that_it_is_not_durable(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_verdict verdict = {0};

    put(*state, "a.vhd", sample_dynamic(1, 1));
    memset(&host, 0, sizeof host);
    host.fsync_errno = EIO;
    assert_int_equal(vhd_rename(disks.catalogue, "a", "b", &verdict), VHD_UNEXPECTED);
    assert_int_equal(verdict.result, VHD_UNEXPECTED);
    assert_true(*verdict.sentence);
    memset(&host, 0, sizeof host);
    disks_close(disks);
}

static void replaces_no_other_disk(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, 1));
    put(*state, "b.vhd", sample_fixed(2));
    put(*state, "c.VHD", sample_fixed(3));
    scratch_put(*state, "text.vhd", "no VHD", 6);
    refuses(disks, "a", "b", VHD_ALREADY_EXISTS);
    refuses(disks, "a", "c", VHD_ALREADY_EXISTS);
    refuses(disks, "a", "text", VHD_ALREADY_EXISTS);
    refuses(disks, "a", "a", VHD_ALREADY_EXISTS);

    /* A file that is no disk is in the way as well. */
    assert_int_equal(mkdir(scratch_path(*state, "folder.vhd"), 0777), 0);
    assert_int_equal(symlink("nowhere", scratch_path(*state, "link.vhd")), 0);
    assert_int_equal(mkfifo(scratch_path(*state, "fifo.vhd"), 0666), 0);
    refuses(disks, "a", "folder", VHD_ALREADY_EXISTS);
    refuses(disks, "a", "link", VHD_ALREADY_EXISTS);
    refuses(disks, "a", "fifo", VHD_ALREADY_EXISTS);
    assert_int_equal(scratch_count(*state, ""), 7);
    struct stat attributes;
    assert_int_equal(stat(scratch_path(*state, "b.vhd"), &attributes), 0);
    assert_int_equal(attributes.st_size, SAMPLE_SIZE + 512);
    disks_close(disks);
}

static void a_faster_rival_keeps_the_name(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_verdict verdict = {0};
    struct stat attributes;

    put(*state, "a.vhd", sample_dynamic(1, 1));
    memset(&host, 0, sizeof host);
    host.rival = "b.vhd";
    assert_int_equal(vhd_rename(disks.catalogue, "a", "b", &verdict), VHD_ALREADY_EXISTS);
    assert_sentence(verdict.sentence);
    assert_string_equal(host.steps, "r");
    memset(&host, 0, sizeof host);
    assert_true(scratch_has(*state, "a.vhd"));
    assert_int_equal(stat(scratch_path(*state, "b.vhd"), &attributes), 0);
    assert_int_equal(attributes.st_size, 0);
    disks_close(disks);
}

static void judges_the_new_name(void **state)
{
    const char *const forbidden[] = {"",    ".a",   "-a",  "a~",  "a.",       "a ",   "a/b", "../a",
                                     "a:b", "a\\b", "a?b", "NUL", "COM1.old", "a\nb", "\xFF"};
    struct disks disks = disks_open(*state);
    char name[300];

    put(*state, "a.vhd", sample_dynamic(1, 1));
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        refuses(disks, "a", forbidden[i], VHD_INVALID_NAME);
    memset(name, 'n', sizeof name);
    name[252] = 0;
    refuses(disks, "a", name, VHD_BUFFER_OVERFLOW);
    name[252] = 'n';
    name[299] = 0;
    refuses(disks, "a", name, VHD_BUFFER_OVERFLOW);
    /* The path as Windows would see it: 259 units with its slash and its ending. */
    name[259 - strlen(*state) - 1 - 4 + 1] = 0;
    refuses(disks, "a", name, VHD_BUFFER_OVERFLOW);
    assert_true(scratch_has(*state, "a.vhd"));
    assert_int_equal(scratch_count(*state, ""), 1);
    name[259 - strlen(*state) - 1 - 4] = 0;
    renames(disks, "a", name);
    renames(disks, name, "a");
    disks_close(disks);
}

/* Files that other programs have made may have names that the library refuses. */
static void the_old_name_may_be_any(void **state)
{
    const char *const odd[] = {"a:b", "-x", "trailing ", "NUL", "\xFF", "a~", ".hidden"};
    struct disks disks = disks_open(*state);

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s.vhd", odd[i]);
        put(*state, file, sample_dynamic(1, 1));
        renames(disks, odd[i], "good");
        assert_true(scratch_has(*state, "good.vhd"));
        assert_int_equal(unlink(scratch_path(*state, "good.vhd")), 0);
    }
    disks_close(disks);
}

static void damaged_disks_can_be_renamed(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 1);

    sample_entry(&sample, 2)[0] = 0;
    put(*state, "damaged.vhd", sample);
    scratch_put(*state, "text.vhd", "no VHD", 6);
    put(*state, "ring.vhd", sample_child(2, 2, "ring.vhd"));
    renames(disks, "damaged", "a");
    renames(disks, "text", "b");
    renames(disks, "ring", "c");
    assert_int_equal(scratch_count(*state, ""), 3);
    disks_close(disks);
}

static void other_files_than_disks_are_not_renamed(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct disks disks = disks_open(folder);

    put(*state, "outside.vhd", sample_fixed(1));
    assert_int_equal(mkdir(scratch_path(folder, "folder.vhd"), 0777), 0);
    assert_int_equal(symlink("../outside.vhd", scratch_path(folder, "link.vhd")), 0);
    scratch_put(folder, VHD_OWN_PREFIX "draft-1.vhd", "", 0);
    const char *const names[] = {"folder", "link", "../outside", VHD_OWN_PREFIX "draft-1", "none"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        refuses(disks, names[i], "new", VHD_PATH_NOT_FOUND);
    assert_int_equal(scratch_count(folder, ""), 3);
    assert_true(scratch_has(*state, "outside.vhd"));
    disks_close(disks);
}

/* The order of the reasons: the form of the new name, the disk, its new place, its children. */
static void the_first_reason_is_reported(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    refuses(disks, "none", "a:b", VHD_INVALID_NAME);
    refuses(disks, "none", "child", VHD_PATH_NOT_FOUND);
    refuses(disks, "base", "child", VHD_ALREADY_EXISTS);
    refuses(disks, "base", "new", VHD_IN_USE);
    disks_close(disks);
}

static void a_disk_with_children_keeps_its_name(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    refuses(disks, "base", "new", VHD_IN_USE);
    assert_true(scratch_has(*state, "base.vhd"));
    /* Its child may have another name, and is a child still. */
    renames(disks, "child", "renamed");
    refuses(disks, "base", "new", VHD_IN_USE);
    assert_int_equal(unlink(scratch_path(*state, "renamed.vhd")), 0);
    renames(disks, "base", "new");
    disks_close(disks);
}

static void a_disk_that_is_open_keeps_its_name(void **state)
{
    fast_begin();
    struct disks disks = disks_open(*state);
    struct vhd_disk *disk;

    put(*state, "a.vhd", sample_dynamic(1, 1));
    for (unsigned flags = 0; flags <= VHD_DISK_WRITE; flags++) {
        assert_int_equal(vhd_disk_open(disks.catalogue, "a", flags, &disk, NULL), VHD_OK);
        refuses(disks, "a", "b", VHD_IN_USE);
        assert_true(scratch_has(*state, "a.vhd"));
        assert_int_equal(vhd_disk_close(disk, NULL), 0);
    }
    renames(disks, "a", "b");
    disks_close(disks);
    fast_end();
}

static void rename_without_permission(void *arg)
{
    const struct disks *disks = arg;
    struct vhd_verdict verdict = {0};

    child_drop_root();
    CHILD_EXPECT(vhd_rename(disks->catalogue, "a", "b", &verdict) == VHD_ACCESS_DENIED);
    CHILD_EXPECT(*verdict.sentence);
}

static void needs_permission(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct disks disks = disks_open(folder);

    put(folder, "a.vhd", sample_fixed(1));
    assert_int_equal(chmod(folder, 0555), 0);
    in_child(rename_without_permission, &disks);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_true(scratch_has(folder, "a.vhd"));
    assert_false(scratch_has(folder, "b.vhd"));
    disks_close(disks);
}

static void rename_on_read_only_medium(void *path)
{
    child_mount(path, "size=1m");
    struct disks disks = disks_open(path);
    put(path, "a.vhd", sample_fixed(1));
    child_remount_read_only(path);
    CHILD_EXPECT(vhd_rename(disks.catalogue, "a", "b", NULL) == VHD_READ_ONLY);
    CHILD_EXPECT(scratch_has(path, "a.vhd"));
    disks_close(disks);
}

static void a_read_only_medium_is_left_alone(void **state)
{
    in_child(rename_on_read_only_medium, *state);
}

static int begin(void **state)
{
    memset(&host, 0, sizeof host);
    return scratch_setup(state);
}

int main(void)
{
#define RENAME_TEST(test) cmocka_unit_test_setup_teardown(test, begin, scratch_teardown)
    const struct CMUnitTest tests[] = {
        RENAME_TEST(gives_a_disk_another_name),
        RENAME_TEST(keeps_the_case_of_the_ending),
        RENAME_TEST(a_name_that_ends_like_a_file_is_only_left),
        RENAME_TEST(is_durable_before_it_returns),
        RENAME_TEST(reports_that_it_is_not_durable),
        RENAME_TEST(replaces_no_other_disk),
        RENAME_TEST(a_faster_rival_keeps_the_name),
        RENAME_TEST(judges_the_new_name),
        RENAME_TEST(the_old_name_may_be_any),
        RENAME_TEST(damaged_disks_can_be_renamed),
        RENAME_TEST(other_files_than_disks_are_not_renamed),
        RENAME_TEST(the_first_reason_is_reported),
        RENAME_TEST(a_disk_with_children_keeps_its_name),
        RENAME_TEST(a_disk_that_is_open_keeps_its_name),
        RENAME_TEST(needs_permission),
        RENAME_TEST(a_read_only_medium_is_left_alone),
    };
    return cmocka_run_group_tests_name("rename", tests, NULL, NULL);
}
