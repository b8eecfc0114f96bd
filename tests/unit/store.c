/* SPDX-License-Identifier: MIT */
/*
 * If this failed, the list would lack disks, show them twice or mix them up, and two daemons could
 * work on one store and spoil its disks.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scratch.h"
#include "store/draft.h"
#include "store/lock.h"
#include "store/store.h"
#include "store/sweep.h"

static struct vhd_store *open_store(const char *path, unsigned flags)
{
    struct vhd_store *store;
    struct vhd_verdict verdict;
    assert_int_equal(vhd_store_open(path, flags, &store, &verdict), VHD_OK);
    return store;
}

static void refuses(const char *path, unsigned flags, enum vhd_result result)
{
    struct vhd_store *store = NULL;
    struct vhd_verdict verdict = {0};

    assert_int_equal(vhd_store_open(path, flags, &store, &verdict), result);
    assert_null(store);
    assert_int_equal(verdict.result, result);
    assert_true(*verdict.sentence);
}

static void makes_the_last_component(void **state)
{
    const char *path = scratch_path(*state, "store");
    struct vhd_store *store = open_store(path, VHD_STORE_OWN);

    assert_string_equal(vhd_store_path(store), path);
    assert_int_equal(vhd_store_sync(store), 0);
    vhd_store_unref(store);
    struct stat attributes;
    assert_int_equal(stat(path, &attributes), 0);
    assert_true(S_ISDIR(attributes.st_mode));

    store = open_store(scratch_path(*state, "slash/"), 0);
    vhd_store_unref(store);
    assert_true(scratch_has(*state, "slash"));
}

static void makes_no_more_than_the_last_component(void **state)
{
    refuses(scratch_path(*state, "a/b"), 0, VHD_PATH_NOT_FOUND);
    refuses(scratch_path(*state, "a/b/c"), VHD_STORE_OWN, VHD_PATH_NOT_FOUND);
    refuses("", 0, VHD_PATH_NOT_FOUND);
    assert_int_equal(scratch_count(*state, ""), 0);
}

static void is_a_directory(void **state)
{
    scratch_put(*state, "file", "x", 1);
    assert_int_equal(symlink("nowhere", scratch_path(*state, "dangling")), 0);
    refuses(scratch_path(*state, "file"), 0, VHD_PATH_NOT_FOUND);
    refuses(scratch_path(*state, "file/store"), 0, VHD_PATH_NOT_FOUND);
    refuses(scratch_path(*state, "dangling"), 0, VHD_PATH_NOT_FOUND);
    assert_int_equal(scratch_count(*state, ""), 2);
}

static void knows_its_path_without_symlinks(void **state)
{
    assert_int_equal(mkdir(scratch_path(*state, "real"), 0777), 0);
    assert_int_equal(symlink("real", scratch_path(*state, "link")), 0);
    struct vhd_store *store = open_store(scratch_path(*state, "link"), 0);
    assert_string_equal(vhd_store_path(store), scratch_path(*state, "real"));
    vhd_store_unref(store);

    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(before >= 0);
    assert_int_equal(chdir(*state), 0);
    store = open_store("relative", 0);
    assert_int_equal(fchdir(before), 0);
    close(before);
    assert_string_equal(vhd_store_path(store), scratch_path(*state, "relative"));
    scratch_put(vhd_store_path(store), "a.vhd", "", 0);
    char file[NAME_MAX + 1];
    assert_int_equal(vhd_store_find(store, "a", file, NULL), 0);
    vhd_store_unref(store);
}

static void removes_a_store_that_it_made_only_if_empty(void **state)
{
    const char *path = scratch_path(*state, "store");
    struct vhd_store *store = open_store(path, 0);
    vhd_store_remove_if_unused(store);
    vhd_store_unref(store);
    assert_false(scratch_has(*state, "store"));

    store = open_store(path, 0);
    scratch_put(path, "a.vhd", "", 0);
    vhd_store_remove_if_unused(store);
    vhd_store_unref(store);
    assert_true(scratch_has(*state, "store"));

    assert_int_equal(unlink(scratch_path(path, "a.vhd")), 0);
    store = open_store(path, 0);
    vhd_store_remove_if_unused(store);
    vhd_store_unref(store);
    assert_true(scratch_has(*state, "store"));
}

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

static mode_t mode_of(const struct vhd_store *store, const char *file)
{
    struct stat attributes;

    assert_int_equal(fstatat(vhd_store_fd(store), file, &attributes, AT_SYMLINK_NOFOLLOW), 0);
    return attributes.st_mode & 07777;
}

static void sets_permissions_and_no_other_bits(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    scratch_put(*state, "a.vhd", "1", 1);
    assert_int_equal(chmod(scratch_path(*state, "a.vhd"), 02751), 0);
    assert_int_equal(vhd_store_set_permissions(store, "a.vhd", 0606), 0);
    assert_int_equal(mode_of(store, "a.vhd"), 02717);
    assert_int_equal(vhd_store_set_permissions(store, "a.vhd", 07777), 0);
    assert_int_equal(mode_of(store, "a.vhd"), 02777);
    assert_int_equal(vhd_store_set_permissions(store, "a.vhd", 0), 0);
    assert_int_equal(mode_of(store, "a.vhd"), 02111);
    assert_int_equal(vhd_store_set_permissions(store, "b.vhd", 0600), -ENOENT);

    /* A symlink is not followed. */
    assert_int_equal(symlink("a.vhd", scratch_path(*state, "link.vhd")), 0);
    assert_int_not_equal(vhd_store_set_permissions(store, "link.vhd", 0666), 0);
    assert_int_equal(mode_of(store, "a.vhd"), 02111);
    vhd_store_unref(store);
}

static void sets_the_owner(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    struct stat attributes;

    scratch_put(*state, "a.vhd", "1", 1);
    assert_int_equal(vhd_store_set_owner(store, "a.vhd", (uid_t)-1, getegid()), 0);
    assert_int_equal(vhd_store_set_owner(store, "a.vhd", geteuid(), (gid_t)-1), 0);
    assert_int_equal(vhd_store_set_owner(store, "b.vhd", geteuid(), getegid()), -ENOENT);
    if (geteuid() == 0) {
        assert_int_equal(vhd_store_set_owner(store, "a.vhd", 12, 34), 0);
        assert_int_equal(vhd_store_set_owner(store, "a.vhd", (uid_t)-1, 56), 0);
        assert_int_equal(fstatat(vhd_store_fd(store), "a.vhd", &attributes, 0), 0);
        assert_int_equal(attributes.st_uid, 12);
        assert_int_equal(attributes.st_gid, 56);
    } else {
        assert_int_equal(vhd_store_set_owner(store, "a.vhd", 0, (gid_t)-1), -EPERM);
    }
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

/* This open neither waits for the writer of a FIFO nor follows a symlink. */
static void opens_a_file_without_lock(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder, 0);
    struct stat attributes;
    char buf[8];

    scratch_put(*state, "outside.vhd", "", 0);
    scratch_put(folder, "a.vhd", "12345", 5);
    assert_int_equal(symlink("../outside.vhd", scratch_path(folder, "link.vhd")), 0);
    assert_int_equal(mkfifo(scratch_path(folder, "fifo.vhd"), 0666), 0);
    assert_int_equal(vhd_store_open_unlocked(store, "none.vhd"), -ENOENT);
    assert_int_equal(vhd_store_open_unlocked(store, "link.vhd"), -ELOOP);
    int fifo = vhd_store_open_unlocked(store, "fifo.vhd");
    assert_true(fifo >= 0);
    close(fifo);

    int fd = vhd_store_open_unlocked(store, "a.vhd");
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(read(fd, buf, sizeof buf), 5);
    assert_int_equal(fstat(fd, &attributes), 0);
    assert_int_equal(attributes.st_size, 5);
    close(fd);
    vhd_store_unref(store);
}

static void open_without_permission(void *store)
{
    child_drop_root();
    CHILD_EXPECT(vhd_store_open_unlocked(store, "a.vhd") == -EACCES);
}

static void reports_missing_permission_to_open(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    scratch_put(*state, "a.vhd", "", 0);
    assert_int_equal(chmod(scratch_path(*state, "a.vhd"), 0), 0);
    in_child(open_without_permission, store);
    vhd_store_unref(store);
}

/* No lock is taken, so other users of the image are not disturbed. */
static void an_unlocked_open_disturbs_nobody(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    scratch_put(*state, "a.vhd", "12345", 5);
    int user = open(scratch_path(*state, "a.vhd"), O_RDWR | O_CLOEXEC);
    assert_true(user >= 0);
    assert_int_equal(vhd_draft_lock(user), 0);
    int unlocked = vhd_store_open_unlocked(store, "a.vhd");
    assert_true(unlocked >= 0);
    close(user);
    user = open(scratch_path(*state, "a.vhd"), O_RDWR | O_CLOEXEC);
    assert_true(user >= 0);
    assert_int_equal(vhd_draft_lock(user), 0);
    close(user);
    close(unlocked);
    vhd_store_unref(store);
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

static void has_one_owner_in_a_process(void **state)
{
    struct vhd_store *owner = open_store(*state, VHD_STORE_OWN);

    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    refuses(*state, VHD_STORE_OWN | VHD_STORE_READ_ONLY, VHD_IN_USE);
    vhd_store_unref(open_store(*state, 0)); /* an open without ownership succeeds */
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);

    assert_ptr_equal(vhd_store_ref(owner), owner);
    vhd_store_unref(owner);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    vhd_store_unref(owner);
    vhd_store_unref(NULL);
    vhd_store_unref(open_store(*state, VHD_STORE_OWN));
    assert_true(scratch_has(*state, VHD_LOCK_FILE));
}

static void try_to_own(void *path)
{
    struct vhd_store *store;
    struct vhd_verdict verdict;

    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN, &store, &verdict) == VHD_IN_USE);
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN | VHD_STORE_READ_ONLY, &store, &verdict) ==
                 VHD_IN_USE);
    CHILD_EXPECT(vhd_store_open(path, 0, &store, &verdict) == VHD_OK);
    vhd_store_unref(store);
}

static void has_one_owner_among_processes(void **state)
{
    struct vhd_store *owner = open_store(*state, VHD_STORE_OWN);
    in_child(try_to_own, *state);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    vhd_store_unref(owner);
}

/* A process that owns a store until it is killed. */
struct owner {
    const char *path;
    unsigned flags;
    int told[2]; /* pipe: it owns the store now */
};

static void own_until_killed(void *arg)
{
    struct owner *owner = arg;
    struct vhd_store *store;

    CHILD_EXPECT(vhd_store_open(owner->path, owner->flags, &store, NULL) == VHD_OK);
    CHILD_EXPECT(write(owner->told[1], "x", 1) == 1);
    for (;;)
        pause();
}

static void a_killed_owner_leaves_the_store(void **state)
{
    struct owner owner = {.path = *state, .flags = VHD_STORE_OWN};
    char byte;

    assert_int_equal(pipe2(owner.told, O_CLOEXEC), 0);
    pid_t pid = child_begin(own_until_killed, &owner);
    assert_int_equal(read(owner.told[0], &byte, 1), 1);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(child_end(pid), -SIGKILL);
    vhd_store_unref(open_store(*state, VHD_STORE_OWN));
    close(owner.told[0]);
    close(owner.told[1]);
}

static void read_only_owners_share(void **state)
{
    const unsigned shared = VHD_STORE_OWN | VHD_STORE_READ_ONLY;
    struct owner owner = {.path = *state, .flags = shared};
    char byte;

    struct vhd_store *first = open_store(*state, shared);
    struct vhd_store *second = open_store(*state, shared);
    assert_int_equal(pipe2(owner.told, O_CLOEXEC), 0);
    pid_t pid = child_begin(own_until_killed, &owner);
    assert_int_equal(read(owner.told[0], &byte, 1), 1);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    vhd_store_unref(first);
    vhd_store_unref(second);
    refuses(*state, VHD_STORE_OWN, VHD_IN_USE);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(child_end(pid), -SIGKILL);
    vhd_store_unref(open_store(*state, VHD_STORE_OWN));
    close(owner.told[0]);
    close(owner.told[1]);
}

static void own_without_permission(void *path)
{
    struct vhd_store *store;
    struct vhd_verdict verdict;

    child_drop_root();
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN, &store, &verdict) == VHD_ACCESS_DENIED);
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN | VHD_STORE_READ_ONLY, &store, &verdict) ==
                 VHD_OK);
    vhd_store_unref(store);
    CHILD_EXPECT(vhd_store_open(scratch_path(path, "new"), 0, &store, &verdict) ==
                 VHD_ACCESS_DENIED);
}

static void a_folder_without_permission_is_only_read(void **state)
{
    const char *path = scratch_path(*state, "store");
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(chmod(path, 0555), 0);
    in_child(own_without_permission, (void *)path);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(scratch_count(path, ""), 0);
}

static void own_on_read_only_medium(void *path)
{
    struct vhd_store *store;
    struct vhd_verdict verdict;

    child_mount(path, "size=1m");
    child_remount_read_only(path);
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN, &store, &verdict) == VHD_READ_ONLY);
    CHILD_EXPECT(vhd_store_open(scratch_path(path, "new"), 0, &store, &verdict) == VHD_READ_ONLY);
    CHILD_EXPECT(vhd_store_open(path, VHD_STORE_OWN | VHD_STORE_READ_ONLY, &store, &verdict) ==
                 VHD_OK);
    vhd_store_unref(store);
}

static void a_read_only_medium_is_only_read(void **state)
{
    in_child(own_on_read_only_medium, *state);
}

static void only_a_writing_owner_sweeps(void **state)
{
    scratch_put(*state, VHD_DRAFT_PREFIX "1", "half", 4);
    vhd_store_unref(open_store(*state, 0));
    vhd_store_unref(open_store(*state, VHD_STORE_OWN | VHD_STORE_READ_ONLY));
    assert_true(scratch_has(*state, VHD_DRAFT_PREFIX "1"));
    vhd_store_unref(open_store(*state, VHD_STORE_OWN));
    assert_false(scratch_has(*state, VHD_DRAFT_PREFIX "1"));
}

static void reports_its_volume(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    struct statvfs ours, theirs;

    assert_int_equal(vhd_store_statvfs(store, &ours), 0);
    assert_int_equal(statvfs(*state, &theirs), 0);
    assert_int_equal(ours.f_fsid, theirs.f_fsid);
    assert_int_equal(ours.f_blocks, theirs.f_blocks);
    assert_int_equal(ours.f_frsize, theirs.f_frsize);
    vhd_store_unref(store);
}

static void opens_again_in_another_way(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    char bytes[4] = "";

    scratch_put(*state, "a.vhd", "data", 4);
    int fd = vhd_store_open_unlocked(store, "a.vhd");
    assert_true(fd >= 0);
    int again = vhd_store_open_again(store, "a.vhd", fd, O_RDWR);
    assert_true(again >= 0);
    assert_int_equal(fcntl(again, F_GETFL) & O_ACCMODE, O_RDWR);
    assert_int_equal(fcntl(again, F_GETFD), FD_CLOEXEC);
    assert_int_equal(pwrite(again, "DA", 2, 0), 2);
    assert_int_equal(pread(fd, bytes, 4, 0), 4);
    assert_memory_equal(bytes, "DAta", 4);
    close(again);
    close(fd);
    vhd_store_unref(store);
}

/* Two files of the same content; the first, a.vhd, is opened. */
static int open_one_of_two(const struct vhd_store *store, const char *folder)
{
    scratch_put(folder, "a.vhd", "data", 4);
    scratch_put(folder, "b.vhd", "data", 4);
    int fd = vhd_store_open_unlocked(store, "a.vhd");
    assert_true(fd >= 0);
    return fd;
}

/* Another program may have put another file there meanwhile. */
static void does_not_open_another_file_for_it(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    const char *path = scratch_path(*state, "a.vhd");

    int fd = open_one_of_two(store, *state);
    assert_int_equal(vhd_store_open_again(store, "b.vhd", fd, O_RDWR), -ESTALE);
    assert_int_equal(vhd_store_open_again(store, "none.vhd", fd, O_RDWR), -ENOENT);
    assert_int_equal(link(path, scratch_path(*state, "link.vhd")), 0);
    int again = vhd_store_open_again(store, "link.vhd", fd, O_RDWR);
    assert_true(again >= 0); /* it is the same file */
    close(again);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("link.vhd", path), 0);
    assert_int_equal(vhd_store_open_again(store, "a.vhd", fd, O_RDWR), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(vhd_store_open_again(store, "a.vhd", fd, O_RDWR), -ESTALE);
    close(fd);
    vhd_store_unref(store);
}

static void confirms_that_a_name_leads_to_the_open_file(void **state)
{
    struct vhd_store *store = open_store(*state, 0);
    const char *path = scratch_path(*state, "a.vhd");

    int fd = open_one_of_two(store, *state);
    assert_int_equal(vhd_store_confirm(store, "a.vhd", fd), 0);
    assert_int_equal(vhd_store_confirm(store, "b.vhd", fd), -ESTALE);
    assert_int_equal(vhd_store_confirm(store, "none.vhd", fd), -ESTALE);
    assert_int_equal(link(path, scratch_path(*state, "link.vhd")), 0);
    assert_int_equal(vhd_store_confirm(store, "link.vhd", fd), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(vhd_store_confirm(store, "a.vhd", fd), -ESTALE);
    assert_int_equal(symlink("link.vhd", path), 0);
    assert_int_equal(vhd_store_confirm(store, "a.vhd", fd), -ESTALE);
    close(fd);
    assert_int_equal(vhd_store_confirm(store, "a.vhd", fd), -EBADF);
    vhd_store_unref(store);
}

static void open_again_without_permission(void *arg)
{
    const struct vhd_store *store = arg;

    child_drop_root();
    int fd = vhd_store_open_unlocked(store, "a.vhd");
    CHILD_EXPECT(fd >= 0);
    CHILD_EXPECT(vhd_store_open_again(store, "a.vhd", fd, O_RDWR) == -EACCES);
}

static void reports_missing_permission_to_open_again(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    scratch_put(*state, "a.vhd", "data", 4);
    assert_int_equal(chmod(scratch_path(*state, "a.vhd"), 0444), 0);
    in_child(open_again_without_permission, store);
    vhd_store_unref(store);
}

static void reports_how_files_grow_on_its_volume(void **state)
{
    struct vhd_store *store = open_store(*state, 0);

    assert_int_equal(vhd_store_growth(store), vhd_volume_growth(vhd_store_fd(store)));
    vhd_store_unref(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(makes_the_last_component),
        SCRATCH_TEST(makes_no_more_than_the_last_component),
        SCRATCH_TEST(is_a_directory),
        SCRATCH_TEST(knows_its_path_without_symlinks),
        SCRATCH_TEST(removes_a_store_that_it_made_only_if_empty),
        SCRATCH_TEST(finds_any_case_of_the_ending),
        SCRATCH_TEST(finds_a_rival_of_an_image),
        SCRATCH_TEST(sets_permissions_and_no_other_bits),
        SCRATCH_TEST(sets_the_owner),
        SCRATCH_TEST(finds_the_plain_ending_first),
        SCRATCH_TEST(finds_nothing_but_regular_files_of_its_own),
        SCRATCH_TEST(lists_each_disk_once),
        SCRATCH_TEST(lists_snapshots_as_images),
        SCRATCH_TEST(knows_files_that_are_no_disks),
        SCRATCH_TEST(reports_the_file_of_each_disk),
        SCRATCH_TEST(reports_a_folder_that_it_may_not_list),
        SCRATCH_TEST(opens_a_file_without_lock),
        SCRATCH_TEST(reports_missing_permission_to_open),
        SCRATCH_TEST(an_unlocked_open_disturbs_nobody),
        SCRATCH_TEST(a_visit_can_end_the_listing),
        SCRATCH_TEST(an_unlisted_file_is_not_found),
        SCRATCH_TEST(has_one_owner_in_a_process),
        SCRATCH_TEST(has_one_owner_among_processes),
        SCRATCH_TEST(a_killed_owner_leaves_the_store),
        SCRATCH_TEST(read_only_owners_share),
        SCRATCH_TEST(a_folder_without_permission_is_only_read),
        SCRATCH_TEST(a_read_only_medium_is_only_read),
        SCRATCH_TEST(only_a_writing_owner_sweeps),
        SCRATCH_TEST(reports_its_volume),
        SCRATCH_TEST(opens_again_in_another_way),
        SCRATCH_TEST(does_not_open_another_file_for_it),
        SCRATCH_TEST(confirms_that_a_name_leads_to_the_open_file),
        SCRATCH_TEST(reports_missing_permission_to_open_again),
        SCRATCH_TEST(reports_how_files_grow_on_its_volume),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
