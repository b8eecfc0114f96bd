/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a host that reads or writes less than it is asked for would give a part of a
 * range for the whole, or content would stay where zeros were requested.
 */
#include "base/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "disturbed.h"

static void short_reads_are_finished(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    struct iovec iov = {.iov_base = (char[]){"abcdefgh"}, .iov_len = 8};
    assert_int_equal(vhd_io_write(fd, &iov, 1, 0), 0);

    for (size_t bytes = 1; bytes <= 9; bytes++) {
        char buf[7];
        size_t len = 0;
        disturb(bytes, 0);
        assert_int_equal(vhd_io_read(fd, buf, sizeof buf, 1, &len), 0);
        assert_int_equal(len, 7);
        assert_memory_equal(buf, "bcdefgh", 7);
    }
}

static void reads_stop_at_the_end_of_the_file(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    struct iovec iov = {.iov_base = (char[]){"abcd"}, .iov_len = 4};
    char buf[8];
    size_t len = 99;
    assert_int_equal(vhd_io_write(fd, &iov, 1, 0), 0);

    memset(buf, '#', sizeof buf);
    assert_int_equal(vhd_io_read(fd, buf, sizeof buf, 2, &len), 0);
    assert_int_equal(len, 2);
    assert_memory_equal(buf, "cd######", 8);

    assert_int_equal(vhd_io_read(fd, buf, sizeof buf, 4, &len), 0);
    assert_int_equal(len, 0);
    len = 99;
    assert_int_equal(vhd_io_read(fd, buf, sizeof buf, 4096, &len), 0);
    assert_int_equal(len, 0);
    len = 99;
    assert_int_equal(vhd_io_read(fd, buf, 0, 0, &len), 0);
    assert_int_equal(len, 0);
    assert_memory_equal(buf, "cd######", 8);
}

static void one_piece_is_put_where_it_belongs(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();

    assert_int_equal(vhd_io_put(fd, "conectix", 8, 5), 0);
    assert_ends_with(fd, 5, "conectix");
    assert_int_equal(vhd_io_put(fd, "X", 1, 12), 0);
    assert_ends_with(fd, 5, "conectiX");
    assert_int_equal(vhd_io_put(fd, NULL, 0, 100), 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), 13);
}

static void a_put_that_is_cut_or_interrupted_is_finished(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes <= 9; bytes++) {
        AUTO_CLOSE int fd = empty_file();
        disturb(bytes, 2);
        assert_int_equal(vhd_io_put(fd, "abcdefgh", 8, 2), 0);
        disturb(0, 0);
        assert_ends_with(fd, 2, "abcdefgh");
    }
}

static void a_put_that_fails_reports_the_reason(void **state)
{
    (void)state;
    AUTO_CLOSE int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    AUTO_CLOSE int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_int_equal(vhd_io_put(full, "x", 1, 0), -ENOSPC);
    assert_int_equal(vhd_io_put(read_only, "x", 1, 0), -EBADF);
    assert_int_equal(vhd_io_put(-1, "x", 1, 0), -EBADF);
}

static void a_range_is_got_whole(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    char buf[8];

    assert_int_equal(vhd_io_put(fd, "abcdefgh", 8, 0), 0);
    for (size_t bytes = 1; bytes <= 9; bytes++) {
        memset(buf, '#', sizeof buf);
        disturb(bytes, 1);
        assert_int_equal(vhd_io_get(fd, buf, 5, 3), 0);
        assert_memory_equal(buf, "defgh###", 8);
    }
    disturb(0, 0);
    assert_int_equal(vhd_io_get(fd, buf, 0, 0), 0);
    assert_int_equal(vhd_io_get(fd, buf, 0, 1000), 0);
}

/* An image that another program has cut is damaged, not full of zeros. */
static void a_range_beyond_the_end_cannot_be_got(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    AUTO_CLOSE int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char buf[8];

    assert_int_equal(vhd_io_put(fd, "abcd", 4, 0), 0);
    assert_int_equal(vhd_io_get(fd, buf, 5, 0), -EIO);
    assert_int_equal(vhd_io_get(fd, buf, 1, 4), -EIO);
    assert_int_equal(vhd_io_get(fd, buf, 1, 4096), -EIO);
    assert_int_equal(vhd_io_get(-1, buf, 1, 0), -EBADF);
    assert_int_equal(vhd_io_get(folder, buf, 1, 0), -EISDIR);
}

enum { ZEROED = 300000, AROUND = 1000 };

/* A file of 0xEE with one range zeroed: exactly that range, and nothing around it. */
static void zero_a_stretch(void)
{
    static unsigned char bytes[ZEROED + 2 * AROUND];
    AUTO_CLOSE int fd = empty_file();
    struct stat attributes;

    memset(bytes, 0xEE, sizeof bytes);
    assert_int_equal(vhd_io_put(fd, bytes, sizeof bytes, 0), 0);
    assert_int_equal(vhd_io_zero(fd, AROUND, ZEROED), 0);
    assert_int_equal(vhd_io_zero(fd, 10, 0), 0);
    assert_int_equal(vhd_io_get(fd, bytes, sizeof bytes, 0), 0);
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], i >= AROUND && i < AROUND + ZEROED ? 0 : 0xEE);
    }
    assert_int_equal(fstat(fd, &attributes), 0);
    assert_int_equal(attributes.st_size, sizeof bytes);
}

static void zeros_are_a_hole_where_there_are_holes(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    static const char bytes[1 << 20] = {1};
    struct stat before, after;

    zero_a_stretch();
    assert_int_equal(vhd_io_put(fd, bytes, sizeof bytes, 0), 0);
    assert_int_equal(fstat(fd, &before), 0);
    assert_int_equal(vhd_io_zero(fd, 0, sizeof bytes), 0);
    assert_int_equal(fstat(fd, &after), 0);
    assert_true(after.st_blocks < before.st_blocks);
    assert_int_equal(after.st_size, before.st_size);
}

static void zeros_are_written_where_there_are_none(void **state)
{
    (void)state;
    fallocate_fails = EOPNOTSUPP;
    zero_a_stretch();
    disturb(70001, 0);
    zero_a_stretch();
}

static void zeroing_that_is_interrupted_is_finished(void **state)
{
    (void)state;
    disturb(0, 3);
    zero_a_stretch();
    fallocate_fails = EOPNOTSUPP;
    disturb(9999, 1);
    zero_a_stretch();
}

static void zeroing_that_fails_reports_the_reason(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    AUTO_CLOSE int full = open("/dev/full", O_RDWR | O_CLOEXEC);

    assert_int_equal(vhd_io_put(fd, "abcd", 4, 0), 0);
    fallocate_fails = EIO;
    assert_int_equal(vhd_io_zero(fd, 0, 4), -EIO);
    fallocate_fails = ENOSPC;
    assert_int_equal(vhd_io_zero(fd, 0, 4), -ENOSPC);
    assert_ends_with(fd, 0, "abcd");
    fallocate_fails = EOPNOTSUPP;
    assert_int_equal(vhd_io_zero(full, 0, 4), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(short_reads_are_finished, undisturbed),
        cmocka_unit_test_setup(reads_stop_at_the_end_of_the_file, undisturbed),
        cmocka_unit_test_setup(one_piece_is_put_where_it_belongs, undisturbed),
        cmocka_unit_test_setup(a_put_that_is_cut_or_interrupted_is_finished, undisturbed),
        cmocka_unit_test_setup(a_put_that_fails_reports_the_reason, undisturbed),
        cmocka_unit_test_setup(a_range_is_got_whole, undisturbed),
        cmocka_unit_test_setup(a_range_beyond_the_end_cannot_be_got, undisturbed),
        cmocka_unit_test_setup(zeros_are_a_hole_where_there_are_holes, undisturbed),
        cmocka_unit_test_setup(zeros_are_written_where_there_are_none, undisturbed),
        cmocka_unit_test_setup(zeroing_that_is_interrupted_is_finished, undisturbed),
        cmocka_unit_test_setup(zeroing_that_fails_reports_the_reason, undisturbed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
