/* SPDX-License-Identifier: MIT */
/*
 * A table of entries for each test. A file that includes this has included cmocka.h before.
 */
#pragma once

#include <time.h>

#include "tree/entries.h"
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
static inline int table_setup(void **state)
{
    seconds_passed = 0;
    *state = fs_entries_new(100);
    return *state ? 0 : -1;
}

static inline int table_teardown(void **state)
{
    fs_entries_free(*state);
    return 0;
}

#define TABLE_TEST(test) cmocka_unit_test_setup_teardown(test, table_setup, table_teardown)

static inline struct fs_entry *get(struct fs_entries *entries, const char *name)
{
    struct fs_entry *entry = fs_entries_get(entries, name);
    assert_non_null(entry);
    assert_string_equal(fs_entry_name(entry), name);
    assert_int_not_equal(entry->serial, 0); /* that of the fixed tree */
    return entry;
}

/* A name, a serial leads to this entry, or to none. */
static inline void expect_name(struct fs_entries *entries, const char *name,
                               const struct fs_entry *entry)
{
    struct fs_entry *found = fs_entries_find(entries, name);
    assert_ptr_equal(found, entry);
    fs_entry_put(entries, found);
}

static inline void expect_serial(struct fs_entries *entries, uint32_t serial,
                                 const struct fs_entry *entry)
{
    struct fs_entry *found = fs_entries_by_serial(entries, serial);
    assert_ptr_equal(found, entry);
    fs_entry_put(entries, found);
}
