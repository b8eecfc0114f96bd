/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a disk that was deleted, replaced or renamed would be reached through the old
 * name or an old node, or its record would go to another disk.
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

#include "entries.h"
#include "gate.h"
#include "tasks.h"

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
        TABLE_TEST(a_retired_entry_keeps_its_nodes_and_loses_its_name),
        TABLE_TEST(the_record_of_a_retired_entry_stays_with_the_name),
        TABLE_TEST(a_replaced_entry_is_not_retired),
        TABLE_TEST(a_name_at_work_is_not_replaced),
        TABLE_TEST(a_moved_entry_keeps_its_nodes_and_its_record),
        TABLE_TEST(an_entry_moves_any_number_of_times),
        TABLE_TEST(claims_stay_through_a_move),
        TABLE_TEST(a_name_is_read_while_it_changes),
    };
    return cmocka_run_group_tests_name("entries_move", tests, NULL, NULL);
}
