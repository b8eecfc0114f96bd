/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a watch would be called twice or never: a writer would get no reply, or the
 * daemon would use memory that it has freed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cancellers.h"
#include "job.h"

/* A watch that notes how often, and on which thread, it was called. */
struct watcher {
    struct vhd_task_watch watch;
    struct vhd_task *task;
    unsigned calls; /* atomic */
    pthread_t thread;
    struct vhd_task_status seen;
    int answers[4]; /* of calls back into the task */
};

static void ended(struct vhd_task_watch *watch)
{
    struct watcher *watcher = (struct watcher *)watch;
    watcher->thread = pthread_self();
    COUNT(watcher->calls);
}

static void a_watch_is_called_once_on_the_ending_thread(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);
    struct watcher watchers[3] = {0};

    for (int i = 0; i < 3; i++) {
        watchers[i].watch.reached = ended;
        assert_int_equal(vhd_task_watch(task, &watchers[i].watch), 0);
    }
    struct runner runner;

    runner_begin(&runner, task);
    runner_end(&runner);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(watchers[i].calls, 1);
        assert_true(pthread_equal(watchers[i].thread, runner.thread));
        assert_int_equal(vhd_task_unwatch(task, &watchers[i].watch), -ESRCH);
        assert_int_equal(vhd_task_watch(task, &watchers[i].watch), -ESRCH);
    }
    vhd_task_unref(task);
    for (int i = 0; i < 3; i++)
        assert_int_equal(watchers[i].calls, 1);
}

static void a_withdrawn_watch_is_not_called(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);
    struct watcher watchers[3] = {0}, stranger = {0};

    for (int i = 0; i < 3; i++) {
        watchers[i].watch.reached = ended;
        assert_int_equal(vhd_task_watch(task, &watchers[i].watch), 0);
    }
    assert_int_equal(vhd_task_unwatch(task, &stranger.watch), -ESRCH);
    assert_int_equal(vhd_task_unwatch(task, &watchers[1].watch), 0);
    assert_int_equal(vhd_task_unwatch(task, &watchers[1].watch), -ESRCH);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(watchers[0].calls, 1);
    assert_int_equal(watchers[1].calls, 0);
    assert_int_equal(watchers[2].calls, 1);
    vhd_task_unref(task);
}

static void ended_and_call_back(struct vhd_task_watch *watch)
{
    struct watcher *watcher = (struct watcher *)watch;
    struct vhd_task *task = watcher->task;

    COUNT(watcher->calls);
    vhd_task_status(task, &watcher->seen);
    watcher->answers[0] = vhd_task_wait(task, -1);
    watcher->answers[1] = vhd_task_cancel(task);
    watcher->answers[2] = vhd_task_unwatch(task, watch);
    watcher->answers[3] = vhd_task_watch(task, watch);
    vhd_task_unref(task);
}

static void a_watch_may_call_the_task(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);
    struct watcher watcher = {.watch.reached = ended_and_call_back, .task = vhd_task_ref(task)};

    assert_int_equal(vhd_task_watch(task, &watcher.watch), 0);
    vhd_task_run(task, NULL, NULL);
    assert_int_equal(watcher.calls, 1);
    assert_int_equal(watcher.seen.state, VHD_TASK_COMPLETED);
    assert_int_equal(watcher.answers[0], 0);
    for (int i = 1; i < 4; i++)
        assert_int_equal(watcher.answers[i], -ESRCH);
    vhd_task_unref(task);
}

static unsigned freed;

static void ended_and_free(struct vhd_task_watch *watch)
{
    freed++;
    free(watch);
}

static void a_watch_may_be_freed_where_it_is_called(void **state)
{
    (void)state;
    struct job job = job_at_once();
    struct vhd_task *task = task_of(&quick_work, &job);

    freed = 0;
    for (int i = 0; i < 3; i++) {
        struct vhd_task_watch *watch = calloc(1, sizeof *watch);
        assert_non_null(watch);
        watch->reached = ended_and_free;
        assert_int_equal(vhd_task_watch(task, watch), 0);
    }
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(freed, 3);
    vhd_task_unref(task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watch_is_called_once_on_the_ending_thread),
        cmocka_unit_test(a_withdrawn_watch_is_not_called),
        cmocka_unit_test(a_watch_may_call_the_task),
        cmocka_unit_test(a_watch_may_be_freed_where_it_is_called),
    };
    return cmocka_run_group_tests_name("task_watch", tests, NULL, NULL);
}
