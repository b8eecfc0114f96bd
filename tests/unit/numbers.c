/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a backup would take one disk for another, because two of them share an st_ino, or
 * would copy each disk again, because its st_ino has changed.
 */
#include "tree/numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "gate.h"
#include "scratch.h"
#include "tree/ino.h"

/*
 * The linker leads the calls of these here (--wrap), under both of their names: a test chooses the
 * device and the inode number of an image, and the time.
 */
int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __real_fstatat(int dir, const char *path, struct stat *ret, int flags);
int __real_fstatat64(int dir, const char *path, struct stat *ret, int flags);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_fstatat(int dir, const char *path, struct stat *ret, int flags);
int __wrap_fstatat64(int dir, const char *path, struct stat *ret, int flags);

static struct {
    const char *file; /* NULL: the end */
    uint64_t ino;     /* 0: as it is */
    dev_t dev_above;  /* how far from its own device */
} images[4];

static time_t seconds_passed;
static unsigned image_stats; /* atomic: stat calls for images */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int err = __real_clock_gettime(clock, ret);
    ret->tv_sec += seconds_passed;
    return err;
}

static int note_stat(const char *path, struct stat *image)
{
    COUNT(image_stats);
    for (size_t i = 0; i < 4 && images[i].file; i++) {
        if (strcmp(images[i].file, path) != 0)
            continue;
        image->st_dev += images[i].dev_above;
        image->st_ino = images[i].ino ? images[i].ino : image->st_ino;
    }
    return 0;
}

int __wrap_fstatat(int dir, const char *path, struct stat *ret, int flags)
{
    int err = __real_fstatat(dir, path, ret, flags);
    return err < 0 ? err : note_stat(path, ret);
}

int __wrap_fstatat64(int dir, const char *path, struct stat *ret, int flags)
{
    int err = __real_fstatat64(dir, path, ret, flags);
    return err < 0 ? err : note_stat(path, ret);
}

/* A store, and the index of one mount. */
struct mount {
    struct vhd_store *store;
    struct fs_numbers numbers;
};

static void mount_begin(struct mount *mount, const char *path)
{
    *mount = (struct mount){.numbers = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    assert_int_equal(vhd_store_open(path, 0, &mount->store, NULL), VHD_OK);
}

static void mount_end(struct mount *mount)
{
    fs_numbers_free(&mount->numbers);
    vhd_store_unref(mount->store);
}

static struct stat image_of(const struct mount *mount, const char *name)
{
    char file[NAME_MAX + 1];
    struct stat image;

    assert_int_equal(vhd_store_find(mount->store, name, file, &image), 0);
    return image;
}

static uint64_t number_of(struct mount *mount, const char *name)
{
    const struct stat image = image_of(mount, name);
    const uint64_t number = fs_numbers_of(&mount->numbers, mount->store, name, &image);

    assert_true(number < FS_NUMBER_END);
    return number;
}

/* The same of the next mount of the store. */
static uint64_t next_number_of(const char *path, const char *name)
{
    struct mount mount;

    mount_begin(&mount, path);
    const uint64_t number = number_of(&mount, name);
    mount_end(&mount);
    return number;
}

/* The name is a link to the image of this disk; NULL: it is a disk itself. */
static void expect_first(struct mount *mount, const char *name, const char *expected)
{
    const struct stat image = image_of(mount, name);
    char first[NAME_MAX + 1] = "";

    assert_int_equal(fs_numbers_is_link(&mount->numbers, mount->store, name, &image, first),
                     expected != NULL);
    assert_string_equal(first, expected ? expected : "");
}

static void put(const char *folder, const char *file)
{
    scratch_put(folder, file, "image", 5);
}

static void put_link(const char *folder, const char *file, const char *to)
{
    assert_int_equal(link(scratch_path(folder, to), scratch_path(folder, file)), 0);
}

static int numbers_setup(void **state)
{
    memset(images, 0, sizeof images);
    seconds_passed = 0;
    return scratch_setup(state);
}

#define NUMBERS_TEST(test) cmocka_unit_test_setup_teardown(test, numbers_setup, scratch_teardown)

static void the_inode_is_the_number(void **state)
{
    struct mount mount;

    put(*state, "a.vhd");
    put(*state, "b.vhd");
    mount_begin(&mount, *state);
    const struct stat a = image_of(&mount, "a"), b = image_of(&mount, "b");
    image_stats = 0;
    assert_int_equal(fs_numbers_of(&mount.numbers, mount.store, "a", &a), a.st_ino);
    assert_int_equal(fs_numbers_of(&mount.numbers, mount.store, "b", &b), b.st_ino);
    assert_int_equal(image_stats, 0); /* it costs nothing */
    expect_first(&mount, "a", NULL);
    mount_end(&mount);
}

static void the_number_goes_with_the_image(void **state)
{
    struct mount mount;

    put(*state, "a.vhd");
    mount_begin(&mount, *state);
    const uint64_t number = number_of(&mount, "a");
    put(*state, "0.vhd");
    put(*state, "z.vhd");
    assert_int_equal(rename(scratch_path(*state, "a.vhd"), scratch_path(*state, "renamed.vhd")), 0);
    assert_int_equal(number_of(&mount, "renamed"), number);
    mount_end(&mount);
    assert_int_equal(next_number_of(*state, "renamed"), number);
}

/*
 * Hard links.
 */

static void of_links_the_first_name_is_the_disk(void **state)
{
    struct mount mount;

    put(*state, "m.vhd");
    put_link(*state, "z.vhd", "m.vhd");
    put_link(*state, "b.vhd", "m.vhd");
    put(*state, "other.vhd");
    mount_begin(&mount, *state);
    expect_first(&mount, "b", NULL);
    expect_first(&mount, "m", "b");
    expect_first(&mount, "z", "b");
    expect_first(&mount, "other", NULL);

    const uint64_t first = number_of(&mount, "b"), m = number_of(&mount, "m"),
                   z = number_of(&mount, "z"), other = number_of(&mount, "other");
    assert_int_equal(first, image_of(&mount, "b").st_ino);
    assert_int_not_equal(m, first);
    assert_int_not_equal(z, first);
    assert_int_not_equal(m, z);
    assert_int_not_equal(m, other);
    assert_int_not_equal(z, other);
    mount_end(&mount);
    assert_int_equal(next_number_of(*state, "b"), first);
    assert_int_equal(next_number_of(*state, "m"), m);
    assert_int_equal(next_number_of(*state, "z"), z);
}

static void a_link_outside_the_store_makes_no_second_disk(void **state)
{
    struct mount mount;

    assert_int_equal(mkdir(scratch_path(*state, "store"), 0700), 0);
    put(*state, "store/a.vhd");
    put_link(*state, "backup.vhd", "store/a.vhd");
    put_link(*state, "store/notes.txt", "store/a.vhd");
    mount_begin(&mount, scratch_path(*state, "store"));
    assert_int_equal(image_of(&mount, "a").st_nlink, 3);
    expect_first(&mount, "a", NULL);
    assert_int_equal(number_of(&mount, "a"), image_of(&mount, "a").st_ino);
    mount_end(&mount);
}

/* The index is kept for a store that stays as it is; any change of the folder ends it. */
static void a_link_that_comes_or_goes_is_seen_at_once(void **state)
{
    struct mount mount;

    put(*state, "m.vhd");
    put_link(*state, "z.vhd", "m.vhd");
    seconds_passed = 10; /* the folder has not changed for a while */
    mount_begin(&mount, *state);
    expect_first(&mount, "m", NULL);
    expect_first(&mount, "z", "m");
    put_link(*state, "a.vhd", "m.vhd");
    expect_first(&mount, "m", "a");
    expect_first(&mount, "z", "a");
    expect_first(&mount, "a", NULL);
    assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    expect_first(&mount, "m", NULL);
    expect_first(&mount, "z", "m");
    assert_int_equal(unlink(scratch_path(*state, "m.vhd")), 0);
    expect_first(&mount, "z", NULL);
    assert_int_equal(number_of(&mount, "z"), image_of(&mount, "z").st_ino);
    mount_end(&mount);
}

/* Count the images that are read to number this disk. */
static unsigned stats_for(struct mount *mount, const char *name)
{
    const struct stat image = image_of(mount, name);

    image_stats = 0;
    fs_numbers_of(&mount->numbers, mount->store, name, &image);
    return image_stats;
}

static void a_store_that_stays_as_it_is_is_searched_once(void **state)
{
    struct mount mount;

    put(*state, "m.vhd");
    put_link(*state, "z.vhd", "m.vhd");
    mount_begin(&mount, *state);
    seconds_passed = 10;
    assert_true(stats_for(&mount, "z") >= 2);
    assert_int_equal(stats_for(&mount, "z"), 0);
    assert_int_equal(stats_for(&mount, "m"), 0);
    seconds_passed = 20; /* now a coarse clock may hide a change */
    assert_true(stats_for(&mount, "z") >= 2);
    seconds_passed = -5; /* the clock was set */
    assert_true(stats_for(&mount, "z") >= 2);
    mount_end(&mount);
}

/*
 * Hashes.
 */

static void a_number_that_does_not_fit_is_hashed(void **state)
{
    struct mount mount;

    put(*state, "a.vhd");
    put(*state, "b.vhd");
    put(*state, "c.vhd");
    images[0].file = "a.vhd";
    images[0].ino = FS_NUMBER_END;
    images[1].file = "b.vhd";
    images[1].ino = UINT64_MAX;
    images[2].file = "c.vhd";
    images[2].ino = FS_NUMBER_END - 1; /* the last one that fits */
    mount_begin(&mount, *state);
    const uint64_t a = number_of(&mount, "a"), b = number_of(&mount, "b");
    assert_int_not_equal(a, b);
    assert_int_equal(number_of(&mount, "c"), FS_NUMBER_END - 1);
    mount_end(&mount);
    assert_int_equal(next_number_of(*state, "b"), b);
    assert_int_equal(next_number_of(*state, "a"), a);
}

/* Images of two file systems may have one inode number. */
static void an_image_of_another_device_is_hashed(void **state)
{
    struct mount mount;

    put(*state, "a.vhd");
    put(*state, "b.vhd");
    put(*state, "c.vhd");
    for (int i = 0; i < 3; i++)
        images[i].ino = 4711;
    images[0].file = "a.vhd";
    images[1].file = "b.vhd";
    images[1].dev_above = 1;
    images[2].file = "c.vhd";
    images[2].dev_above = 2;
    mount_begin(&mount, *state);
    const uint64_t a = number_of(&mount, "a"), b = number_of(&mount, "b"),
                   c = number_of(&mount, "c");
    assert_int_equal(a, 4711);
    assert_int_not_equal(b, a);
    assert_int_not_equal(c, a);
    assert_int_not_equal(b, c);
    mount_end(&mount);
    assert_int_equal(next_number_of(*state, "c"), c);
    assert_int_equal(next_number_of(*state, "b"), b);
}

/* The inode number of one image is the hash of another: then the other gets a second hash. */
static void two_disks_never_share_a_number(void **state)
{
    struct mount mount;

    put(*state, "a.vhd");
    put(*state, "z.vhd");
    images[0].file = "a.vhd";
    images[0].ino = UINT64_MAX;
    mount_begin(&mount, *state);
    const uint64_t hash = number_of(&mount, "a");
    images[1].file = "z.vhd";
    images[1].ino = hash;
    const uint64_t other = number_of(&mount, "a");
    assert_int_not_equal(other, hash);
    assert_int_equal(number_of(&mount, "z"), hash);
    mount_end(&mount);
    assert_int_equal(next_number_of(*state, "a"), other);

    /* A third image may have the second hash. */
    put(*state, "y.vhd");
    images[2].file = "y.vhd";
    images[2].ino = other;
    mount_begin(&mount, *state);
    assert_int_not_equal(number_of(&mount, "a"), hash);
    assert_int_not_equal(number_of(&mount, "a"), other);
    mount_end(&mount);
}

/* Another program may remove an image after its attributes were read. */
static void a_disk_that_is_gone_still_has_a_number(void **state)
{
    struct mount mount;
    char first[NAME_MAX + 1];

    put(*state, "a.vhd");
    put_link(*state, "b.vhd", "a.vhd");
    mount_begin(&mount, *state);
    struct stat image = image_of(&mount, "b");
    assert_int_equal(unlink(scratch_path(*state, "b.vhd")), 0);
    assert_true(fs_numbers_of(&mount.numbers, mount.store, "b", &image) < FS_NUMBER_END);
    assert_false(fs_numbers_is_link(&mount.numbers, mount.store, "b", &image, first));
    image.st_ino = UINT64_MAX;
    assert_true(fs_numbers_of(&mount.numbers, mount.store, "b", &image) < FS_NUMBER_END);
    assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    assert_true(fs_numbers_of(&mount.numbers, mount.store, "a", &image) < FS_NUMBER_END);
    mount_end(&mount);
}

/*
 * Threads.
 */

struct asker {
    struct mount *mount;
    struct gate *gate;
    struct stat image;
    uint64_t number;
    bool has_failed;
};

static void *ask_in_thread(void *arg)
{
    struct asker *asker = arg;
    char first[NAME_MAX + 1];

    gate_pass(asker->gate);
    for (int i = 0; i < 200; i++) {
        struct fs_numbers *numbers = &asker->mount->numbers;
        const struct vhd_store *store = asker->mount->store;
        asker->has_failed |= fs_numbers_of(numbers, store, "z", &asker->image) != asker->number ||
                             !fs_numbers_is_link(numbers, store, "z", &asker->image, first) ||
                             strcmp(first, "m") != 0;
    }
    return NULL;
}

static void two_threads_may_ask_while_the_store_changes(void **state)
{
    struct mount mount;
    struct gate gate = GATE_CLOSED;
    struct asker askers[2];
    pthread_t threads[2];

    put(*state, "m.vhd");
    put_link(*state, "z.vhd", "m.vhd");
    mount_begin(&mount, *state);
    for (int i = 0; i < 2; i++) {
        askers[i] =
            (struct asker){&mount, &gate, image_of(&mount, "z"), number_of(&mount, "z"), false};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, &askers[i]), 0);
    }
    gate_await(&gate, 2);
    gate_open(&gate);
    for (int i = 0; i < 100; i++) {
        put(*state, "other.vhd");
        assert_int_equal(unlink(scratch_path(*state, "other.vhd")), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_false(askers[i].has_failed);
    }
    mount_end(&mount);
}

/*
 * Numbers of files (ino.h).
 */

static void a_node_id_gives_back_its_parts(void **state)
{
    (void)state;
    static const uint32_t serials[] = {0, 1, 255, 256, UINT32_MAX};
    static const unsigned kinds[] = {0, 1, 255};
    static const uint64_t generations[] = {0, 1, (1 << 24) - 1};

    assert_int_equal(fs_ino(0, 1), 1); /* the root, as FUSE wants it */
    for (size_t s = 0; s < 5; s++)
        for (size_t k = 0; k < 3; k++)
            for (size_t g = 0; g < 3; g++) {
                const uint64_t ino = fs_ino(serials[s], kinds[k]);
                const uint64_t id = fs_ino_with_generation(ino, generations[g]);
                assert_int_equal(fs_ino_serial(id), serials[s]);
                assert_int_equal(fs_ino_kind(id), kinds[k]);
                assert_int_equal(id >> 40, generations[g]);
            }
}

static void files_of_disks_have_numbers_of_their_own(void **state)
{
    (void)state;
    assert_int_not_equal(fs_ino_of_image(1, 5), fs_ino_of_image(1, 6));
    assert_int_not_equal(fs_ino_of_image(1, 5), fs_ino_of_image(2, 5));
    assert_int_equal(fs_ino_of_image(FS_NUMBER_END - 1, 255), UINT64_MAX);
    assert_int_equal(fs_ino_kind(fs_ino_of_image(FS_NUMBER_END - 1, 7)), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NUMBERS_TEST(the_inode_is_the_number),
        NUMBERS_TEST(the_number_goes_with_the_image),
        NUMBERS_TEST(of_links_the_first_name_is_the_disk),
        NUMBERS_TEST(a_link_outside_the_store_makes_no_second_disk),
        NUMBERS_TEST(a_link_that_comes_or_goes_is_seen_at_once),
        NUMBERS_TEST(a_store_that_stays_as_it_is_is_searched_once),
        NUMBERS_TEST(a_number_that_does_not_fit_is_hashed),
        NUMBERS_TEST(an_image_of_another_device_is_hashed),
        NUMBERS_TEST(two_disks_never_share_a_number),
        NUMBERS_TEST(a_disk_that_is_gone_still_has_a_number),
        NUMBERS_TEST(two_threads_may_ask_while_the_store_changes),
        cmocka_unit_test(a_node_id_gives_back_its_parts),
        cmocka_unit_test(files_of_disks_have_numbers_of_their_own),
    };
    return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
