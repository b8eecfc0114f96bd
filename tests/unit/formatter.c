/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a new disk would hold no file system, one of another kind, or one that does not
 * fill it; or mkfs.fat would go on after a cancel, get files that it must not see, or fail without
 * a reason.
 */
#include "operation/formatter.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "gate.h"
#include "scratch.h"

#define MB (UINT64_C(1) << 20)

static bool always(void *arg)
{
    (void)arg;
    return true;
}

/* A file of this length, without a name. */
static int file_of(const char *folder, uint64_t size)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    return fd;
}

static unsigned get(const uint8_t *bytes, unsigned at, unsigned len)
{
    unsigned value = 0;
    for (unsigned i = len; i > 0; i--)
        value = value << 8 | bytes[at + i - 1];
    return value;
}

/* Run the real mkfs.fat. The boot sector says what it has made. */
static void make(const char *folder, uint32_t bits, uint64_t size)
{
    const struct vhd_fat fat = vhd_fat_of(bits, size, "DATA");
    char reason[VHD_FORMATTER_REASON_SIZE];
    uint8_t boot[512], first[512], zeros[512] = {0};

    int fd = file_of(folder, MB);
    int err = vhd_formatter_direct.run(NULL, fd, &fat, always, NULL, reason);
    if (err != 0)
        fail_msg("FAT%u of %llu bytes: %s", bits, (unsigned long long)size, reason);
    assert_string_equal(reason, "");
    assert_int_equal(pread(fd, first, 512, 0), 512);
    assert_memory_equal(first, zeros, 512);
    assert_int_equal(pread(fd, boot, 512, 2048 * 512), 512);
    struct stat attributes;
    assert_int_equal(fstat(fd, &attributes), 0);
    assert_true((uint64_t)attributes.st_size <= MB + vhd_fat_written(&fat));
    close(fd);

    const unsigned sectors = get(boot, 19, 2) ? get(boot, 19, 2) : get(boot, 32, 4);
    const unsigned table = get(boot, 22, 2) ? get(boot, 22, 2) : get(boot, 36, 4);
    const unsigned root = get(boot, 17, 2) * 32 / 512, cluster = boot[13];
    /* Source: Microsoft, "FAT: General Overview of On-Disk Format", "FAT Type Determination". */
    const unsigned clusters = (sectors - get(boot, 14, 2) - boot[16] * table - root) / cluster;
    assert_int_equal(get(boot, 11, 2), 512);
    assert_int_equal(cluster, fat.cluster_sectors);
    assert_in_range(sectors, fat.sectors - 63, fat.sectors); /* whole tracks */
    assert_int_equal(get(boot, 28, 4), 2048);
    assert_int_equal(get(boot, 24, 2), 63);
    assert_int_equal(get(boot, 26, 2), 255);
    assert_int_equal(bits, clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32);
    assert_int_equal(get(boot, 22, 2) == 0, bits == 32);
    assert_memory_equal(boot + (bits == 32 ? 71 : 43), "DATA       ", 11);
}

static void mkfs_makes_the_type_at_all_limits(void **state)
{
    const uint64_t fat16[] = {VHD_FAT16_SIZE_MIN, 4 * MB,         33 * MB,
                              33 * MB + 512,      512 * MB + 512, VHD_FAT16_SIZE_MAX};
    const uint64_t fat32[] = {VHD_FAT32_SIZE_MIN, 2000 * MB + 1536, 8193 * MB, 8193 * MB + 512};

    if (!vhd_formatter_is_installed())
        skip();
    for (unsigned i = 0; i < sizeof fat16 / sizeof *fat16; i++)
        make(*state, 16, fat16[i]);
    for (unsigned i = 0; i < sizeof fat32 / sizeof *fat32; i++)
        make(*state, 32, fat32[i]);
}

/* One sector less than the limit is no FAT16 with the smallest clusters. */
static void the_smallest_size_is_the_limit(void **state)
{
    char reason[VHD_FORMATTER_REASON_SIZE];
    const struct vhd_fat fat = vhd_fat_of(16, VHD_FAT16_SIZE_MIN - 512, "");

    if (!vhd_formatter_is_installed())
        skip();
    int fd = file_of(*state, MB);
    assert_int_equal(vhd_formatter_direct.run(NULL, fd, &fat, always, NULL, reason), -EIO);
    assert_non_null(strstr(reason, "clusters"));
    close(fd);
}

/* Put a script into PATH, in front of the real mkfs.fat. */
static void pretend(const char *folder, const char *script)
{
    scratch_put(folder, "mkfs.fat", script, strlen(script));
    assert_int_equal(chmod(scratch_path(folder, "mkfs.fat"), 0755), 0);
    assert_int_equal(setenv("PATH", folder, 1), 0);
    assert_true(vhd_formatter_is_installed());
}

static int run(const char *folder, bool (*is_wanted)(void *arg), void *arg,
               char reason[VHD_FORMATTER_REASON_SIZE])
{
    const struct vhd_fat fat = vhd_fat_of(16, 512 * MB, "");
    int fd = file_of(folder, MB);

    memset(reason, '#', VHD_FORMATTER_REASON_SIZE);
    int err = vhd_formatter_direct.run(NULL, fd, &fat, is_wanted, arg, reason);
    close(fd);
    return err;
}

static void the_last_line_is_the_reason(void **state)
{
    const struct {
        const char *script, *reason;
        int err;
    } cases[] = {
        {"exit 0", "", 0},
        {"echo warning >&2", "", 0},
        {"exit 3", "exit status 3", -EIO},
        {"echo first >&2; echo mkfs.fat: the cause >&2; exit 1", "the cause", -EIO},
        {"echo the cause >&2; echo >&2; echo out; exit 1", "the cause", -EIO},
        {"printf 'mkfs.fat: no newline' >&2; exit 1", "no newline", -EIO},
        {"echo mkfs.fat: failed: No space left on device >&2; exit 1",
         "failed: No space left on device", -ENOSPC},
        {"echo mkfs.fat: failed: Disk quota exceeded >&2; exit 1", "failed: Disk quota exceeded",
         -EDQUOT},
        {"kill -9 $$", "killed by a signal (Killed)", -EIO},
        {"exec 2>&-; exit 1", "exit status 1", -EIO},
    };
    char reason[VHD_FORMATTER_REASON_SIZE], script[256];

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(script, sizeof script, "#!/bin/sh\n%s\n", cases[i].script);
        pretend(*state, script);
        assert_int_equal(run(*state, always, NULL, reason), cases[i].err);
        assert_string_equal(reason, cases[i].reason);
    }
    /* Any amount of text is read, and a long line is cut. */
    pretend(*state,
            "#!/bin/sh\nfor i in 1 2 3; do head -c 100000 /dev/zero | tr '\\0' x >&2; done\n"
            "exit 1\n");
    assert_int_equal(run(*state, always, NULL, reason), -EIO);
    assert_int_equal(strlen(reason), VHD_FORMATTER_REASON_SIZE - 1);
    /* A file that is no program. Valgrind lets the child start and die. */
    pretend(*state, "#!/no/interpreter\n");
    assert_int_equal(run(*state, always, NULL, reason), -EIO);
    assert_true(strstr(reason, "cannot start") || strstr(reason, "exit status") ||
                strstr(reason, "killed by"));
}

/* It gets the file as descriptor 3, nothing else, and no variables of ours. */
static void the_child_gets_nothing_else(void **state)
{
    char reason[VHD_FORMATTER_REASON_SIZE];
    int other = fcntl(STDERR_FILENO, F_DUPFD, 20); /* without O_CLOEXEC */
    sigset_t some, before;

    assert_true(other >= 20);
    setenv("VHDFS_TEST_SECRET", "x", 1);
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &some, &before);
    pretend(
        *state,
        "#!/bin/sh\n"
        "[ -z \"$VHDFS_TEST_SECRET\" ] || exit 2\n"
        "[ $(stat -Lc %s /proc/self/fd/3) = 1048576 ] || exit 3\n"
        "for fd in /proc/$$/fd/*; do case ${fd##*/} in [0123]|10|255) ;; *) [ ! -e $fd ] || exit 4;; esac; done\n"
        "grep -q '^SigBlk:.*[1-9a-f]' /proc/self/status && exit 5\n"
        "[ $(readlink /proc/$$/fd/0) = /dev/null ] || exit 6\n"
        "read -r x < /proc/$$/stat; set -- $x; [ $5 = $$ ] || exit 7\n"
        "exit 0\n");
    int err = run(*state, always, NULL, reason);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(other);
    assert_string_equal(reason, "");
    assert_int_equal(err, 0);
}

/* Wanted until the program is at work. */
static bool until_begun(void *arg)
{
    return !scratch_has(arg, "begun");
}

/* Has a process ended? Nobody may have reaped it yet. */
static bool has_ended(int pid)
{
    char path[64], stat[256] = "";

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return true;
    size_t len = fread(stat, 1, sizeof stat - 1, file);
    fclose(file);
    return len == 0 || strstr(stat, ") Z") || strstr(stat, ") X");
}

static void no_longer_wanted_ends_it_at_once(void **state)
{
    char reason[VHD_FORMATTER_REASON_SIZE], script[2 * PATH_MAX];
    int child = 0;

    snprintf(script, sizeof script,
             "#!/bin/sh\ntrap '' TERM INT HUP\nexec 2>&-\nsleep 1000 &\n"
             "echo $! > %s/child; : > %s/begun; wait; wait\n",
             (char *)*state, (char *)*state);
    pretend(*state, script);
    assert_int_equal(run(*state, until_begun, *state, reason), -ECANCELED);
    /* Its own children end too. */
    FILE *file = fopen(scratch_path(*state, "child"), "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &child), 1);
    fclose(file);
    UNTIL(has_ended(child));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(mkfs_makes_the_type_at_all_limits),
        SCRATCH_TEST(the_smallest_size_is_the_limit),
        SCRATCH_TEST(the_last_line_is_the_reason),
        SCRATCH_TEST(the_child_gets_nothing_else),
        SCRATCH_TEST(no_longer_wanted_ends_it_at_once),
    };
    return cmocka_run_group_tests_name("formatter", tests, NULL, NULL);
}
