/* SPDX-License-Identifier: MIT */
/*
 * If this failed, rm -r would delete a disk: the rmdir after a refused unlink would be obeyed, or
 * would be refused to a program that never asked for the unlink.
 */
#include "tree/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "entries.h"
#include "gate.h"
#include "tasks.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(a_refused_unlink_counts_for_its_process_and_disk),
        TABLE_TEST(a_refused_unlink_counts_for_five_seconds),
        TABLE_TEST(several_processes_may_clear_away_disks),
    };
    return cmocka_run_group_tests_name("entries_unlink", tests, NULL, NULL);
}
