/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a fixed disk would lack space that its request promised, show old bytes of the
 * host, or have no progress.
 */
#include "operation/preallocate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "gate.h"
#include "reserving.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define GB            (UINT64_C(1) << 30)

/* A file of the test's folder. */
static int file_open(const char *folder)
{
    int fd = open(scratch_path(folder, "file"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    return fd;
}

/* A task that notes each change of its progress. */
struct progress {
    struct vhd_task *task;
    struct vhd_task_listener listener;
    unsigned last, steps;
    bool is_wrong; /* it went back, or was complete */
};

static void note_progress(void *arg, struct vhd_task *task)
{
    (void)task;
    struct progress *progress = arg;
    struct vhd_task_status status;

    vhd_task_status(progress->task, &status);
    progress->is_wrong |= status.percent < progress->last || status.percent > 99;
    progress->steps += status.percent != progress->last;
    progress->last = status.percent;
}

static enum vhd_result never_run(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    (void)arg, (void)task;
    return vhd_verdict_set(ret, VHD_UNEXPECTED, NULL);
}

static void drop_nothing(void *arg)
{
    (void)arg;
}

static void progress_begin(struct progress *progress)
{
    static const struct vhd_work work = {"test", .run = never_run, .drop = drop_nothing};

    *progress = (struct progress){.listener = {note_progress, progress}};
    progress->task = vhd_task_new(1, &work, progress, "d", "Reserve as the test wants");
    assert_non_null(progress->task);
    vhd_task_listen(progress->task, &progress->listener);
}

static void progress_end(struct progress *progress)
{
    assert_false(progress->is_wrong);
    vhd_task_unref(progress->task);
}

static void the_host_reserves_the_content(void **state)
{
    const uint64_t lengths[] = {512, 3 * MB, 3 * MB + 512};

    for (size_t i = 0; i < LENGTH(lengths); i++) {
        int fd = file_open(*state);
        host = (struct host){.has_no_fallocate = false};
        assert_int_equal(vhd_preallocate(fd, 0, lengths[i], 99, NULL), 0);
        close(fd);
        assert_int_equal(file_length(*state, "file"), lengths[i]);
        assert_int_equal(host.end, lengths[i]);
        assert_false(host.has_gap);
        expect_zeros(*state, "file", lengths[i]);
        expect_allocated(*state, "file", lengths[i]);
    }
}

/* No host of a test has such space, so it only pretends. */
static void each_byte_is_reserved_once(void **state)
{
    const uint64_t lengths[] = {512, 256 * MB - 512, 256 * MB, 256 * MB + 512, 2040 * GB};

    for (size_t i = 0; i < LENGTH(lengths); i++) {
        int fd = file_open(*state);
        struct progress progress;
        host = (struct host){.is_pretended = true};
        progress_begin(&progress);
        assert_int_equal(vhd_preallocate(fd, 0, lengths[i], 99, progress.task), 0);
        assert_int_equal(host.end, lengths[i]);
        assert_false(host.has_gap);
        assert_int_equal(host.writes, 0);
        if (lengths[i] > GB)
            assert_in_range(progress.steps, 50, 99);
        progress_end(&progress);
        close(fd);
    }
}

static void an_interrupted_reservation_goes_on(void **state)
{
    int fd = file_open(*state);

    host = (struct host){.is_pretended = true, .reserving = {1, 3, EINTR}};
    assert_int_equal(vhd_preallocate(fd, 0, GB, 99, NULL), 0);
    assert_int_equal(host.end, GB);
    assert_false(host.has_gap);
    assert_int_equal(host.writes, 0);
    close(fd);
}

static void a_failed_reservation_is_reported(void **state)
{
    const int errors[] = {ENOSPC, EDQUOT, EFBIG, EIO, ENODEV};

    for (size_t i = 0; i < 2 * LENGTH(errors); i++) {
        int fd = file_open(*state);
        host = (struct host){.is_pretended = true, .reserving = {i % 2, 1, errors[i / 2]}};
        assert_int_equal(vhd_preallocate(fd, 0, GB, 99, NULL), -errors[i / 2]);
        assert_int_equal(host.reservations, i % 2 + 1);
        assert_int_equal(host.writes, 0);
        close(fd);
    }
}

static void zeros_are_written_where_the_host_reserves_nothing(void **state)
{
    const uint64_t lengths[] = {512, 3 * MB + 512, 40 * MB + 512};

    for (size_t i = 0; i < LENGTH(lengths); i++) {
        int fd = file_open(*state);
        struct progress progress;
        host = (struct host){.has_no_fallocate = true};
        progress_begin(&progress);
        assert_int_equal(vhd_preallocate(fd, 0, lengths[i], 99, progress.task), 0);
        assert_int_equal(host.end, lengths[i]);
        assert_false(host.has_gap);
        assert_false(host.has_other_bytes);
        assert_int_equal(host.unsynced, 0);
        assert_int_equal(host.reservations, 1); /* no second try */
        assert_int_equal(file_length(*state, "file"), lengths[i]);
        if (lengths[i] > 32 * MB) {
            assert_in_range(host.most_unsynced, 1, 32 * MB);
            assert_in_range(progress.steps, 2, 99);
        }
        progress_end(&progress);
        close(fd);
    }
}

static void failed_zeros_are_reported(void **state)
{
    int fd = file_open(*state);

    for (unsigned after = 0; after < 2; after++) {
        host = (struct host){.has_no_fallocate = true, .writing = {after, 1, ENOSPC}};
        assert_int_equal(vhd_preallocate(fd, 0, 20 * MB, 99, NULL), -ENOSPC);
        host = (struct host){.has_no_fallocate = true, .syncing = {after, 1, EIO}};
        assert_int_equal(vhd_preallocate(fd, 0, 20 * MB, 99, NULL), -EIO);
        assert_int_equal(host.syncs, after);
    }
    close(fd);
}

static void a_cancel_ends_the_call(void **state)
{
    for (int has_no_fallocate = 0; has_no_fallocate < 2; has_no_fallocate++) {
        const uint64_t length = has_no_fallocate ? 64 * MB : 2040 * GB;
        for (unsigned after = 0; after < 2; after++) {
            int fd = file_open(*state);
            struct progress progress;
            progress_begin(&progress);
            host = (struct host){
                .has_no_fallocate = has_no_fallocate,
                .is_pretended = true,
                .cancels = progress.task,
                .cancels_after = after,
            };
            assert_int_equal(vhd_preallocate(fd, 0, length, 99, progress.task), -ECANCELED);
            assert_in_range(host.end, 1, length / 2);
            assert_int_equal(has_no_fallocate ? host.syncs : host.reservations, after + 1);
            progress_end(&progress);
            close(fd);
        }
    }
}

static void a_cancel_before_the_call_reserves_nothing(void **state)
{
    int fd = file_open(*state);
    struct progress progress;

    progress_begin(&progress);
    assert_int_equal(vhd_task_cancel(progress.task), 0);
    assert_int_equal(vhd_preallocate(fd, 0, MB, 99, progress.task), -ECANCELED);
    assert_int_equal(host.reservations + host.writes, 0);
    progress_end(&progress);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(the_host_reserves_the_content),
        HOST_TEST(each_byte_is_reserved_once),
        HOST_TEST(an_interrupted_reservation_goes_on),
        HOST_TEST(a_failed_reservation_is_reported),
        HOST_TEST(zeros_are_written_where_the_host_reserves_nothing),
        HOST_TEST(failed_zeros_are_reported),
        HOST_TEST(a_cancel_ends_the_call),
        HOST_TEST(a_cancel_before_the_call_reserves_nothing),
    };
    return cmocka_run_group_tests_name("preallocate", tests, NULL, NULL);
}
