/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a program would get the file of another disk under its name; a deleted disk would
 * come back to life through an old node; or the daemon would grow with each name that was used.
 */
#include "tree/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "entries.h"
#include "gate.h"
#include "tasks.h"

static void an_empty_table_finds_nothing(void **state)
{
    struct fs_entries *entries = *state;

    expect_name(entries, "a", NULL);
    expect_serial(entries, 0, NULL);
    expect_serial(entries, 1, NULL);
    fs_entry_put(entries, NULL);
    fs_entries_free(NULL);
}

static void a_name_has_one_entry(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *a = get(entries, "a"), *b = get(entries, "b"), *again = get(entries, "a");

    assert_ptr_equal(again, a);
    assert_ptr_not_equal(a, b);
    assert_int_not_equal(a->serial, b->serial);
    expect_name(entries, "a", a);
    expect_name(entries, "b", b);
    expect_name(entries, "A", NULL);
    expect_name(entries, "", NULL);
    expect_serial(entries, a->serial, a);
    expect_serial(entries, b->serial, b);
    fs_entry_put(entries, a);
    fs_entry_put(entries, b);
    fs_entry_put(entries, again);
}

static void an_entry_goes_with_its_last_reference(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *entry = get(entries, "a");
    const uint32_t serial = entry->serial;

    assert_ptr_equal(fs_entry_ref(entries, entry), entry);
    fs_entry_put(entries, entry);
    expect_name(entries, "a", entry);
    fs_entry_put(entries, entry);
    expect_name(entries, "a", NULL);
    expect_serial(entries, serial, NULL);
}

/* A node that the kernel still has never becomes the node of another object. */
static void a_serial_is_never_used_again(void **state)
{
    struct fs_entries *entries = *state;
    uint32_t last = 0;

    for (int i = 0; i < 100; i++) {
        struct fs_entry *entry = get(entries, "a");
        assert_true(entry->serial > last);
        last = entry->serial;
        fs_entry_put(entries, entry);
    }
}

static void lookups_of_the_kernel_keep_an_entry(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *entry = get(entries, "a");
    const uint32_t serial = entry->serial;

    for (int i = 0; i < 5; i++)
        fs_entry_looked_up(entries, entry);
    fs_entry_put(entries, entry);
    fs_entries_forgotten(entries, serial, 2);
    fs_entries_forgotten(entries, serial, 2);
    fs_entries_forgotten(entries, serial, 0);
    expect_name(entries, "a", entry);
    fs_entries_forgotten(entries, serial, 1);
    expect_name(entries, "a", NULL);
    expect_serial(entries, serial, NULL);
    fs_entries_forgotten(entries, serial, 1);
    fs_entries_forgotten(entries, 0, UINT64_MAX);
}

/* A kernel that forgets more than it looked up does not take the reference of an open file. */
static void the_kernel_forgets_its_own_lookups_alone(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *entry = get(entries, "a");

    fs_entry_looked_up(entries, entry);
    fs_entries_forgotten(entries, entry->serial, UINT64_MAX);
    expect_name(entries, "a", entry);
    fs_entry_looked_up(entries, entry);
    const uint32_t serial = entry->serial;
    fs_entry_put(entries, entry);
    expect_serial(entries, serial, entry);
    fs_entries_forgotten(entries, serial, 1);
    expect_serial(entries, serial, NULL);
}

/* They come in one order and go in another. */
static void thousands_of_names_are_found(void **state)
{
    enum { COUNT = 5000, STEP = 1777 }; /* no common divisor */
    static struct fs_entry *all[COUNT];
    struct fs_entries *entries = *state;
    char name[32];

    for (unsigned i = 0; i < COUNT; i++) {
        unsigned which = i * STEP % COUNT;
        snprintf(name, sizeof name, "disk-%u", which);
        all[which] = get(entries, name);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "disk-%u", i);
        expect_name(entries, name, all[i]);
        expect_serial(entries, all[i]->serial, all[i]);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "disk-%u", i);
        fs_entry_put(entries, all[i]);
        expect_name(entries, name, NULL);
    }
}

/*
 * Disks and requests.
 */

/* Count the disks that are visited, by the last digit of their names. */
static void an_entry_has_one_disk_from_its_first_use_on(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *entry = get(entries, "1");

    assert_null(fs_entry_known_disk(entries, entry));
    struct fs_disk *disk = fs_entry_disk(entries, entry);
    assert_non_null(disk);
    assert_ptr_equal(fs_entry_disk(entries, entry), disk);
    assert_ptr_equal(fs_entry_known_disk(entries, entry), disk);
    fs_entry_retire(entries, entry);
    assert_ptr_equal(fs_entry_known_disk(entries, entry), disk);
    fs_entry_put(entries, entry);
    entry = get(entries, "1");
    assert_null(fs_entry_known_disk(entries, entry));
    fs_entry_put(entries, entry);
}

static void open_requests_are_counted(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *a = get(entries, "a"), *b = get(entries, "b");

    assert_false(fs_entry_has_request(entries, a));
    fs_entry_request_opened(entries, a);
    fs_entry_request_opened(entries, a);
    assert_true(fs_entry_has_request(entries, a));
    assert_false(fs_entry_has_request(entries, b));
    fs_entry_request_closed(entries, a);
    assert_true(fs_entry_has_request(entries, a));
    fs_entry_request_closed(entries, a);
    assert_false(fs_entry_has_request(entries, a));
    fs_entry_put(entries, a);
    fs_entry_put(entries, b);
}

/*
 * Threads.
 */

enum { ROUNDS = 3000, NAMES = 4 };

struct user {
    struct fs_entries *entries;
    struct gate *gate;
    unsigned begin;
    bool has_failed;
};

/* Use the names as the kernel's requests do: by name, by serial, with lookups and a disk. */
static void *use_names(void *arg)
{
    struct user *user = arg;

    gate_pass(user->gate);
    for (unsigned i = 0; i < ROUNDS; i++) {
        const char name[] = {(char)('0' + (user->begin + i) % NAMES), 0};
        struct fs_entry *entry = fs_entries_get(user->entries, name);
        if (!entry) {
            user->has_failed = true;
            break;
        }
        const uint32_t serial = entry->serial;
        fs_entry_looked_up(user->entries, entry);
        if (i % 5 == 0)
            fs_entry_retire(user->entries, entry);
        if (i % 7 == 0)
            fs_entry_disk(user->entries, entry);
        user->has_failed |= strlen(fs_entry_name(entry)) != 1;
        fs_entry_put(user->entries, entry);
        entry = fs_entries_by_serial(user->entries, serial);
        user->has_failed |= !entry || entry->serial != serial; /* the lookup keeps it */
        fs_entry_put(user->entries, entry);
        fs_entries_forgotten(user->entries, serial, 1);
    }
    return NULL;
}

static void two_threads_share_the_names(void **state)
{
    struct fs_entries *entries = *state;
    struct gate gate = GATE_CLOSED;
    struct user users[2] = {{entries, &gate, 0, false}, {entries, &gate, 1, false}};
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_names, &users[i]), 0);
    gate_await(&gate, 2);
    gate_open(&gate);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_false(users[i].has_failed);
    }
    for (int i = 0; i < NAMES; i++) {
        const char name[] = {(char)('0' + i), 0};
        expect_name(entries, name, NULL); /* nothing keeps them any more */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(an_empty_table_finds_nothing),
        TABLE_TEST(a_name_has_one_entry),
        TABLE_TEST(an_entry_goes_with_its_last_reference),
        TABLE_TEST(a_serial_is_never_used_again),
        TABLE_TEST(lookups_of_the_kernel_keep_an_entry),
        TABLE_TEST(the_kernel_forgets_its_own_lookups_alone),
        TABLE_TEST(thousands_of_names_are_found),
        TABLE_TEST(an_entry_has_one_disk_from_its_first_use_on),
        TABLE_TEST(open_requests_are_counted),
        TABLE_TEST(two_threads_share_the_names),
    };
    return cmocka_run_group_tests_name("entries", tests, NULL, NULL);
}
