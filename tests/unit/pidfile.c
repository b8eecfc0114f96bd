/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a start would fail, or a pid file would name no process, because an earlier
 * daemon with the same pid file removes it at its end.
 */
#include "process/pidfile.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

/* The number in the file; 0 without a file or a number. */
static int pid_in(const char *path)
{
    int pid = 0;

    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    const bool is_read = fscanf(file, "%9d", &pid) == 1;
    fclose(file);
    return is_read ? pid : 0;
}

static struct fs_pidfile *opened(const char *path)
{
    struct fs_pidfile *pidfile = NULL;

    assert_int_equal(fs_pidfile_open(path, &pidfile), 0);
    assert_non_null(pidfile);
    return pidfile;
}

static void names_this_process_until_it_is_removed(void **state)
{
    const char *path = scratch_path(*state, "pid");
    struct fs_pidfile *pidfile = opened(path);

    fs_pidfile_write(pidfile);
    assert_int_equal(pid_in(path), getpid());
    fs_pidfile_remove(pidfile);
    assert_int_equal(access(path, F_OK), -1);
    fs_pidfile_close(pidfile);
}

static void an_older_file_stays_until_ours_is_written(void **state)
{
    const char *path = scratch_path(*state, "pid");

    scratch_put(*state, "pid", "1\n", 2);
    struct fs_pidfile *pidfile = opened(path);
    fs_pidfile_remove(pidfile);
    assert_int_equal(pid_in(path), 1);
    fs_pidfile_write(pidfile);
    assert_int_equal(pid_in(path), getpid());
    scratch_put(*state, "pid", "1\n", 2); /* the next vhdfs has written its own */
    fs_pidfile_remove(pidfile);
    assert_int_equal(pid_in(path), 1);
    fs_pidfile_close(pidfile);
}

static void is_made_again_after_another_removed_it(void **state)
{
    const char *path = scratch_path(*state, "pid");
    struct fs_pidfile *pidfile = opened(path);

    assert_int_equal(unlink(path), 0);
    fs_pidfile_write(pidfile);
    assert_int_equal(pid_in(path), getpid());
    fs_pidfile_remove(pidfile);
    fs_pidfile_close(pidfile);
}

struct remover {
    const char *path;
    atomic_bool is_over;
};

static void *remove_again_and_again(void *arg)
{
    struct remover *remover = arg;

    while (!atomic_load(&remover->is_over))
        unlink(remover->path);
    return NULL;
}

static void can_be_opened_while_another_removes_it(void **state)
{
    struct remover remover = {.path = scratch_path(*state, "pid")};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, remove_again_and_again, &remover), 0);
    for (int i = 0; i < 200; i++)
        fs_pidfile_close(opened(remover.path));
    atomic_store(&remover.is_over, true);
    pthread_join(thread, NULL);
}

static void a_folder_that_is_missing_is_reported(void **state)
{
    struct fs_pidfile *pidfile = NULL;

    assert_int_equal(fs_pidfile_open(scratch_path(*state, "none/pid"), &pidfile), -ENOENT);
    assert_null(pidfile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(names_this_process_until_it_is_removed),
        SCRATCH_TEST(an_older_file_stays_until_ours_is_written),
        SCRATCH_TEST(is_made_again_after_another_removed_it),
        SCRATCH_TEST(can_be_opened_while_another_removes_it),
        SCRATCH_TEST(a_folder_that_is_missing_is_reported),
    };
    return cmocka_run_group_tests_name("pidfile", tests, NULL, NULL);
}
