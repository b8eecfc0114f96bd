/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a disk of which the kernel has many pages could not be opened after another
 * program had changed it, or a page that a mapping holds would keep an open waiting for ever.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "kernel/invalidate.h"
#include "gate.h"

#define GB (UINT64_C(1) << 30)

enum { PATIENCE_MS = 400 };

/* The kernel: its answer, the time that a part takes, and the parts so far. */
static struct kernel {
    int answer;
    unsigned part_ms;
    struct gate *gate; /* NULL for none */
    unsigned calls;
    off_t end; /* of the parts so far, without a break */
    bool reached_end;
} kernel;

int __wrap_fuse_session_fd(const struct fuse_session *session);
int __wrap_fuse_lowlevel_notify_inval_inode(struct fuse_session *session, fuse_ino_t id, off_t off,
                                            off_t len);

int __wrap_fuse_session_fd(const struct fuse_session *session)
{
    (void)session;
    return 0;
}

int __wrap_fuse_lowlevel_notify_inval_inode(struct fuse_session *session, fuse_ino_t id, off_t off,
                                            off_t len)
{
    const struct timespec pause = {.tv_nsec = kernel.part_ms * 1000000L};
    (void)session;

    assert_int_equal(id, 7);
    assert_int_equal(off, kernel.end);
    kernel.calls++;
    kernel.end = off + len;
    kernel.reached_end = len == 0;
    if (kernel.gate)
        gate_pass(kernel.gate);
    nanosleep(&pause, NULL);
    return kernel.answer;
}

static int invalidate(uint64_t size)
{
    struct fs_invalidator *invalidator = fs_invalidator_new(NULL);

    assert_non_null(invalidator);
    int err = fs_invalidate(invalidator, 7, size, PATIENCE_MS);
    if (kernel.gate)
        gate_open(kernel.gate);
    fs_invalidator_free(invalidator);
    return err;
}

static void a_small_file_goes_at_once(void **state)
{
    (void)state;
    kernel = (struct kernel){.answer = 0};
    assert_int_equal(invalidate(0), 0);
    assert_int_equal(kernel.calls, 1);
    assert_true(kernel.reached_end);
}

static void all_parts_go_up_to_the_end(void **state)
{
    (void)state;
    kernel = (struct kernel){.answer = 0};
    assert_int_equal(invalidate(5 * GB + 1), 0);
    assert_in_range(kernel.calls, 5, 100);
    assert_true(kernel.reached_end);
    assert_in_range(kernel.end, 4 * GB, 5 * GB + 1);
}

/* All together take longer than the patience. */
static void many_pages_may_take_long(void **state)
{
    (void)state;
    kernel = (struct kernel){.part_ms = PATIENCE_MS / 8};
    assert_int_equal(invalidate(8 * GB), 0);
    assert_true(kernel.calls > 8);
    assert_true(kernel.reached_end);
}

static void a_page_in_use_ends_the_wait(void **state)
{
    struct gate gate = GATE_CLOSED;
    (void)state;

    kernel = (struct kernel){.gate = &gate};
    assert_int_equal(invalidate(8 * GB), -ETIMEDOUT);
}

static void a_node_that_the_kernel_has_forgotten_has_no_pages(void **state)
{
    (void)state;
    kernel = (struct kernel){.answer = -ENOENT};
    assert_int_equal(invalidate(2040 * GB), 0);
    assert_in_range(kernel.calls, 1, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_file_goes_at_once),
        cmocka_unit_test(all_parts_go_up_to_the_end),
        cmocka_unit_test(many_pages_may_take_long),
        cmocka_unit_test(a_page_in_use_ends_the_wait),
        cmocka_unit_test(a_node_that_the_kernel_has_forgotten_has_no_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
