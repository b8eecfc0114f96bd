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
#include <time.h>
#include <cmocka.h>

#include "gate.h"
#include "tasks.h"

/* The table's calls of clock_gettime(2) come here: a test decides the time. */
static time_t seconds_passed;

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int err = __real_clock_gettime(clock, ret);
    ret->tv_sec += seconds_passed;
    return err;
}

/* A table for each test. */
static int table_setup(void **state)
{
    seconds_passed = 0;
    *state = fs_entries_new(100);
    return *state ? 0 : -1;
}

static int table_teardown(void **state)
{
    fs_entries_free(*state);
    return 0;
}

#define TABLE_TEST(test) cmocka_unit_test_setup_teardown(test, table_setup, table_teardown)

static struct fs_entry *get(struct fs_entries *entries, const char *name)
{
    struct fs_entry *entry = fs_entries_get(entries, name);
    assert_non_null(entry);
    assert_string_equal(fs_entry_name(entry), name);
    assert_int_not_equal(entry->serial, 0); /* that of the fixed tree */
    return entry;
}

/* A name, a serial leads to this entry, or to none. */
static void expect_name(struct fs_entries *entries, const char *name, const struct fs_entry *entry)
{
    struct fs_entry *found = fs_entries_find(entries, name);
    assert_ptr_equal(found, entry);
    fs_entry_put(entries, found);
}

static void expect_serial(struct fs_entries *entries, uint32_t serial, const struct fs_entry *entry)
{
    struct fs_entry *found = fs_entries_by_serial(entries, serial);
    assert_ptr_equal(found, entry);
    fs_entry_put(entries, found);
}

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
 * Deletion.
 */

static void a_retired_entry_keeps_its_nodes_and_loses_its_name(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *old = get(entries, "a");
    const uint32_t serial = old->serial;

    assert_false(fs_entry_is_retired(entries, old));
    fs_entry_retire(entries, old);
    assert_true(fs_entry_is_retired(entries, old));
    assert_false(fs_entry_is_replaced(entries, old));
    assert_string_equal(fs_entry_name(old), "a");
    expect_name(entries, "a", NULL);
    expect_serial(entries, serial, old);

    struct fs_entry *new = get(entries, "a");
    assert_int_not_equal(new->serial, serial);
    assert_false(fs_entry_is_retired(entries, new));
    fs_entry_retire(entries, old); /* for the second time: the new one stays */
    expect_name(entries, "a", new);
    fs_entry_put(entries, old);
    expect_serial(entries, serial, NULL);
    expect_name(entries, "a", new);
    fs_entry_put(entries, new);
}

static void the_record_of_a_retired_entry_stays_with_the_name(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *old = get(entries, "a");

    record(entries, "a", task_ended(7));
    fs_entry_retire(entries, old);
    assert_int_equal(recorded(entries, old), 0);
    struct fs_entry *new = fs_entries_find(entries, "a");
    assert_non_null(new);
    assert_ptr_not_equal(new, old);
    assert_int_not_equal(new->serial, old->serial);
    assert_int_equal(recorded(entries, new), 7);
    fs_entry_put(entries, old);
    fs_entry_put(entries, new);
    assert_int_equal(recorded_by(entries, "a"), 7);
}

/*
 * Replacement by another program.
 */

static void a_replaced_entry_is_not_retired(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *old = get(entries, "a");
    const uint32_t serial = old->serial;

    record(entries, "a", task_ended(7));
    assert_false(fs_entry_is_replaced(entries, old));
    fs_entry_replace(entries, old);
    assert_true(fs_entry_is_replaced(entries, old));
    assert_false(fs_entry_is_retired(entries, old));
    expect_serial(entries, serial, old);
    assert_int_equal(recorded(entries, old), 0);
    assert_int_equal(recorded_by(entries, "a"), 7);

    struct fs_entry *new = get(entries, "a");
    assert_int_not_equal(new->serial, serial);
    assert_false(fs_entry_is_replaced(entries, new));
    fs_entry_replace(entries, old); /* for the second time: the new one stays */
    expect_name(entries, "a", new);
    fs_entry_put(entries, old);
    fs_entry_put(entries, new);
}

/* The task is about to change the disk itself. */
static void a_name_at_work_is_not_replaced(void **state)
{
    struct fs_entries *entries = *state;
    struct vhd_task *task = task_at_work(1);
    struct fs_entry *entry = get(entries, "a");

    assert_true(fs_record_claim(entries, entry));
    fs_entry_replace(entries, entry);
    assert_false(fs_entry_is_replaced(entries, entry));
    fs_record_end_claim(entries, entry, task);
    fs_entry_replace(entries, entry);
    assert_false(fs_entry_is_replaced(entries, entry));
    expect_name(entries, "a", entry);
    vhd_task_run(task, NULL, NULL);
    fs_entry_replace(entries, entry);
    assert_true(fs_entry_is_replaced(entries, entry));
    vhd_task_unref(task);
    fs_entry_put(entries, entry);
}

/*
 * Renaming.
 */

/* Move with both entries claimed, as the header demands. */
static void move(struct fs_entries *entries, struct fs_entry *entry, struct fs_entry *target)
{
    assert_true(fs_record_claim(entries, entry));
    assert_true(fs_record_claim(entries, target));
    fs_entry_move(entries, entry, target);
    fs_record_end_claim(entries, entry, NULL);
    fs_record_end_claim(entries, target, NULL);
}

static void a_moved_entry_keeps_its_nodes_and_its_record(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *a = get(entries, "a"), *b = get(entries, "b");
    const uint32_t serial = a->serial;
    const char *former = fs_entry_name(a);

    record(entries, "a", task_ended(1));
    record(entries, "b", task_ended(2));
    move(entries, a, b);
    assert_string_equal(fs_entry_name(a), "b");
    assert_string_equal(former, "a"); /* a thread may still read it */
    assert_int_equal(a->serial, serial);
    expect_name(entries, "a", NULL);
    expect_name(entries, "b", a);
    expect_serial(entries, serial, a);
    assert_int_equal(recorded(entries, a), 1);

    assert_true(fs_entry_is_retired(entries, b));
    assert_false(fs_entry_is_retired(entries, a));
    assert_int_equal(recorded(entries, b), 0);
    fs_entry_put(entries, b);
    expect_name(entries, "b", a);

    struct fs_entry *new = get(entries, "a"); /* the old name is free */
    assert_int_not_equal(new->serial, serial);
    fs_entry_put(entries, new);
    fs_entry_put(entries, a);
    assert_int_equal(recorded_by(entries, "b"), 1);
}

static void an_entry_moves_any_number_of_times(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *entry = get(entries, "0");
    const char *former[50];
    char name[16];

    for (int i = 0; i < 50; i++) {
        former[i] = fs_entry_name(entry);
        snprintf(name, sizeof name, "%d", (i + 1) % 10); /* and back to a former one */
        struct fs_entry *target = get(entries, name);
        move(entries, entry, target);
        fs_entry_put(entries, target);
        expect_name(entries, name, entry);
    }
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "%d", i % 10);
        assert_string_equal(former[i], name);
    }
    fs_entry_put(entries, entry);
}

static void claims_stay_through_a_move(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *a = NULL, *b = NULL;

    assert_int_equal(fs_records_claim(entries, "a", &a), 0);
    assert_int_equal(fs_records_claim(entries, "b", &b), 0);
    fs_entry_move(entries, a, b);
    assert_true(fs_record_is_at_work(entries, a));
    assert_true(fs_record_is_at_work(entries, b));
    assert_false(fs_record_claim(entries, a));
    fs_record_end_claim(entries, b, NULL);
    assert_false(fs_record_claim(entries, b)); /* it is retired */
    fs_record_end_claim(entries, a, NULL);
    assert_true(fs_record_claim(entries, a));
    fs_record_end_claim(entries, a, NULL);
    fs_entry_put(entries, a);
    fs_entry_put(entries, b);
    expect_name(entries, "b", NULL);
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

static void a_refused_unlink_counts_for_its_process_and_disk(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *a = get(entries, "a"), *b = get(entries, "b");

    assert_false(fs_entry_was_refused_unlink(entries, a, 10));
    fs_entry_note_refused_unlink(entries, a, 10);
    fs_entry_note_refused_unlink(entries, b, 20);
    fs_entry_note_refused_unlink(entries, a, 30);
    assert_true(fs_entry_was_refused_unlink(entries, a, 10));
    assert_true(fs_entry_was_refused_unlink(entries, a, 30));
    assert_true(fs_entry_was_refused_unlink(entries, b, 20));
    assert_false(fs_entry_was_refused_unlink(entries, a, 20));
    assert_false(fs_entry_was_refused_unlink(entries, b, 10));
    fs_entry_put(entries, a);
    a = get(entries, "a"); /* another disk of that name */
    assert_false(fs_entry_was_refused_unlink(entries, a, 10));
    fs_entry_put(entries, a);
    fs_entry_put(entries, b);
}

static void a_refused_unlink_counts_for_five_seconds(void **state)
{
    struct fs_entries *entries = *state;
    struct fs_entry *entry = get(entries, "a");

    fs_entry_note_refused_unlink(entries, entry, 10);
    seconds_passed = 3;
    assert_true(fs_entry_was_refused_unlink(entries, entry, 10));
    seconds_passed = 6;
    assert_false(fs_entry_was_refused_unlink(entries, entry, 10));
    fs_entry_note_refused_unlink(entries, entry, 10);
    seconds_passed = 9;
    assert_true(fs_entry_was_refused_unlink(entries, entry, 10));
    seconds_passed = 12;
    assert_false(fs_entry_was_refused_unlink(entries, entry, 10));
    fs_entry_put(entries, entry);
}

/* "find -delete" visits one folder after the other, and others may do so at the same time. */
static void several_processes_may_clear_away_disks(void **state)
{
    enum { COUNT = 20 };
    struct fs_entries *entries = *state;
    struct fs_entry *entry = get(entries, "a");

    for (pid_t pid = 1; pid <= COUNT; pid++)
        fs_entry_note_refused_unlink(entries, entry, pid);
    for (pid_t pid = 1; pid <= COUNT; pid++)
        assert_true(fs_entry_was_refused_unlink(entries, entry, pid));
    fs_entry_put(entries, entry);
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

/* An entry that the test renames, while a thread reads its name. */
struct reader {
    struct fs_entry *entry;
    struct gate begun;
    bool is_over; /* atomic */
    bool has_failed;
};

static void *read_name(void *arg)
{
    struct reader *reader = arg;

    gate_pass(&reader->begun);
    while (!READ(reader->is_over)) {
        const char *name = fs_entry_name(reader->entry);
        reader->has_failed |= strcmp(name, "first") != 0 && strcmp(name, "second") != 0;
    }
    return NULL;
}

static void a_name_is_read_while_it_changes(void **state)
{
    struct fs_entries *entries = *state;
    struct reader reader = {.entry = get(entries, "first"), .begun = GATE_CLOSED};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, read_name, &reader), 0);
    gate_await(&reader.begun, 1);
    gate_open(&reader.begun);
    for (int i = 0; i < 2000; i++) {
        struct fs_entry *target = get(entries, i % 2 ? "first" : "second");
        move(entries, reader.entry, target);
        fs_entry_put(entries, target);
    }
    __atomic_store_n(&reader.is_over, true, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    assert_false(reader.has_failed);
    fs_entry_put(entries, reader.entry);
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
        TABLE_TEST(a_retired_entry_keeps_its_nodes_and_loses_its_name),
        TABLE_TEST(the_record_of_a_retired_entry_stays_with_the_name),
        TABLE_TEST(a_replaced_entry_is_not_retired),
        TABLE_TEST(a_name_at_work_is_not_replaced),
        TABLE_TEST(a_moved_entry_keeps_its_nodes_and_its_record),
        TABLE_TEST(an_entry_moves_any_number_of_times),
        TABLE_TEST(claims_stay_through_a_move),
        TABLE_TEST(an_entry_has_one_disk_from_its_first_use_on),
        TABLE_TEST(open_requests_are_counted),
        TABLE_TEST(a_refused_unlink_counts_for_its_process_and_disk),
        TABLE_TEST(a_refused_unlink_counts_for_five_seconds),
        TABLE_TEST(several_processes_may_clear_away_disks),
        TABLE_TEST(two_threads_share_the_names),
        TABLE_TEST(a_name_is_read_while_it_changes),
    };
    return cmocka_run_group_tests_name("entries", tests, NULL, NULL);
}
