/* SPDX-License-Identifier: MIT */
/*
 * If this failed: two tasks would work on one disk at once, a status would tell of another task, or
 * the records would grow without end.
 */
#include "tree/records.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "gate.h"
#include "tasks.h"

static void a_claim_keeps_others_out(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(10);
    struct fs_entry *entry = NULL, *other = NULL;

    assert_int_equal(fs_records_claim(entries, "a", &entry), 0);
    assert_string_equal(fs_entry_name(entry), "a");
    assert_true(fs_record_is_at_work(entries, entry));
    assert_int_equal(fs_records_claim(entries, "a", &other), -EBUSY);
    assert_null(other);
    assert_false(fs_record_claim(entries, entry));
    assert_int_equal(fs_records_claim(entries, "b", &other), 0); /* another name is free */
    fs_record_end_claim(entries, other, NULL);
    fs_entry_put(entries, other);

    fs_record_end_claim(entries, entry, NULL);
    assert_false(fs_record_is_at_work(entries, entry));
    assert_null(fs_record_task(entries, entry));
    assert_true(fs_record_claim(entries, entry));
    fs_record_end_claim(entries, entry, NULL);
    fs_entry_put(entries, entry);
    assert_null(fs_entries_find(entries, "a"));
    fs_entries_free(entries);
}

static void a_claim_keeps_its_entry(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(10);
    struct fs_entry *entry = NULL;

    assert_int_equal(fs_records_claim(entries, "a", &entry), 0);
    fs_entry_put(entries, entry);
    assert_ptr_equal(fs_entries_find(entries, "a"), entry);
    fs_record_end_claim(entries, entry, NULL);
    fs_entry_put(entries, entry);
    assert_null(fs_entries_find(entries, "a"));
    fs_entries_free(entries);
}

static void a_name_is_at_work_until_its_task_ends(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(10);
    struct vhd_task *task = task_at_work(5);
    struct fs_entry *entry = NULL, *other = NULL;

    assert_int_equal(fs_records_claim(entries, "a", &entry), 0);
    fs_record_end_claim(entries, entry, task);
    assert_true(fs_record_is_at_work(entries, entry));
    assert_false(fs_record_claim(entries, entry));
    assert_int_equal(fs_records_claim(entries, "a", &other), -EBUSY);
    struct vhd_task *found = fs_record_task(entries, entry);
    assert_ptr_equal(found, task);
    vhd_task_unref(found);
    vhd_task_run(task, NULL, NULL);
    vhd_task_unref(task);
    assert_false(fs_record_is_at_work(entries, entry));
    assert_int_equal(recorded(entries, entry), 5);
    assert_true(fs_record_claim(entries, entry));
    fs_record_end_claim(entries, entry, NULL); /* which leaves the record as it was */
    assert_int_equal(recorded(entries, entry), 5);
    fs_entry_put(entries, entry);
    fs_entries_free(entries);
}

static void a_record_keeps_its_entry(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(10);

    record(entries, "a", task_ended(1));
    assert_int_equal(recorded_by(entries, "a"), 1);
    struct fs_entry *entry = fs_entries_find(entries, "a");
    const uint32_t serial = entry->serial;
    fs_entry_put(entries, entry);
    entry = fs_entries_find(entries, "a");
    assert_int_equal(entry->serial, serial);
    fs_entry_put(entries, entry);
    fs_entries_free(entries);
}

/* A thread that has a reference to the former task may go on with it. */
static void a_new_task_replaces_the_former_one(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(10);
    struct fs_entry *entry = fs_entries_get(entries, "a");

    record(entries, "a", task_ended(1));
    struct vhd_task *former = fs_record_task(entries, entry);
    record(entries, "a", task_ended(2));
    assert_int_equal(recorded(entries, entry), 2);
    assert_int_equal(task_id(former), 1);
    vhd_task_unref(former);
    fs_entry_put(entries, entry);
    fs_entries_free(entries);
}

static void a_record_is_forgotten_once_its_task_has_ended(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(10);
    struct fs_entry *entry = fs_entries_get(entries, "a");
    struct vhd_task *task = task_at_work(1);

    assert_int_equal(fs_record_forget(entries, entry), -ENOENT);
    assert_true(fs_record_claim(entries, entry));
    assert_int_equal(fs_record_forget(entries, entry), -EBUSY);
    fs_record_end_claim(entries, entry, task);
    assert_int_equal(fs_record_forget(entries, entry), -EBUSY);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(fs_record_forget(entries, entry), 0);
    assert_null(fs_record_task(entries, entry));
    assert_int_equal(fs_record_forget(entries, entry), -ENOENT);
    vhd_task_unref(task);
    fs_entry_put(entries, entry);
    assert_null(fs_entries_find(entries, "a"));
    fs_entries_free(entries);
}

/* After a deletion the old nodes start no task, and the name is free. */
static void a_retired_entry_is_not_claimed(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(10);
    struct fs_entry *old = fs_entries_get(entries, "a"), *new = NULL;

    fs_entry_retire(entries, old);
    assert_false(fs_record_claim(entries, old));
    assert_false(fs_record_is_at_work(entries, old));
    assert_int_equal(fs_records_claim(entries, "a", &new), 0);
    assert_ptr_not_equal(new, old);
    fs_record_end_claim(entries, new, NULL);
    fs_entry_put(entries, new);
    fs_entry_put(entries, old);
    fs_entries_free(entries);
}

/*
 * The history.
 */

/* The names with a record, a character each, in the order of the visits; '*' behind one at work. */
struct names {
    char text[64];
    char last; /* the visits end with this one */
};

static int add_name(void *arg, const struct fs_entry *entry, bool is_at_work)
{
    struct names *names = arg;
    const char *name = fs_entry_name(entry);

    strcat(names->text, name);
    if (is_at_work)
        strcat(names->text, "*");
    return *name == names->last ? *name : 0;
}

static void expect_records(struct fs_entries *entries, const char *expected)
{
    struct names names = {0};

    assert_int_equal(fs_records_each(entries, add_name, &names), 0);
    assert_string_equal(names.text, expected);
}

static void records_are_visited_from_the_oldest_on(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(10);
    struct vhd_task *task = task_at_work(4);
    struct names names = {.last = 'b'};

    expect_records(entries, "");
    record(entries, "c", task_ended(1));
    record(entries, "b", task_ended(2));
    record(entries, "a", task_ended(3));
    expect_records(entries, "cba");
    record(entries, "c", vhd_task_ref(task)); /* its latest task is the youngest now */
    expect_records(entries, "bac*");
    vhd_task_run(task, NULL, NULL);
    vhd_task_unref(task);
    expect_records(entries, "bac");

    assert_int_equal(fs_records_each(entries, add_name, &names), 'b');
    assert_string_equal(names.text, "b");
    fs_entries_free(entries);
}

static void the_oldest_records_above_the_limit_are_forgotten(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(3);

    for (char i = 0; i < 26; i++)
        record(entries, (char[]){(char)('a' + i), 0}, task_ended((uint64_t)i + 1));
    expect_records(entries, "xyz");
    assert_null(fs_entries_find(entries, "w"));
    record(entries, "x", task_ended(100)); /* no new name: nothing else goes */
    expect_records(entries, "yzx");
    assert_int_equal(recorded_by(entries, "x"), 100);
    fs_entries_free(entries);
}

static void a_record_outlives_the_limit_while_its_task_works(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(2);
    struct vhd_task *a = task_at_work(1), *b = task_at_work(2);

    record(entries, "a", vhd_task_ref(a));
    record(entries, "b", vhd_task_ref(b));
    record(entries, "c", task_ended(3));
    expect_records(entries, "a*b*");
    vhd_task_run(a, NULL, NULL);
    record(entries, "d", task_ended(4));
    expect_records(entries, "b*d");
    vhd_task_run(b, NULL, NULL);
    record(entries, "e", task_ended(5));
    expect_records(entries, "de");
    vhd_task_unref(a);
    vhd_task_unref(b);
    fs_entries_free(entries);
}

/* The record stays until the claim ends, because the claim may leave it as it is. */
static void a_claimed_name_keeps_its_record_above_the_limit(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(1);
    struct fs_entry *entry = NULL;

    record(entries, "a", task_ended(1));
    assert_int_equal(fs_records_claim(entries, "a", &entry), 0);
    record(entries, "b", task_ended(2));
    expect_records(entries, "a*");
    fs_record_end_claim(entries, entry, NULL);
    fs_entry_put(entries, entry);
    record(entries, "c", task_ended(3));
    expect_records(entries, "c");
    fs_entries_free(entries);
}

/* A record that is forgotten frees its entry only if no thread uses it. */
static void an_entry_in_use_outlives_its_record(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(1);
    struct fs_entry *entry = fs_entries_get(entries, "a");

    record(entries, "a", task_ended(1));
    record(entries, "b", task_ended(2));
    assert_int_equal(recorded(entries, entry), 0);
    assert_string_equal(fs_entry_name(entry), "a");
    fs_entry_put(entries, entry);
    assert_null(fs_entries_find(entries, "a"));
    fs_entries_free(entries);
}

/*
 * Threads.
 */

enum { THREADS = 2, ROUNDS = 3000 };

struct claimer {
    struct fs_entries *entries;
    struct gate *gate;
    unsigned *inside; /* atomic: how many have the claim at once */
    bool has_failed;
};

static void *claim_in_thread(void *arg)
{
    struct claimer *claimer = arg;
    struct fs_entry *entry;

    gate_pass(claimer->gate);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        int err;
        while ((err = fs_records_claim(claimer->entries, "a", &entry)) == -EBUSY)
            sched_yield();
        if (err < 0) {
            claimer->has_failed = true;
            break;
        }
        claimer->has_failed |= __atomic_add_fetch(claimer->inside, 1, __ATOMIC_SEQ_CST) != 1;
        if (i % 50 == 0)
            sched_yield();
        __atomic_sub_fetch(claimer->inside, 1, __ATOMIC_SEQ_CST);
        const struct vhd_verdict verdict = {VHD_DISK_FULL, "full"};
        struct vhd_task *task = vhd_task_new_refused(i, "test", "d", "test", &verdict);
        fs_record_end_claim(claimer->entries, entry, task);
        vhd_task_unref(task);
        fs_entry_put(claimer->entries, entry);
    }
    return NULL;
}

static void of_two_claims_one_succeeds(void **state)
{
    (void)state;
    struct fs_entries *entries = fs_entries_new(1);
    struct gate gate = GATE_CLOSED;
    struct claimer claimers[THREADS];
    pthread_t threads[THREADS];
    unsigned inside = 0;

    for (int i = 0; i < THREADS; i++) {
        claimers[i] = (struct claimer){.entries = entries, .gate = &gate, .inside = &inside};
        assert_int_equal(pthread_create(&threads[i], NULL, claim_in_thread, &claimers[i]), 0);
    }
    gate_await(&gate, THREADS);
    gate_open(&gate);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(claimers[i].has_failed);
    }
    expect_records(entries, "a");
    fs_entries_free(entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_keeps_others_out),
        cmocka_unit_test(a_claim_keeps_its_entry),
        cmocka_unit_test(a_name_is_at_work_until_its_task_ends),
        cmocka_unit_test(a_record_keeps_its_entry),
        cmocka_unit_test(a_new_task_replaces_the_former_one),
        cmocka_unit_test(a_record_is_forgotten_once_its_task_has_ended),
        cmocka_unit_test(a_retired_entry_is_not_claimed),
        cmocka_unit_test(records_are_visited_from_the_oldest_on),
        cmocka_unit_test(the_oldest_records_above_the_limit_are_forgotten),
        cmocka_unit_test(a_record_outlives_the_limit_while_its_task_works),
        cmocka_unit_test(a_claimed_name_keeps_its_record_above_the_limit),
        cmocka_unit_test(an_entry_in_use_outlives_its_record),
        cmocka_unit_test(of_two_claims_one_succeeds),
    };
    return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
