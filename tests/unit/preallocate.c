/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a fixed disk would lack space that its request promised, show old bytes of the
 * host, have no progress, or leave a part of itself after a cancel.
 */
#include "operation/preallocate.h"

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

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define GB            (UINT64_C(1) << 30)

/* The library's calls of these come here, under both of their names. */
int __real_fallocate(int fd, int mode, off_t off, off_t len);
int __real_fallocate64(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t off, off_t len);
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __real_pwrite64(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

typedef int reserve_call(int fd, int mode, off_t off, off_t len);
typedef ssize_t write_call(int fd, const void *buf, size_t len, off_t off);

/* A kind of call: some succeed, then some fail. */
struct failing {
    unsigned after, times;
    int err;
};

static struct host {
    bool has_no_fallocate, is_pretended; /* is_pretended: fallocate does nothing, and succeeds */
    struct failing reserving, writing, syncing;
    struct vhd_task *cancels; /* a reservation or sync cancels this task ... */
    unsigned cancels_after;   /* ... after so many */
    struct gate *gate;        /* each reservation passes it; NULL for none */

    unsigned reservations, writes, syncs;
    uint64_t end;           /* of the bytes that were reserved or written, without a gap */
    uint64_t unsynced;      /* bytes written since the last sync */
    uint64_t most_unsynced; /* at any time */
    bool has_gap, has_other_bytes;
} host;

static bool fails(struct failing *failing)
{
    if (failing->times == 0 || (failing->after > 0 && failing->after--))
        return false;
    failing->times--;
    errno = failing->err;
    return true;
}

static void cover(off_t off, uint64_t len)
{
    host.has_gap |= (uint64_t)off != host.end;
    host.end = (uint64_t)off + len;
}

static void cancel_in_time(void)
{
    if (host.cancels && host.cancels_after-- == 0)
        vhd_task_cancel(host.cancels);
}

static int reserve(reserve_call *real, int fd, int mode, off_t off, off_t len)
{
    host.reservations++;
    if (host.gate)
        gate_pass(host.gate);
    if (host.has_no_fallocate) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (fails(&host.reserving))
        return -1;
    host.has_gap |= mode != 0; /* others keep the length, or make holes */
    cover(off, (uint64_t)len);
    cancel_in_time();
    return host.is_pretended ? 0 : real(fd, mode, off, len);
}

int __wrap_fallocate(int fd, int mode, off_t off, off_t len)
{
    return reserve(__real_fallocate, fd, mode, off, len);
}

int __wrap_fallocate64(int fd, int mode, off_t off, off_t len)
{
    return reserve(__real_fallocate64, fd, mode, off, len);
}

static ssize_t write_bytes(write_call *real, int fd, const void *buf, size_t len, off_t off)
{
    if (fails(&host.writing))
        return -1;
    ssize_t done = real(fd, buf, len, off);
    if (done < 0)
        return done;
    host.writes++;
    host.has_other_bytes |=
        len > 0 && (*(const char *)buf != 0 || memcmp(buf, (const char *)buf + 1, len - 1) != 0);
    cover(off, (uint64_t)done);
    host.unsynced += (uint64_t)done;
    if (host.most_unsynced < host.unsynced)
        host.most_unsynced = host.unsynced;
    return done;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off)
{
    return write_bytes(__real_pwrite, fd, buf, len, off);
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off)
{
    return write_bytes(__real_pwrite64, fd, buf, len, off);
}

/* Without the host's sync: the bytes are for this test alone, and a sync would cost seconds. */
int __wrap_fdatasync(int fd)
{
    (void)fd;
    if (fails(&host.syncing))
        return -1;
    host.syncs++;
    host.unsynced = 0;
    cancel_in_time();
    return 0;
}

static int calm(void **state)
{
    host = (struct host){.has_no_fallocate = false};
    return scratch_setup(state);
}

#define HOST_TEST(test) cmocka_unit_test_setup_teardown(test, calm, scratch_teardown)

/* A file of the test's folder. */
static int file_open(const char *folder)
{
    int fd = open(scratch_path(folder, "file"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    return fd;
}

/* All of a file's bytes up to this length are zeros. */
static void expect_zeros(const char *folder, const char *file, uint64_t length)
{
    size_t file_len;
    uint8_t *bytes = file_bytes(folder, file, &file_len);

    assert_true(file_len >= length);
    assert_int_equal(*bytes, 0);
    assert_int_equal(memcmp(bytes, bytes + 1, length - 1), 0);
    free(bytes);
}

/* The host has allocated each byte; not judged on a file system without reservations. */
static void expect_allocated(const char *folder, const char *file, uint64_t length)
{
    int fd = open(scratch_path(folder, "probe"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    const int result = __real_fallocate64(fd, 0, 0, 4096);

    close(fd);
    assert_int_equal(unlink(scratch_path(folder, "probe")), 0);
    if (result == 0)
        assert_true(file_used(folder, file) >= length);
    else
        print_message("not judged: this file system reserves no space\n");
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
        assert_int_equal(vhd_preallocate(fd, lengths[i], 99, NULL), 0);
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
        assert_int_equal(vhd_preallocate(fd, lengths[i], 99, progress.task), 0);
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
    assert_int_equal(vhd_preallocate(fd, GB, 99, NULL), 0);
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
        assert_int_equal(vhd_preallocate(fd, GB, 99, NULL), -errors[i / 2]);
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
        assert_int_equal(vhd_preallocate(fd, lengths[i], 99, progress.task), 0);
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
        assert_int_equal(vhd_preallocate(fd, 20 * MB, 99, NULL), -ENOSPC);
        host = (struct host){.has_no_fallocate = true, .syncing = {after, 1, EIO}};
        assert_int_equal(vhd_preallocate(fd, 20 * MB, 99, NULL), -EIO);
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
            assert_int_equal(vhd_preallocate(fd, length, 99, progress.task), -ECANCELED);
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
    assert_int_equal(vhd_preallocate(fd, MB, 99, progress.task), -ECANCELED);
    assert_int_equal(host.reservations + host.writes, 0);
    progress_end(&progress);
    close(fd);
}

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
        HOST_TEST(the_host_reserves_the_content),
        HOST_TEST(each_byte_is_reserved_once),
        HOST_TEST(an_interrupted_reservation_goes_on),
        HOST_TEST(a_failed_reservation_is_reported),
        HOST_TEST(zeros_are_written_where_the_host_reserves_nothing),
        HOST_TEST(failed_zeros_are_reported),
        HOST_TEST(a_cancel_ends_the_call),
        HOST_TEST(a_cancel_before_the_call_reserves_nothing),
        HOST_TEST(a_fixed_disk_is_whole_and_usable),
        HOST_TEST(cancelled_at_work_or_accepted_leaves_nothing),
        HOST_TEST(an_existing_disk_is_refused_before_the_acceptance),
        HOST_TEST(of_two_fixed_disks_of_one_name_the_first_is_made),
        HOST_TEST(a_host_that_fills_up_after_the_acceptance_is_reported),
    };
    return cmocka_run_group_tests_name("preallocate", tests, NULL, NULL);
}
