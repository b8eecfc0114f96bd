/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a program that was written for CreateDynamicVirtualHardDisk would get another
 * code than Virtual Server's for the same mistake, or a refused request would leave traces.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "gate.h"
#include "scratch.h"
#include "service_path.h"
#include "vhd.h"

static struct vhd_service *service_stopped(void)
{
    struct vhd_service *service = service_with(1);
    vhd_service_stop(service);
    return service;
}

/* A path of so many UTF-16 units in a folder. */
static const char *path_of(const char *folder, size_t units)
{
    const size_t rest = units - strlen(folder) - 1;
    char file[NAME_MAX + 2];

    assert_in_range(rest, 5, NAME_MAX + 1);
    memset(file, 'n', rest);
    memcpy(file + rest - 4, ".vhd", 5);
    return scratch_path(folder, file);
}

static void makes_a_disk(void **state)
{
    struct vhd_service *service = service_with(1);
    const char *path = scratch_path(*state, "disk1.vhd");
    struct vhd_task *task = NULL;
    struct vhd_task_status status;
    struct stat attributes;

    assert_int_equal(vhd_create_dynamic(service, path, 4096, &task, NULL), VHD_OK);
    assert_non_null(task);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_status(task, &status);
    assert_int_equal(status.state, VHD_TASK_COMPLETED);
    assert_int_equal(status.verdict.result, VHD_OK);
    assert_int_equal(status.id, 1);
    assert_string_equal(status.operation, "create");
    assert_string_equal(status.description, "Create dynamic virtual hard disk \"disk1\" (4096 MB)");
    vhd_task_unref(task);
    assert_int_equal(stat(path, &attributes), 0);
    assert_int_equal(attributes.st_size, 10240);
    assert_int_equal(scratch_count(*state, ""), 1);
    vhd_service_free(service);
}

static void the_limits_of_the_size(void **state)
{
    struct vhd_service *service = service_with(1);
    static const struct {
        int64_t mb;
        enum vhd_result result;
    } sizes[] = {
        {INT64_MIN, VHD_INVALID_ARGUMENT},
        {-1, VHD_INVALID_ARGUMENT},
        {0, VHD_INVALID_ARGUMENT},
        {1, VHD_SIZE_TOO_SMALL},
        {2, VHD_SIZE_TOO_SMALL},
        {3, VHD_OK},
        {2088960, VHD_OK},
        {2088961, VHD_SIZE_TOO_LARGE},
        {INT64_C(1) << 44, VHD_SIZE_TOO_LARGE},
        {INT64_MAX, VHD_SIZE_TOO_LARGE},
    };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *path = scratch_path(*state, "a.vhd");
        assert_int_equal(answer(service, path, sizes[i].mb), sizes[i].result);
        assert_int_equal(scratch_count(*state, ""), sizes[i].result == VHD_OK);
        unlink(path);
    }
    vhd_service_free(service);
}

static void pointers_that_are_null(void **state)
{
    struct vhd_service *service = service_with(1);
    const char *path = scratch_path(*state, "a.vhd");
    struct vhd_verdict why = {0};
    struct vhd_task *task = NULL;

    assert_int_equal(vhd_create_dynamic(NULL, path, 3, &task, &why), VHD_NULL_POINTER);
    assert_true(*why.sentence);
    assert_int_equal(vhd_create_dynamic(service, NULL, 3, &task, &why), VHD_NULL_POINTER);
    assert_int_equal(vhd_create_dynamic(service, path, 3, NULL, &why), VHD_NULL_POINTER);
    assert_int_equal(vhd_create_dynamic(NULL, NULL, 0, NULL, NULL), VHD_NULL_POINTER);
    assert_null(task);
    assert_int_equal(scratch_count(*state, ""), 0);
    vhd_service_free(service);
}

static void paths_that_are_empty_or_relative(void **state)
{
    struct vhd_service *service = service_with(1);
    const char *const paths[] = {"", "a.vhd", "./a.vhd", "../a.vhd", "C:\\a.vhd", "\\a.vhd", " /a"};

    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(before >= 0);
    assert_int_equal(chdir(*state), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(answer(service, paths[i], 3), VHD_BAD_PATHNAME);
    assert_int_equal(fchdir(before), 0);
    close(before);
    assert_int_equal(scratch_count(*state, ""), 0);
    vhd_service_free(service);
}

static void paths_of_260_units(void **state)
{
    struct vhd_service *service = service_with(1);
    char *folder = *state, file[NAME_MAX + 3], path[PATH_MAX];

    if (strlen(folder) > 200)
        folder = NULL; /* not enough space for the rest: judge by refusals alone */
    if (folder) {
        assert_int_equal(answer(service, path_of(folder, 259), 3), VHD_OK);
        assert_int_equal(answer(service, path_of(folder, 260), 3), VHD_BUFFER_OVERFLOW);
        assert_int_equal(scratch_count(folder, ""), 1);

        /* UTF-16 units count: U+20AC is three bytes and one unit, U+1F4BE four and two. */
        const char *const prefixes[] = {"\xE2\x82\xAC", "\xF0\x9F\x92\xBE"};
        for (size_t i = 0; i < 2; i++) {
            size_t slack = 259 - strlen(folder) - 1 - (i + 1) - 4;
            for (size_t over = 0; over < 2; over++) {
                size_t len = slack + over;
                if (strlen(prefixes[i]) + len + 4 > NAME_MAX)
                    continue;
                memcpy(stpcpy(file, prefixes[i]), memset(path, 'u', len), len);
                strcpy(file + strlen(prefixes[i]) + len, ".vhd");
                assert_int_equal(answer(service, scratch_path(folder, file), 3),
                                 over ? VHD_BUFFER_OVERFLOW : VHD_OK);
            }
        }
    }
    /* The name of a file over 255 bytes, in a path short enough. */
    memset(path, 'n', sizeof path);
    path[0] = '/';
    path[1 + NAME_MAX + 1] = 0;
    assert_int_equal(answer(service, path, 3), VHD_BUFFER_OVERFLOW);
    memset(path, '/', 300); /* a folder that is nothing but slashes is long too */
    strcpy(path + 300, "a.vhd");
    assert_int_equal(answer(service, path, 3), VHD_BUFFER_OVERFLOW);
    vhd_service_free(service);
}

static void names_that_are_not_allowed(void **state)
{
    struct vhd_service *service = service_with(1);
    const char *const files[] = {"",        ".vhd",     ".hidden.vhd", "-a.vhd",    "a~.vhd",
                                 "a .vhd",  "a..vhd",   "a*.vhd",      "a?.vhd",    "a:b.vhd",
                                 "a<.vhd",  "a>.vhd",   "a|.vhd",      "a\".vhd",   "a\\b.vhd",
                                 "NUL.vhd", "com1.vhd", "a\n.vhd",     "a\xFF.vhd", "."};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_int_equal(answer(service, scratch_path(*state, files[i]), 3), VHD_INVALID_NAME);
    assert_int_equal(scratch_count(*state, ""), 0);
    /* The host judges the characters of the folder. */
    assert_int_equal(mkdir(scratch_path(*state, "-a: b?"), 0777), 0);
    assert_int_equal(answer(service, scratch_path(*state, "-a: b?/a.vhd"), 3), VHD_OK);
    vhd_service_free(service);
}

static void a_file_that_exists(void **state)
{
    struct vhd_service *service = service_with(1);

    scratch_put(*state, "a.vhd", "precious", 8);
    assert_int_equal(symlink("nowhere", scratch_path(*state, "b.vhd")), 0);
    assert_int_equal(answer(service, scratch_path(*state, "a.vhd"), 3), VHD_ALREADY_EXISTS);
    assert_int_equal(answer(service, scratch_path(*state, "b.vhd"), 3), VHD_ALREADY_EXISTS);
    struct stat attributes;
    assert_int_equal(stat(scratch_path(*state, "a.vhd"), &attributes), 0);
    assert_int_equal(attributes.st_size, 8);
    assert_int_equal(scratch_count(*state, ""), 2);
    vhd_service_free(service);
}

/*
 * Each request breaks one rule and all later ones that can be broken with it; the first that
 * applies is the answer.
 */
static void the_first_broken_rule_is_answered(void **state)
{
    struct vhd_service *stopped = service_stopped(), *service = service_with(1);
    const char *folder = scratch_path(*state, "missing/missing");
    struct vhd_task *task = NULL;
    char bad[300] = "bad*";

    memset(bad + 4, 'n', 290);
    scratch_put(*state, "there.vhd", "", 0);
    assert_int_equal(vhd_create_dynamic(stopped, NULL, -1, NULL, NULL), VHD_SHUTTING_DOWN);
    assert_int_equal(vhd_create_dynamic(stopped, "", -1, &task, NULL), VHD_SHUTTING_DOWN);
    assert_int_equal(vhd_create_dynamic(service, "relative", -1, NULL, NULL), VHD_NULL_POINTER);
    assert_int_equal(vhd_create_dynamic(NULL, bad, -1, &task, NULL), VHD_NULL_POINTER);
    assert_int_equal(answer(service, bad, -1), VHD_BAD_PATHNAME);
    assert_int_equal(answer(service, scratch_path(folder, bad), -1), VHD_BUFFER_OVERFLOW);
    assert_int_equal(answer(service, scratch_path(folder, "bad*.vhd"), -1), VHD_INVALID_NAME);
    const char *const rest[] = {scratch_path(folder, "a.vhd"), scratch_path(*state, "there.vhd")};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(answer(service, rest[i], -1), VHD_INVALID_ARGUMENT);
        assert_int_equal(answer(service, rest[i], 2), VHD_SIZE_TOO_SMALL);
        assert_int_equal(answer(service, rest[i], 2088961), VHD_SIZE_TOO_LARGE);
    }
    assert_int_equal(answer(service, rest[0], 3), VHD_PATH_NOT_FOUND);
    assert_int_equal(answer(service, rest[1], 3), VHD_ALREADY_EXISTS);
    assert_null(task);
    assert_int_equal(scratch_count(*state, ""), 1);
    vhd_service_free(stopped);
    vhd_service_free(service);
}

static void a_stopped_service(void **state)
{
    struct vhd_service *service = service_stopped();

    assert_int_equal(answer(service, scratch_path(*state, "a.vhd"), 3), VHD_SHUTTING_DOWN);
    assert_int_equal(answer(service, scratch_path(*state, "new/a.vhd"), 3), VHD_SHUTTING_DOWN);
    assert_int_equal(scratch_count(*state, ""), 0);
    vhd_service_free(service);
}

/* Many threads ask for the same disks at the same moment. */
enum { CALLERS = 6, DISKS = 8 };

struct caller {
    struct vhd_service *service;
    const char *const *paths;
    pthread_barrier_t *barrier;
    enum vhd_result results[DISKS];
};

static void *call(void *arg)
{
    struct caller *caller = arg;

    for (int i = 0; i < DISKS; i++) {
        pthread_barrier_wait(caller->barrier);
        struct vhd_task *task;
        caller->results[i] = vhd_create_dynamic(caller->service, caller->paths[i], 3, &task, NULL);
        if (caller->results[i] != VHD_OK)
            continue;
        struct vhd_task_status status;
        vhd_task_wait(task, -1);
        vhd_task_status(task, &status);
        vhd_task_unref(task);
        caller->results[i] = status.verdict.result;
    }
    return NULL;
}

static void of_many_callers_one_makes_the_disk(void **state)
{
    struct vhd_service *service = service_with(3);
    struct caller callers[CALLERS];
    pthread_t threads[CALLERS];
    pthread_barrier_t barrier;
    const char *paths[DISKS];

    for (int i = 0; i < DISKS; i++) {
        char file[32];
        snprintf(file, sizeof file, "folder%d/a.vhd", i / 2);
        file[strlen(file) - 5] = (char)('a' + i % 2);
        paths[i] = scratch_path(*state, file);
    }
    pthread_barrier_init(&barrier, NULL, CALLERS);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.service = service, .paths = paths, .barrier = &barrier};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    for (int disk = 0; disk < DISKS; disk++) {
        int made = 0;
        for (int i = 0; i < CALLERS; i++) {
            if (callers[i].results[disk] == VHD_OK)
                made++;
            else
                assert_int_equal(callers[i].results[disk], VHD_ALREADY_EXISTS);
        }
        assert_int_equal(made, 1);
    }
    vhd_service_free(service);
    assert_int_equal(scratch_count(*state, ""), DISKS / 2);
}

/* Wait for a task, drop it and give its outcome. */
static enum vhd_result outcome_of(struct vhd_task *task)
{
    struct vhd_task_status status;

    vhd_task_wait(task, -1);
    vhd_task_status(task, &status);
    vhd_task_unref(task);
    return status.verdict.result;
}

static void a_fixed_disk_has_the_rules_of_a_dynamic_one(void **state)
{
    struct vhd_service *service = service_with(1);
    const char *path = scratch_path(*state, "fixed.vhd");
    struct vhd_task *task = NULL;
    struct stat attributes;

    assert_int_equal(vhd_create_fixed(NULL, path, 3, &task, NULL), VHD_NULL_POINTER);
    assert_int_equal(vhd_create_fixed(service, "fixed.vhd", 3, &task, NULL), VHD_BAD_PATHNAME);
    assert_int_equal(vhd_create_fixed(service, path, 2, &task, NULL), VHD_SIZE_TOO_SMALL);
    assert_int_equal(vhd_create_fixed(service, path, 2088961, &task, NULL), VHD_SIZE_TOO_LARGE);
    assert_null(task);
    assert_int_equal(scratch_count(*state, ""), 0);
    assert_int_equal(vhd_create_fixed(service, path, 3, &task, NULL), VHD_OK);
    assert_int_equal(outcome_of(task), VHD_OK);
    assert_int_equal(stat(path, &attributes), 0);
    assert_int_equal(attributes.st_size, 3 * 1048576 + 512);
    assert_int_equal(vhd_create_fixed(service, path, 3, &task, NULL), VHD_ALREADY_EXISTS);
    vhd_service_free(service);
}

static enum vhd_result differ(struct vhd_service *service, const char *path, const char *parent)
{
    struct vhd_verdict why = {0};
    struct vhd_task *task = NULL;

    enum vhd_result result = vhd_create_differencing(service, path, parent, &task, &why);
    if (result == VHD_OK)
        return outcome_of(task);
    return task || why.result != result || !*why.sentence ? VHD_OUTCOME_COUNT : result;
}

static void a_differencing_disk_lies_beside_its_parent(void **state)
{
    struct vhd_service *service = service_with(1);
    const char *base = scratch_path(*state, "base.vhd");

    assert_int_equal(answer(service, base, 8), VHD_OK);
    assert_int_equal(differ(service, scratch_path(*state, "a.vhd"), base), VHD_OK);
    assert_int_equal(differ(service, scratch_path(*state, "b.vhd"), "base.vhd"), VHD_OK);
    assert_int_equal(differ(service, "c.vhd", base), VHD_OK);
    assert_int_equal(scratch_count(*state, ""), 4);

    assert_int_equal(differ(service, "d.vhd", "base.vhd"), VHD_BAD_PATHNAME);
    assert_int_equal(differ(service, "", ""), VHD_BAD_PATHNAME);
    assert_int_equal(differ(service, "", base), VHD_BAD_PATHNAME);
    assert_int_equal(differ(service, NULL, base), VHD_NULL_POINTER);
    assert_int_equal(differ(service, base, NULL), VHD_NULL_POINTER);
    assert_int_equal(differ(service, base, base), VHD_ALREADY_EXISTS);
    assert_int_equal(differ(service, "d.vhd", scratch_path(*state, "none.vhd")),
                     VHD_PARENT_NOT_FOUND);
    assert_int_equal(differ(service, "d?.vhd", base), VHD_INVALID_NAME);
    assert_int_equal(differ(service, scratch_path(*state, "d.vhd"), "/tmp/base.vhd"),
                     VHD_INVALID_ARGUMENT);
    assert_int_equal(differ(service, scratch_path(*state, "d.vhd"), "/no/such/base.vhd"),
                     VHD_PATH_NOT_FOUND);
    assert_int_equal(scratch_count(*state, ""), 4);
    vhd_service_free(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(makes_a_disk),
        SCRATCH_TEST(the_limits_of_the_size),
        SCRATCH_TEST(pointers_that_are_null),
        SCRATCH_TEST(paths_that_are_empty_or_relative),
        SCRATCH_TEST(paths_of_260_units),
        SCRATCH_TEST(names_that_are_not_allowed),
        SCRATCH_TEST(a_file_that_exists),
        SCRATCH_TEST(the_first_broken_rule_is_answered),
        SCRATCH_TEST(a_stopped_service),
        SCRATCH_TEST(of_many_callers_one_makes_the_disk),
        SCRATCH_TEST(a_fixed_disk_has_the_rules_of_a_dynamic_one),
        SCRATCH_TEST(a_differencing_disk_lies_beside_its_parent),
    };
    return cmocka_run_group_tests_name("vhd", tests, NULL, NULL);
}
