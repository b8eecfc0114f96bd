/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a host that writes less than it is asked for would leave an image in part.
 */
#include "base/io.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "disturbed.h"

static void pieces_are_written_one_after_the_other(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    struct iovec iov[] = {
        {.iov_base = (char[]){"con"}, .iov_len = 3},
        {.iov_base = (char[]){"e"}, .iov_len = 1},
        {.iov_base = (char[]){"ctix"}, .iov_len = 4},
    };

    assert_int_equal(vhd_io_write(fd, iov, 3, 5), 0);
    assert_ends_with(fd, 5, "conectix");
    assert_int_equal(lseek(fd, 0, SEEK_END), 13);

    char gap[5];
    size_t len = 0;
    assert_int_equal(vhd_io_read(fd, gap, sizeof gap, 0, &len), 0);
    assert_int_equal(len, sizeof gap);
    assert_memory_equal(gap, "\0\0\0\0\0", sizeof gap);
}

static void the_file_position_plays_no_part(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    struct iovec iov = {.iov_base = (char[]){"abc"}, .iov_len = 3};

    assert_int_equal(lseek(fd, 100, SEEK_SET), 100);
    assert_int_equal(vhd_io_write(fd, &iov, 1, 0), 0);
    assert_ends_with(fd, 0, "abc");
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 100);
}

static void offsets_have_64_bits(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    const uint64_t off = UINT64_C(2190433320960) - 3;
    struct iovec iov = {.iov_base = (char[]){"end"}, .iov_len = 3};

    assert_int_equal(vhd_io_write(fd, &iov, 1, off), 0);
    assert_ends_with(fd, off, "end");
    assert_int_equal(lseek(fd, 0, SEEK_END), 2190433320960);
}

static void pieces_without_bytes_are_stepped_over(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    struct iovec iov[] = {
        {.iov_base = NULL, .iov_len = 0},           {.iov_base = (char[]){"ab"}, .iov_len = 2},
        {.iov_base = NULL, .iov_len = 0},           {.iov_base = NULL, .iov_len = 0},
        {.iov_base = (char[]){"cd"}, .iov_len = 2}, {.iov_base = NULL, .iov_len = 0},
    };

    assert_int_equal(vhd_io_write(fd, iov, 6, 0), 0);
    assert_ends_with(fd, 0, "abcd");
}

static void to_write_nothing_takes_no_call(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    struct iovec iov[] = {{.iov_base = NULL, .iov_len = 0}, {.iov_base = NULL, .iov_len = 0}};

    assert_int_equal(vhd_io_write(fd, iov, 0, 0), 0);
    assert_int_equal(vhd_io_write(fd, iov, 2, 0), 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
}

/* Also after every possible cut, in the middle of a piece and at its edge. */
static void short_writes_are_finished(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes <= 9; bytes++) {
        AUTO_CLOSE int fd = empty_file();
        struct iovec iov[] = {
            {.iov_base = (char[]){"abc"}, .iov_len = 3},
            {.iov_base = NULL, .iov_len = 0},
            {.iov_base = (char[]){"d"}, .iov_len = 1},
            {.iov_base = (char[]){"efgh"}, .iov_len = 4},
            {.iov_base = NULL, .iov_len = 0},
        };
        disturb(bytes, 0);
        assert_int_equal(vhd_io_write(fd, iov, 5, 2), 0);
        disturb(0, 0);
        assert_ends_with(fd, 2, "abcdefgh");
    }
}

static void interrupted_calls_are_made_again(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    struct iovec iov[] = {
        {.iov_base = (char[]){"abc"}, .iov_len = 3},
        {.iov_base = (char[]){"def"}, .iov_len = 3},
    };
    char buf[6];
    size_t len = 0;

    disturb(2, 3);
    assert_int_equal(vhd_io_write(fd, iov, 2, 0), 0);
    assert_int_equal(calls, 12);

    disturb(4, 2);
    assert_int_equal(vhd_io_read(fd, buf, sizeof buf, 0, &len), 0);
    assert_int_equal(calls, 6);
    assert_int_equal(len, 6);
    assert_memory_equal(buf, "abcdef", 6);
}

static void more_pieces_than_the_kernel_takes_at_once(void **state)
{
    (void)state;
    enum { PIECES = 2 * IOV_MAX + 500, LEN = 3 };
    static char text[PIECES * LEN];
    static char back[PIECES * LEN + 1];
    static struct iovec iov[PIECES];
    AUTO_CLOSE int fd = empty_file();

    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)('a' + (i * 7 + i / 26) % 26);
    }
    for (size_t i = 0; i < PIECES; i++) {
        iov[i] = (struct iovec){.iov_base = text + i * LEN, .iov_len = LEN};
    }
    assert_int_equal(vhd_io_write(fd, iov, PIECES, 7), 0);

    size_t len = 0;
    assert_int_equal(vhd_io_read(fd, back, sizeof back, 7, &len), 0);
    assert_int_equal(len, sizeof text);
    assert_memory_equal(back, text, sizeof text);
}

static void more_empty_pieces_than_the_kernel_takes_at_once(void **state)
{
    (void)state;
    enum { PIECES = 2 * IOV_MAX + 1 };
    static struct iovec iov[PIECES];
    AUTO_CLOSE int fd = empty_file();

    iov[PIECES - 1] = (struct iovec){.iov_base = (char[]){"z"}, .iov_len = 1};
    assert_int_equal(vhd_io_write(fd, iov, PIECES, 0), 0);
    assert_ends_with(fd, 0, "z");
}

static void failures_are_negative_errnos(void **state)
{
    (void)state;
    AUTO_CLOSE int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    AUTO_CLOSE int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int ends[2];
    char byte = 'x';
    size_t len = 99;
    struct iovec iov;
    assert_true(full >= 0 && read_only >= 0 && folder >= 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    AUTO_CLOSE int reading = ends[0];
    AUTO_CLOSE int writing = ends[1];

    iov = (struct iovec){.iov_base = &byte, .iov_len = 1};
    assert_int_equal(vhd_io_write(full, &iov, 1, 0), -ENOSPC);
    iov = (struct iovec){.iov_base = &byte, .iov_len = 1};
    assert_int_equal(vhd_io_write(read_only, &iov, 1, 0), -EBADF);
    iov = (struct iovec){.iov_base = &byte, .iov_len = 1};
    assert_int_equal(vhd_io_write(writing, &iov, 1, 0), -ESPIPE);

    assert_int_equal(vhd_io_read(folder, &byte, 1, 0, &len), -EISDIR);
    assert_int_equal(vhd_io_read(reading, &byte, 1, 0, &len), -ESPIPE);
    assert_int_equal(vhd_io_read(-1, &byte, 1, 0, &len), -EBADF);
    assert_int_equal(len, 99);
}

/* The kernel writes up to the limit, reports that, and refuses only the rest. */
static void a_write_that_is_cut_for_good_fails(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = empty_file();
    struct rlimit before, limit;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, handler;
    struct iovec iov[] = {
        {.iov_base = (char[]){"abcdef"}, .iov_len = 6},
        {.iov_base = (char[]){"ghijkl"}, .iov_len = 6},
    };

    assert_int_equal(sigaction(SIGXFSZ, &ignore, &handler), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){.rlim_cur = 8, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int written = vhd_io_write(fd, iov, 2, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sigaction(SIGXFSZ, &handler, NULL), 0);

    assert_int_equal(written, -EFBIG);
    assert_ends_with(fd, 0, "abcdefgh");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pieces_are_written_one_after_the_other, undisturbed),
        cmocka_unit_test_setup(the_file_position_plays_no_part, undisturbed),
        cmocka_unit_test_setup(offsets_have_64_bits, undisturbed),
        cmocka_unit_test_setup(pieces_without_bytes_are_stepped_over, undisturbed),
        cmocka_unit_test_setup(to_write_nothing_takes_no_call, undisturbed),
        cmocka_unit_test_setup(short_writes_are_finished, undisturbed),
        cmocka_unit_test_setup(interrupted_calls_are_made_again, undisturbed),
        cmocka_unit_test_setup(more_pieces_than_the_kernel_takes_at_once, undisturbed),
        cmocka_unit_test_setup(more_empty_pieces_than_the_kernel_takes_at_once, undisturbed),
        cmocka_unit_test_setup(failures_are_negative_errnos, undisturbed),
        cmocka_unit_test_setup(a_write_that_is_cut_for_good_fails, undisturbed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
