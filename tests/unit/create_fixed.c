/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a fixed disk would be no usable image, or would leave a part of itself after a
 * cancel or on a full host.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine.h"
#include "format/footer.h"
#include "gate.h"
#include "operation/create.h"
#include "reserving.h"

/* Fixed disks, made whole. */
static struct vhd_service *service_new(void)
{
    struct vhd_service *service;
    assert_int_equal(vhd_service_new(1, 1, &service), 0);
    return service;
}

static const uint8_t given[16] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE,
                                  0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};

static struct vhd_task *submit_fixed(struct vhd_service *service, struct disks disks,
                                     const char *file, uint64_t size, bool is_named)
{
    struct vhd_request request = {.size = size, .is_fixed = true};
    struct vhd_task *task = NULL;

    if (is_named)
        memcpy(request.uuid, given, sizeof given);
    struct vhd_create *create = vhd_create_new(disks.catalogue, file, &request);
    assert_non_null(create);
    if (is_named)
        vhd_create_name_draft(create);
    assert_int_equal(vhd_create_submit(service, create, &task, NULL), VHD_OK);
    assert_non_null(task);
    return task;
}

static struct vhd_task_status status_of(struct vhd_task *task)
{
    struct vhd_task_status status;
    vhd_task_status(task, &status);
    return status;
}

/* Wait for a task's outcome, and drop it. A cancel is no fault of the host. */
static enum vhd_result outcome(struct vhd_task *task)
{
    struct vhd_verdict cancelled;

    assert_int_equal(vhd_task_wait(task, -1), 0);
    const struct vhd_task_status status = status_of(task);
    vhd_verdict_set(&cancelled, VHD_CANCELLED, NULL);
    if (status.verdict.result == VHD_CANCELLED)
        assert_string_equal(status.verdict.sentence, cancelled.sentence);
    else if (status.verdict.result != VHD_OK)
        assert_true(*status.verdict.sentence);
    vhd_task_unref(task);
    return status.verdict.result;
}

static void expect_fixed(const char *folder, uint64_t size, const uint8_t *uuid)
{
    size_t len;
    uint8_t *bytes = file_bytes(folder, "a.vhd", &len);
    struct vhd_footer_disk encoded;
    struct vhd_footer footer;
    struct vhd_fault fault;

    assert_int_equal(len, size + 512);
    memcpy(&encoded, bytes + size, sizeof encoded);
    free(bytes);
    assert_int_equal(vhd_footer_decode(&encoded, &footer, &fault), VHD_SOUND);
    assert_int_equal(footer.type, VHD_TYPE_FIXED);
    assert_true(footer.data_offset == VHD_NO_OFFSET);
    assert_int_equal(footer.original_size, size);
    assert_int_equal(footer.current_size, size);
    assert_int_equal(footer.features, VHD_FEATURES_NONE);
    assert_false(footer.is_disabled);
    if (uuid)
        assert_memory_equal(footer.uuid, uuid, 16);
    else
        assert_int_equal(footer.uuid[6] >> 4, 4); /* a random one says that it is */
    expect_zeros(folder, "a.vhd", size);
    if (!host.has_no_fallocate)
        expect_allocated(folder, "a.vhd", size);
}

/* The disk opens, and keeps what is written at both ends. */
static void expect_usable(struct disks disks, uint64_t size)
{
    struct vhd_disk *disk = open_writable(disks, "a");

    assert_int_equal(vhd_disk_size(disk), size);
    expect(disk, 0, size, 0);
    fill(disk, 0, 4096, 0x5A);
    fill(disk, size - 1000, 1000, 0xC3);
    close_disk(disk);
    disk = open_disk(disks, "a", 0);
    expect(disk, 0, 4096, 0x5A);
    expect(disk, 4096, size - 5096, 0);
    expect(disk, size - 1000, 1000, 0xC3);
    close_disk(disk);
}

static void a_fixed_disk_is_whole_and_usable(void **state)
{
    const uint64_t sizes[] = {3 * MB, 5 * MB + 512};
    struct disks disks = disks_open(*state);
    struct vhd_service *service = service_new();

    for (int i = 0; i < 8; i++) {
        const uint64_t size = sizes[i / 4];
        const bool is_named = i % 2;
        host = (struct host){.has_no_fallocate = i / 2 % 2};
        struct vhd_task *task = submit_fixed(service, disks, "a.vhd", size, is_named);
        assert_int_equal(vhd_task_wait(task, -1), 0);
        assert_int_equal(status_of(task).state, VHD_TASK_COMPLETED);
        assert_true(status_of(task).is_accepted);
        assert_int_equal(outcome(task), VHD_OK);
        assert_int_equal(host.end, size + 512);
        assert_false(host.has_gap);
        expect_fixed(*state, size, is_named ? given : NULL);
        expect_usable(disks, size);
        assert_int_equal(scratch_count(*state, ""), 1);
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    vhd_service_free(service);
    disks_close(disks);
}

/* One disk is being made, and another one is accepted behind it. */
static void cancelled_at_work_or_accepted_leaves_nothing(void **state)
{
    struct disks disks = disks_open(*state);

    for (int i = 0; i < 4; i++) {
        struct vhd_service *service = service_new();
        struct gate gate = GATE_CLOSED;
        host = (struct host){.gate = &gate, .has_no_fallocate = i / 2};
        struct vhd_task *working = submit_fixed(service, disks, "a.vhd", 3 * MB, i % 2);
        gate_await(&gate, 1);
        struct vhd_task *accepted = submit_fixed(service, disks, "b.vhd", 3 * MB, i % 2);
        UNTIL(status_of(accepted).is_accepted);
        assert_int_equal(status_of(accepted).state, VHD_TASK_QUEUED);
        assert_int_equal(scratch_count(*state, ""), i % 2 ? 2 : 0);
        assert_int_equal(vhd_task_cancel(accepted), 0);
        assert_int_equal(outcome(accepted), VHD_CANCELLED);
        assert_int_equal(scratch_count(*state, ""), i % 2);
        assert_int_equal(vhd_task_cancel(working), 0);
        gate_open(&gate);
        assert_int_equal(outcome(working), VHD_CANCELLED);
        assert_int_equal(scratch_count(*state, ""), 0);
        vhd_service_free(service);
    }
    disks_close(disks);
}

static void an_existing_disk_is_refused_before_the_acceptance(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_service *service = service_new();

    scratch_put(*state, "a.vhd", "", 0);
    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_task *task = submit_fixed(service, disks, "a.vhd", 3 * MB, is_named);
        assert_int_equal(vhd_task_wait(task, -1), 0);
        assert_false(status_of(task).is_accepted);
        assert_int_equal(outcome(task), VHD_ALREADY_EXISTS);
    }
    assert_int_equal(host.reservations + host.writes, 0);
    assert_int_equal(scratch_count(*state, ""), 1);
    vhd_service_free(service);
    disks_close(disks);
}

/* Both are accepted, because neither has its name yet. */
static void of_two_fixed_disks_of_one_name_the_first_is_made(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_service *service = service_new();
    struct gate gate = GATE_CLOSED;

    host.gate = &gate;
    struct vhd_task *first = submit_fixed(service, disks, "a.vhd", 3 * MB, false);
    gate_await(&gate, 1);
    struct vhd_task *second = submit_fixed(service, disks, "a.vhd", 4 * MB, false);
    UNTIL(status_of(second).is_accepted);
    gate_open(&gate);
    assert_int_equal(outcome(first), VHD_OK);
    assert_int_equal(outcome(second), VHD_ALREADY_EXISTS);
    assert_int_equal(scratch_count(*state, ""), 1);
    assert_int_equal(file_length(*state, "a.vhd"), 3 * MB + 512);
    vhd_service_free(service);
    disks_close(disks);
}

static void a_host_that_fills_up_after_the_acceptance_is_reported(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_service *service = service_new();

    for (int i = 0; i < 6; i++) {
        const struct failing full = {0, 1, ENOSPC};
        host = (struct host){.has_no_fallocate = i / 2 == 1};
        if (i / 2 == 0)
            host.reserving = full;
        else
            host.writing = full; /* of zeros, or of the footer */
        struct vhd_task *task = submit_fixed(service, disks, "a.vhd", 3 * MB, i % 2);
        assert_int_equal(vhd_task_wait(task, -1), 0);
        assert_int_equal(status_of(task).state, VHD_TASK_FAILED);
        assert_true(status_of(task).is_accepted);
        assert_int_equal(outcome(task), VHD_DISK_FULL);
        assert_int_equal(scratch_count(*state, ""), 0);
    }
    vhd_service_free(service);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(a_fixed_disk_is_whole_and_usable),
        HOST_TEST(cancelled_at_work_or_accepted_leaves_nothing),
        HOST_TEST(an_existing_disk_is_refused_before_the_acceptance),
        HOST_TEST(of_two_fixed_disks_of_one_name_the_first_is_made),
        HOST_TEST(a_host_that_fills_up_after_the_acceptance_is_reported),
    };
    return cmocka_run_group_tests_name("create_fixed", tests, NULL, NULL);
}
