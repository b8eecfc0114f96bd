/* SPDX-License-Identifier: MIT */
/*
 * If this fails, the library takes a transfer that the kernel cut short for a whole one, and a part
 * of an image is missing although its user got no error.
 */
#include "base/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * The library's calls of pwritev(2), pwrite(2), pread(2) and fallocate(2) end here. So a test can
 * have the kernel do only a part of the work, or none. The siblings of these calls do the work.
 */
static size_t piece;              /* bytes of one call at most; 0: as the kernel likes */
static unsigned int interrupts;   /* calls still to be interrupted before one succeeds */
static unsigned int interrupt_by; /* interruptions before each call that succeeds */
static unsigned int calls;
static int fallocate_fails; /* the errno of fallocate(2); 0: it works */

static int is_interrupted(void)
{
    calls++;
    if (interrupts > 0) {
        interrupts--;
        errno = EINTR;
        return 1;
    }
    interrupts = interrupt_by;
    return 0;
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t off)
{
    if (is_interrupted()) {
        return -1;
    }
    if (piece == 0) {
        return pwritev2(fd, iov, count, off, 0);
    }
    size_t done = 0;
    for (int i = 0; i < count && done < piece; i++) {
        size_t len = iov[i].iov_len < piece - done ? iov[i].iov_len : piece - done;
        struct iovec part = {.iov_base = iov[i].iov_base, .iov_len = len};
        ssize_t n = pwritev2(fd, &part, 1, off + (off_t)done, 0);
        if (n < 0) {
            return done > 0 ? (ssize_t)done : -1;
        }
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
    if (is_interrupted()) {
        return -1;
    }
    struct iovec one = {.iov_base = (void *)buf, .iov_len = piece > 0 && len > piece ? piece : len};
    return pwritev2(fd, &one, 1, off, 0);
}

int fallocate(int fd, int mode, off_t off, off_t len)
{
    if (is_interrupted()) {
        return -1;
    }
    if (fallocate_fails) {
        errno = fallocate_fails;
        return -1;
    }
    return (int)syscall(SYS_fallocate, fd, mode, off, len);
}

ssize_t pread(int fd, void *buf, size_t len, off_t off)
{
    if (is_interrupted()) {
        return -1;
    }
    struct iovec one = {.iov_base = buf, .iov_len = piece > 0 && len > piece ? piece : len};
    return preadv(fd, &one, 1, off);
}

static void disturb(size_t bytes_a_call, unsigned int interrupts_a_call)
{
    piece = bytes_a_call;
    interrupt_by = interrupts = interrupts_a_call;
    calls = 0;
}

static int undisturbed(void **state)
{
    (void)state;
    disturb(0, 0);
    fallocate_fails = 0;
    return 0;
}

static int empty_file(void)
{
    int fd = memfd_create("io", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* The content from off on is these bytes, and ends behind them. */
static void assert_ends_with(int fd, uint64_t off, const char *expected)
{
    char buf[256];
    size_t len = 0;
    assert_int_equal(vhd_io_read(fd, buf, sizeof buf, off, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(buf, expected, len);
}

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
        cmocka_unit_test_setup(pieces_are_written_one_after_the_other, undisturbed),
        cmocka_unit_test_setup(the_file_position_plays_no_part, undisturbed),
        cmocka_unit_test_setup(offsets_have_64_bits, undisturbed),
        cmocka_unit_test_setup(pieces_without_bytes_are_stepped_over, undisturbed),
        cmocka_unit_test_setup(to_write_nothing_takes_no_call, undisturbed),
        cmocka_unit_test_setup(short_writes_are_finished, undisturbed),
        cmocka_unit_test_setup(interrupted_calls_are_made_again, undisturbed),
        cmocka_unit_test_setup(more_pieces_than_the_kernel_takes_at_once, undisturbed),
        cmocka_unit_test_setup(more_empty_pieces_than_the_kernel_takes_at_once, undisturbed),
        cmocka_unit_test_setup(short_reads_are_finished, undisturbed),
        cmocka_unit_test_setup(reads_stop_at_the_end_of_the_file, undisturbed),
        cmocka_unit_test_setup(failures_are_negative_errnos, undisturbed),
        cmocka_unit_test_setup(a_write_that_is_cut_for_good_fails, undisturbed),
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
