/* SPDX-License-Identifier: MIT */
/* If this failed, a name that a hostile image brings would lead out of the store. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/beneath.h"
#include "scratch.h"

long __real_syscall(long number, int dir_fd, const char *name, const void *how, size_t size);
long __wrap_syscall(long number, int dir_fd, const char *name, const void *how, size_t size);

static int refusal; /* the errno with which the host refuses openat2(2); 0 where it does not */

long __wrap_syscall(long number, int dir_fd, const char *name, const void *how, size_t size)
{
    if (!refusal)
        return __real_syscall(number, dir_fd, name, how, size);
    errno = refusal;
    return -1;
}

static int open_folder(void *state)
{
    const int fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void refuses(int folder, const char *name, int expected)
{
    errno = 0;
    assert_int_equal(open_beneath(folder, name, O_RDONLY, 0), -1);
    assert_int_equal(errno, expected);
}

static void opens_only_what_is_in_the_folder(void **state)
{
    struct stat attributes;

    assert_int_equal(mkdir(scratch_path(*state, "inside"), 0777), 0);
    const int folder = open_folder(*state);
    int fd = open_beneath(folder, "file", O_RDWR | O_CREAT | O_EXCL, 0640);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fstat(fd, &attributes), 0);
    assert_int_equal(attributes.st_mode & 07137, 0);
    close(fd);
    fd = open_beneath(folder, ".", O_RDONLY | O_DIRECTORY, 0);
    assert_true(fd >= 0);
    close(fd);
    refuses(folder, "absent", ENOENT);
    refuses(folder, "..", EXDEV);
    refuses(folder, "../file", EXDEV);
    refuses(folder, "inside/../file", EXDEV);
    refuses(folder, "/etc/passwd", EXDEV);
    assert_int_equal(symlinkat("file", folder, "link"), 0);
    assert_int_equal(symlinkat("/etc/passwd", folder, "way-out"), 0);
    refuses(folder, "link", ELOOP);
    refuses(folder, "way-out", ELOOP);
    close(folder);
}

static void opens_the_same_where_the_host_refuses(void **state)
{
    static const int refusals[] = {ENOSYS, EPERM};

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        refusal = refusals[i];
        opens_only_what_is_in_the_folder(state);
        refusal = 0;
        assert_int_equal(unlink(scratch_path(*state, "file")), 0);
        assert_int_equal(unlink(scratch_path(*state, "link")), 0);
        assert_int_equal(unlink(scratch_path(*state, "way-out")), 0);
        assert_int_equal(rmdir(scratch_path(*state, "inside")), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(opens_only_what_is_in_the_folder),
        SCRATCH_TEST(opens_the_same_where_the_host_refuses),
    };
    return cmocka_run_group_tests_name("beneath", tests, NULL, NULL);
}
