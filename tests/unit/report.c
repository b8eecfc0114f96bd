/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a user would see a report of a check with lines missing, broken or mixed up, or a
 * long one would take all memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "task/report.h"
#include "task/task.h"

static enum vhd_result run(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    (void)arg;
    vhd_task_commit(task);
    return vhd_verdict_set(ret, VHD_OK, NULL);
}

static void drop(void *arg)
{
    (void)arg;
}

static const struct vhd_work work = {"test", .run = run, .drop = drop};

static struct vhd_task *make_task(void)
{
    static char arg;
    struct vhd_task *task = vhd_task_new(1, &work, &arg, "d", "as the test wants it");
    assert_non_null(task);
    return task;
}

static void expect_report(struct vhd_task *task, const char *wanted)
{
    char *text;

    assert_int_equal(vhd_task_report(task, &text), 0);
    assert_string_equal(text, wanted);
    free(text);
}

static void a_task_has_no_report_at_first(void **state)
{
    struct vhd_task *task = make_task();
    char *text;
    (void)state;

    assert_false(vhd_task_has_report(task));
    assert_int_equal(vhd_task_report(task, &text), -ENOENT);
    vhd_task_unref(task);
}

static void a_report_may_be_empty(void **state)
{
    struct vhd_task *task = make_task();
    (void)state;

    vhd_task_report_begin(task);
    assert_true(vhd_task_has_report(task));
    expect_report(task, "");
    vhd_task_report_add(task, "footer lost at %d", 7);
    vhd_task_report_begin(task);
    expect_report(task, "footer lost at 7\n");
    vhd_task_unref(task);
}

static void lines_keep_their_order_and_outlive_the_work(void **state)
{
    struct vhd_task *task = make_task();
    struct vhd_task_status status;
    (void)state;

    vhd_task_report_add(task, "%s", "one");
    vhd_task_report_add(task, "%s", "two");
    assert_false(vhd_task_run(task, NULL, NULL));
    expect_report(task, "one\ntwo\n");
    vhd_task_status(task, &status);
    assert_true(status.changed.tv_sec > 0);
    vhd_task_unref(task);
}

static void a_line_is_one_line(void **state)
{
    struct vhd_task *task = make_task();
    (void)state;

    vhd_task_report_add(task, "%s", "parent \"a\nb\xff\"");
    expect_report(task, "parent \"a?b?\"\n");
    vhd_task_unref(task);
}

static void a_long_report_counts_the_rest(void **state)
{
    enum { LINES = 3 * (VHD_REPORT_MAX / 16) };
    struct vhd_task *task = make_task();
    char *text, wanted[64];
    unsigned shown = 0;
    (void)state;

    for (unsigned i = 0; i < LINES; i++)
        vhd_task_report_add(task, "line %010u", i);
    vhd_task_report_add(task, "x");
    assert_int_equal(vhd_task_report(task, &text), 0);
    assert_true(strlen(text) <= VHD_REPORT_MAX + sizeof wanted);
    const char *last = text;
    for (char *end; (end = strchr(last, '\n')) && end[1]; last = end + 1)
        shown++;
    snprintf(wanted, sizeof wanted, "%u more lines are not shown\n", LINES + 1 - shown);
    assert_string_equal(last, wanted);
    free(text);
    vhd_task_unref(task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_has_no_report_at_first),
        cmocka_unit_test(a_report_may_be_empty),
        cmocka_unit_test(lines_keep_their_order_and_outlive_the_work),
        cmocka_unit_test(a_line_is_one_line),
        cmocka_unit_test(a_long_report_counts_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
