/* SPDX-License-Identifier: MIT */
/*
 * If this failed, the list would lack disks, show them twice or mix them up.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "folder.h"
#include "scratch.h"
#include "store/store.h"

static void finds_any_case_of_the_ending(void **state)
{
    static const char *const endings[] = {".vhd", ".vhD", ".vHd", ".vHD",
                                          ".Vhd", ".VhD", ".VHd", ".VHD"};
    struct vhd_store *store = open_store(*state, 0);
    struct stat attributes;
    char file[NAME_MAX + 1], put[32];

    for (size_t i = 0; i < 8; i++) {
        snprintf(put, sizeof put, "disk%s", endings[i]);
        assert_int_equal(vhd_store_find(store, "disk", file, NULL), -ENOENT);
        scratch_put(*state, put, "1234567", i);
        assert_int_equal(vhd_store_find(store, "disk", file, &attributes), 0);
        assert_string_equal(file, put);
        assert_int_equal(attributes.st_size, i);
        assert_int_equal(vhd_store_find(store, "DISK", file, NULL), -ENOENT);
        assert_int_equal(unlink(scratch_path(*state, put)), 0);
    }
    vhd_store_unref(store);
}

static void finds_the_plain_ending_first(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    char file[NAME_MAX + 1];

    scratch_put(*state, "a.VHD", "", 0);
    scratch_put(*state, "a.vhd", "", 0);
    assert_int_equal(vhd_store_find(store, "a", file, NULL), 0);
    assert_string_equal(file, "a.vhd");
    /* A name that is no regular file does not hide one that is. */
    assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    assert_int_equal(mkdir(scratch_path(*state, "a.vhd"), 0777), 0);
    assert_int_equal(vhd_store_find(store, "a", file, NULL), 0);
    assert_string_equal(file, "a.VHD");
    vhd_store_unref(store);
}

static void finds_a_rival_of_an_image(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    char other[NAME_MAX + 1];

    scratch_put(*state, "a.vhd", "1", 1);
    scratch_put(*state, "b.VHD", "1", 1);
    scratch_put(*state, "ab.vhd", "1", 1);
    assert_false(vhd_store_find_rival(store, "a.vhd", other));
    assert_false(vhd_store_find_rival(store, "b.VHD", other));
    assert_false(vhd_store_find_rival(store, "c.vhd", other));
    assert_int_equal(mkdir(scratch_path(*state, "a.VHD"), 0777), 0);
    assert_false(vhd_store_find_rival(store, "a.vhd", other));
    scratch_put(*state, "a.vhD", "1", 1);
    assert_true(vhd_store_find_rival(store, "a.vhd", other));
    assert_string_equal(other, "a.vhD");
    char *image = strdup(scratch_path(*state, "b.VHD"));
    assert_int_equal(link(image, scratch_path(*state, "b.Vhd")), 0);
    assert_false(vhd_store_find_rival(store, "b.VHD", other)); /* the same image */
    free(image);
    vhd_store_unref(store);
}

static void finds_nothing_but_regular_files_of_its_own(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder, VHD_STORE_OWN);
    char file[NAME_MAX + 1], longest[NAME_MAX + 8];

    scratch_put(*state, "outside.vhd", "", 0);
    scratch_put(folder, "real.vhd", "", 0);
    scratch_put(folder, "plain", "", 0);
    scratch_put(folder, ".vhdfs-x.vhd", "", 0);
    assert_int_equal(mkdir(scratch_path(folder, "folder.vhd"), 0777), 0);
    assert_int_equal(mkfifo(scratch_path(folder, "fifo.vhd"), 0666), 0);
    assert_int_equal(symlink("real.vhd", scratch_path(folder, "link.vhd")), 0);
    const char *const names[] = {"folder", "fifo",     "link",       "plain",  ".vhdfs-x",
                                 "none",   "real.vhd", "../outside", "./real", "/etc/passwd"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(vhd_store_find(store, names[i], file, NULL), -ENOENT);

    memset(longest, 'n', sizeof longest);
    strcpy(longest + NAME_MAX - 4, ".vhd");
    scratch_put(folder, longest, "", 0);
    longest[NAME_MAX - 4] = 0;
    assert_int_equal(vhd_store_find(store, longest, file, NULL), 0);
    assert_int_equal(strlen(file), NAME_MAX);
    memset(longest, 'n', NAME_MAX);
    for (size_t len = NAME_MAX - 3; len <= NAME_MAX + 1; len++) {
        longest[len - 1] = 'n';
        longest[len] = 0;
        assert_int_equal(vhd_store_find(store, longest, file, NULL), -ENOENT);
    }
    vhd_store_unref(store);
}

struct listing {
    unsigned calls;
    char names[16][NAME_MAX + 1], files[16][NAME_MAX + 1];
    struct stat attributes[16];
    int answer; /* to the second call */
};

static int note(void *arg, const struct vhd_file *file)
{
    struct listing *listing = arg;
    assert_true(listing->calls < 16);
    snprintf(listing->names[listing->calls], NAME_MAX + 1, "%s", file->name);
    snprintf(listing->files[listing->calls], NAME_MAX + 1, "%s", file->file);
    listing->attributes[listing->calls++] = file->attributes;
    return listing->calls == 2 ? listing->answer : 0;
}

static unsigned listed(const struct listing *listing, const char *name)
{
    unsigned times = 0;
    for (unsigned i = 0; i < listing->calls; i++)
        times += strcmp(listing->names[i], name) == 0;
    return times;
}

static void lists_each_disk_once(void **state)
{
    struct vhd_store *store = open_store(*state, VHD_STORE_OWN);
    const char *const disks[] = {"one.vhd",        "two.VHD",      "both.vhd", "both.VHD",
                                 "with blank.vhd", "\xC3\xA4.vhd", "a.vhd.vhd"};
    const char *const others[] = {".vhd", "three.vhd.bak", "four.vhdx", "plain",
                                  ".vhdfs-draft-5.vhd"};
    struct listing listing = {0};

    assert_int_equal(vhd_store_each(store, note, &listing), 0);
    assert_int_equal(listing.calls, 0);
    for (size_t i = 0; i < sizeof disks / sizeof *disks; i++)
        scratch_put(*state, disks[i], "no VHD at all", 13);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        scratch_put(*state, others[i], "", 0);
    assert_int_equal(mkdir(scratch_path(*state, "folder.vhd"), 0777), 0);
    assert_int_equal(mkfifo(scratch_path(*state, "fifo.vhd"), 0666), 0);
    assert_int_equal(symlink("one.vhd", scratch_path(*state, "link.vhd")), 0);

    for (int again = 0; again < 2; again++) {
        listing.calls = 0;
        assert_int_equal(vhd_store_each(store, note, &listing), 0);
        assert_int_equal(listing.calls, 6);
        assert_int_equal(listed(&listing, "one"), 1);
        assert_int_equal(listed(&listing, "two"), 1);
        assert_int_equal(listed(&listing, "both"), 1);
        assert_int_equal(listed(&listing, "with blank"), 1);
        assert_int_equal(listed(&listing, "\xC3\xA4"), 1);
        assert_int_equal(listed(&listing, "a.vhd"), 1);
    }
    vhd_store_unref(store);
}

static void lists_snapshots_as_images(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    const char *const files[] = {"one.vhd", "one.avhd", "two.AvHd", ".avhd", ".x.avhd", "x.avhdx"};
    struct listing listing = {0};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        scratch_put(*state, files[i], "no VHD at all", 13);
    assert_int_equal(mkdir(scratch_path(*state, "folder.avhd"), 0777), 0);
    assert_int_equal(vhd_store_each_image(store, note, &listing), 0);
    assert_int_equal(listing.calls, 3);
    assert_int_equal(listed(&listing, "one"), 1);
    assert_int_equal(listed(&listing, "one.avhd"), 1);
    assert_int_equal(listed(&listing, "two.AvHd"), 1);
    for (unsigned i = 0; i < listing.calls; i++)
        assert_int_equal(listing.attributes[i].st_size, 13);
    listing.calls = 0;
    assert_int_equal(vhd_store_each(store, note, &listing), 0);
    assert_int_equal(listing.calls, 1);
    vhd_store_unref(store);
}

static void knows_files_that_are_no_disks(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder, 0);

    scratch_put(folder, "base.img", "", 0);
    scratch_put(folder, "base.avhd", "", 0);
    scratch_put(folder, "base.vhd", "", 0);
    scratch_put(folder, "base.VHD", "", 0);
    scratch_put(folder, ".hidden", "", 0);
    scratch_put(*state, "outside", "", 0);
    assert_int_equal(mkfifo(scratch_path(folder, "fifo"), 0666), 0);
    assert_int_equal(mkdir(scratch_path(folder, "folder"), 0777), 0);
    assert_int_equal(symlink("base.img", scratch_path(folder, "link")), 0);
    scratch_put(scratch_path(folder, "folder"), "inside", "", 0);
    assert_true(vhd_store_has_other(store, "base.img"));
    assert_true(vhd_store_has_other(store, "base.avhd"));
    const char *const none[] = {"base.vhd", "base.VHD",      ".hidden",    "fifo", "folder", "link",
                                "gone",     "folder/inside", "../outside", "",     ".",      ".."};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(vhd_store_has_other(store, none[i]));
    vhd_store_unref(store);
}

/* The attributes are those of the file that was found under the name. */
static void reports_the_file_of_each_disk(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    struct listing listing = {0};
    struct stat attributes;
    char file[NAME_MAX + 1];

    scratch_put(*state, "one.vhd", "12345", 5);
    scratch_put(*state, "two.VHD", "1234567", 7);
    scratch_put(*state, "both.vHd", "12", 2);
    scratch_put(*state, "both.vhd", "1", 1);
    assert_int_equal(vhd_store_each(store, note, &listing), 0);
    assert_int_equal(listing.calls, 3);
    assert_int_equal(listed(&listing, "both"), 1);
    for (unsigned i = 0; i < listing.calls; i++) {
        assert_int_equal(vhd_store_find(store, listing.names[i], file, &attributes), 0);
        assert_string_equal(listing.files[i], file);
        assert_int_equal(listing.attributes[i].st_ino, attributes.st_ino);
        assert_int_equal(listing.attributes[i].st_size, attributes.st_size);
        assert_int_equal(listing.attributes[i].st_ctim.tv_nsec, attributes.st_ctim.tv_nsec);
        assert_true(S_ISREG(listing.attributes[i].st_mode));
        if (strcmp(listing.names[i], "two") == 0)
            assert_string_equal(file, "two.VHD");
        if (strcmp(listing.names[i], "both") == 0)
            assert_int_equal(attributes.st_size, 1);
    }
    vhd_store_unref(store);
}

static void list_without_permission(void *path)
{
    struct vhd_store *store;
    struct listing listing = {0};

    child_drop_root();
    CHILD_EXPECT(vhd_store_open(path, 0, &store, NULL) == VHD_OK);
    scratch_put(path, "a.vhd", "", 0);
    CHILD_EXPECT(chmod(path, 0300) == 0);
    CHILD_EXPECT(vhd_store_each(store, note, &listing) == -EACCES);
    CHILD_EXPECT(listing.calls == 0);
    CHILD_EXPECT(chmod(path, 0700) == 0);
    CHILD_EXPECT(vhd_store_each(store, note, &listing) == 0);
    CHILD_EXPECT(listing.calls == 1);
    vhd_store_unref(store);
}

static void reports_a_folder_that_it_may_not_list(void **state)
{
    in_child(list_without_permission, scratch_folder_of_nobody(*state));
}

static void a_visit_can_end_the_listing(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    struct listing listing = {.answer = 42};

    scratch_put(*state, "a.vhd", "", 0);
    scratch_put(*state, "b.vhd", "", 0);
    scratch_put(*state, "c.vhd", "", 0);
    assert_int_equal(vhd_store_each(store, note, &listing), 42);
    assert_int_equal(listing.calls, 2);
    vhd_store_unref(store);
}

static void an_unlisted_file_is_not_found(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    char file[NAME_MAX + 1];

    const char *const names[] = {"", ".", ".."};
    const char *const files[] = {".vhd", "..vhd", "...vhd"};
    struct listing listing = {0};

    for (size_t i = 0; i < 3; i++) {
        scratch_put(*state, files[i], "", 0);
        assert_int_equal(vhd_store_find(store, names[i], file, NULL), -ENOENT);
    }
    assert_int_equal(vhd_store_each(store, note, &listing), 0);
    assert_int_equal(listing.calls, 0);
    vhd_store_unref(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(finds_any_case_of_the_ending),
        SCRATCH_TEST(finds_a_rival_of_an_image),
        SCRATCH_TEST(finds_the_plain_ending_first),
        SCRATCH_TEST(finds_nothing_but_regular_files_of_its_own),
        SCRATCH_TEST(lists_each_disk_once),
        SCRATCH_TEST(lists_snapshots_as_images),
        SCRATCH_TEST(knows_files_that_are_no_disks),
        SCRATCH_TEST(reports_the_file_of_each_disk),
        SCRATCH_TEST(reports_a_folder_that_it_may_not_list),
        SCRATCH_TEST(a_visit_can_end_the_listing),
        SCRATCH_TEST(an_unlisted_file_is_not_found),
    };
    return cmocka_run_group_tests_name("store_list", tests, NULL, NULL);
}
