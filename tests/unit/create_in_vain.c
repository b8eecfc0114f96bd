/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a creation that was refused, cancelled or cut off would leave something behind,
 * or replace a disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "create.h"
#include "gate.h"
#include "operation/create.h"
#include "sample.h"
#include "scratch.h"

static void a_task_never_submitted_leaves_nothing(void **state)
{
    struct vhd_store *store = open_store(*state);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_create *create = creation(store, "a.vhd", 3 * MB, is_named);
        assert_int_equal(vhd_create_admit(create, NULL), VHD_OK);
        vhd_create_free(create);
        assert_int_equal(scratch_count(*state, ""), 0);
        vhd_create_free(creation(store, "a.vhd", 3 * MB, is_named));
    }
    vhd_store_unref(store);
}

static void a_stopped_service_makes_nothing(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(1);

    vhd_service_stop(service);
    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_task *task = NULL;
        struct vhd_verdict verdict = {0};
        struct vhd_create *create = creation(store, "a.vhd", 3 * MB, is_named);
        assert_int_equal(vhd_create_admit(create, NULL), VHD_OK);
        assert_int_equal(vhd_create_submit(service, create, &task, &verdict), VHD_SHUTTING_DOWN);
        assert_int_equal(verdict.result, VHD_SHUTTING_DOWN);
        assert_null(task);
        assert_int_equal(scratch_count(*state, ""), 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

/* The host has space for a dynamic disk, not for a fixed one of this size. */
static void ask_for_much(void *path)
{
    const struct vhd_request request = {.size = 16 * MB, .is_fixed = true};
    struct vhd_store *store;
    struct vhd_service *service;

    child_mount(path, "size=16m");
    CHILD_EXPECT(vhd_store_open(path, 0, &store, NULL) == VHD_OK);
    CHILD_EXPECT(vhd_service_new(1, 1, &service) == 0);
    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_task_status status;
        struct vhd_task *task;
        struct vhd_create *create = create_new(store, "a.vhd", &request);
        CHILD_EXPECT(create != NULL);
        if (is_named)
            vhd_create_name_draft(create);
        CHILD_EXPECT(vhd_create_submit(service, create, &task, NULL) == VHD_OK);
        CHILD_EXPECT(vhd_task_wait(task, -1) == 0);
        vhd_task_status(task, &status);
        CHILD_EXPECT(status.verdict.result == VHD_DISK_FULL);
        CHILD_EXPECT(*status.verdict.sentence);
        CHILD_EXPECT(!status.is_accepted);
        CHILD_EXPECT(scratch_count(path, "") == 0);
        vhd_task_unref(task);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

static void a_fixed_disk_without_space_is_never_accepted(void **state)
{
    in_child(ask_for_much, *state);
}

/* Work that keeps the one worker busy until a test lets it go. */
static enum vhd_result stand_still(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    gate_pass(arg);
    return vhd_task_commit(task) ? VHD_OK : vhd_verdict_set(ret, VHD_CANCELLED, NULL);
}

static void drop_nothing(void *arg)
{
    (void)arg;
}

static const struct vhd_work standing_still = {"stand", .run = stand_still, .drop = drop_nothing};

static void cancelled_while_queued_leaves_nothing(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(1);
    struct gate gate = GATE_CLOSED;
    struct vhd_task *busy;

    assert_int_equal(vhd_service_submit(service, &standing_still, &gate, "d", "Wait", &busy, NULL),
                     VHD_OK);
    for (int i = 0; i < 4; i++) {
        struct vhd_create *create = creation(store, "a.vhd", 3 * MB, i % 2);
        if (i < 2)
            assert_int_equal(vhd_create_admit(create, NULL), VHD_OK);
        struct vhd_task *task = submit(service, create);
        assert_int_equal(vhd_task_cancel(task), 0);
        assert_int_equal(scratch_count(*state, ""), 0);
        assert_int_equal(outcome(task), VHD_CANCELLED);
    }
    gate_open(&gate);
    assert_int_equal(outcome(busy), VHD_OK);
    vhd_service_free(service);
    assert_int_equal(scratch_count(*state, ""), 0);
    vhd_store_unref(store);
}

static void a_folder_that_vanishes_is_reported(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder);
    struct vhd_service *service = service_with(1);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_create *create = creation(store, "a.vhd", 3 * MB, is_named);
        if (is_named == 0)
            assert_int_equal(rmdir(folder), 0);
        assert_int_equal(outcome(submit(service, create)), VHD_PATH_NOT_FOUND);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

/* Cancel at any moment of the work: the outcome and the store must agree. */
static void cancelled_at_any_moment_leaves_all_or_nothing(void **state)
{
    enum { ROUNDS = 60 };
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(2);
    unsigned cancelled = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct vhd_create *create = creation(store, "a.vhd", 4096 * MB, i % 2);
        struct vhd_task_status status;
        struct vhd_task *task = submit(service, create);
        for (unsigned spin = 0; spin < i % 30; spin++)
            vhd_task_status(task, &status);
        if (i % 3 == 0)
            UNTIL((vhd_task_status(task, &status), status.percent >= 50 || status.is_complete));
        int answer = vhd_task_cancel(task);
        assert_int_equal(vhd_task_wait(task, -1), 0);
        vhd_task_status(task, &status);
        vhd_task_unref(task);
        if (answer == 0) {
            cancelled++;
            assert_int_equal(status.state, VHD_TASK_STOPPED);
            assert_int_equal(scratch_count(*state, ""), 0);
            continue;
        }
        assert_int_equal(status.state, VHD_TASK_COMPLETED);
        assert_int_equal(scratch_count(*state, ""), 1);
        struct sample image = contents(*state, "a.vhd");
        assert_int_equal(image.len, 10240);
        assert_memory_equal(image.bytes, sample_end(&image), 512);
        free(image.bytes);
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
    assert_true(cancelled > 0);
}

static void of_two_creators_of_one_name_one_succeeds(void **state)
{
    enum { ROUNDS = 10, CREATORS = 4 };
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(CREATORS);

    for (int round = 0; round < ROUNDS; round++) {
        struct vhd_create *creates[CREATORS];
        struct vhd_task *tasks[CREATORS];
        int made = -1;
        for (int i = 0; i < CREATORS; i++) {
            creates[i] = creation(store, "a.vhd", (3 + (uint64_t)i) * MB, (round + i) % 2);
            assert_int_equal(vhd_create_admit(creates[i], NULL), VHD_OK);
        }
        for (int i = 0; i < CREATORS; i++)
            tasks[i] = submit(service, creates[i]);
        for (int i = 0; i < CREATORS; i++) {
            enum vhd_result result = outcome(tasks[i]);
            if (result == VHD_OK) {
                assert_int_equal(made, -1);
                made = i;
            } else {
                assert_int_equal(result, VHD_ALREADY_EXISTS);
            }
        }
        assert_true(made >= 0);
        assert_int_equal(scratch_count(*state, ""), 1);
        struct sample image = contents(*state, "a.vhd");
        uint8_t size[8];
        put64(size, (3 + (uint64_t)made) * MB);
        assert_memory_equal(image.bytes + 48, size, 8);
        free(image.bytes);
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

/* The host fills up between admission and the writing. */
static void fill_up_meanwhile(void *path)
{
    struct vhd_store *store;
    struct vhd_service *service;

    child_mount(path, "size=10m");
    CHILD_EXPECT(vhd_store_open(path, 0, &store, NULL) == VHD_OK);
    CHILD_EXPECT(vhd_service_new(1, 1, &service) == 0);
    for (int is_named = 0; is_named < 2; is_named++) {
        const struct vhd_request request = {.size = 2088960 * MB};
        struct vhd_task_status status;
        struct vhd_task *task;
        struct vhd_create *create = create_new(store, "a.vhd", &request);
        CHILD_EXPECT(create != NULL);
        if (is_named)
            vhd_create_name_draft(create);
        CHILD_EXPECT(vhd_create_admit(create, NULL) == VHD_OK);
        int fd = open(scratch_path(path, "much"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        CHILD_EXPECT(fd >= 0 && posix_fallocate(fd, 0, 8 << 20) == 0);
        CHILD_EXPECT(vhd_create_submit(service, create, &task, NULL) == VHD_OK);
        CHILD_EXPECT(vhd_task_wait(task, -1) == 0);
        vhd_task_status(task, &status);
        CHILD_EXPECT(status.state == VHD_TASK_FAILED);
        CHILD_EXPECT(status.verdict.result == VHD_DISK_FULL);
        CHILD_EXPECT(*status.verdict.sentence);
        CHILD_EXPECT(scratch_count(path, "") == 1);
        vhd_task_unref(task);
        close(fd);
        CHILD_EXPECT(unlink(scratch_path(path, "much")) == 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

static void a_host_that_fills_up_meanwhile_is_reported(void **state)
{
    in_child(fill_up_meanwhile, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_task_never_submitted_leaves_nothing),
        SCRATCH_TEST(a_stopped_service_makes_nothing),
        SCRATCH_TEST(a_fixed_disk_without_space_is_never_accepted),
        SCRATCH_TEST(cancelled_while_queued_leaves_nothing),
        SCRATCH_TEST(a_folder_that_vanishes_is_reported),
        SCRATCH_TEST(cancelled_at_any_moment_leaves_all_or_nothing),
        SCRATCH_TEST(of_two_creators_of_one_name_one_succeeds),
        SCRATCH_TEST(a_host_that_fills_up_meanwhile_is_reported),
    };
    return cmocka_run_group_tests_name("create_in_vain", tests, NULL, NULL);
}
