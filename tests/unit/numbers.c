/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a backup would copy each disk again, because its st_ino has changed, or would
 * take a link for a second disk.
 */
#include "tree/numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "gate.h"
#include "numbers.h"
#include "scratch.h"

/* The name is a link to the image of this disk; NULL: it is a disk itself. */
static void expect_first(struct mount *mount, const char *name, const char *expected)
{
    const struct stat image = image_of(mount, name);
    char first[NAME_MAX + 1] = "";

    assert_int_equal(fs_numbers_is_link(&mount->numbers, mount->store, name, &image, first),
                     expected != NULL);
    assert_string_equal(first, expected ? expected : "");
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        NUMBERS_TEST(the_inode_is_the_number),
        NUMBERS_TEST(the_number_goes_with_the_image),
        NUMBERS_TEST(of_links_the_first_name_is_the_disk),
        NUMBERS_TEST(a_link_outside_the_store_makes_no_second_disk),
        NUMBERS_TEST(a_link_that_comes_or_goes_is_seen_at_once),
        NUMBERS_TEST(a_store_that_stays_as_it_is_is_searched_once),
        NUMBERS_TEST(two_threads_may_ask_while_the_store_changes),
    };
    return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
