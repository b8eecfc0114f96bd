/* SPDX-License-Identifier: MIT */
/*
 * If this failed, two programs could write to one image at the same time and spoil it, or a disk
 * could not be opened although no program uses it.
 */
#include "store/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "gate.h"
#include "scratch.h"

static int open_image(const char *folder)
{
    int fd = open(scratch_path(folder, "image"), O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    return fd;
}

static int claim(int fd, enum vhd_claim wanted)
{
    return vhd_claim(fd, VHD_CLAIM_NONE, wanted);
}

/* The bytes from 0 to 255 that other programs see as locked. */
static unsigned locked(const char *folder, short bytes[256])
{
    int fd = open_image(folder);
    unsigned count = 0;

    for (short byte = 0; byte < 256; byte++) {
        struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
        assert_int_equal(fcntl(fd, F_OFD_GETLK, &range), 0);
        if (range.l_type == F_UNLCK)
            continue;
        assert_int_equal(range.l_type, F_RDLCK);
        bytes[count++] = byte;
    }
    close(fd);
    return count;
}

static void expect_locked(const char *folder, const short *expected, unsigned count)
{
    short bytes[256];

    assert_int_equal(locked(folder, bytes), count);
    assert_memory_equal(bytes, expected, count * sizeof *bytes);
}

static const short reading[] = {100, 201, 203}, writing[] = {100, 101, 103, 201, 203};

/* QEMU, block/file-posix.c: 100 + n "I use n", 200 + n "nobody else may"; tried with QEMU 7.2. */
static void the_bytes_are_those_of_qemu(void **state)
{
    int fd = open_image(*state);

    assert_int_equal(claim(fd, VHD_CLAIM_READ), 0);
    expect_locked(*state, reading, 3);
    assert_int_equal(vhd_claim(fd, VHD_CLAIM_READ, VHD_CLAIM_WRITE), 0);
    expect_locked(*state, writing, 5);
    vhd_claim_lower(fd, VHD_CLAIM_WRITE, VHD_CLAIM_READ);
    expect_locked(*state, reading, 3);
    vhd_claim_lower(fd, VHD_CLAIM_READ, VHD_CLAIM_NONE);
    expect_locked(*state, NULL, 0);

    assert_int_equal(claim(fd, VHD_CLAIM_WRITE), 0);
    expect_locked(*state, writing, 5);
    vhd_claim_lower(fd, VHD_CLAIM_WRITE, VHD_CLAIM_NONE);
    expect_locked(*state, NULL, 0);
    close(fd);
}

static void to_claim_nothing_is_nothing(void **state)
{
    int writer = open_image(*state), other = open_image(*state);

    assert_int_equal(claim(writer, VHD_CLAIM_WRITE), 0);
    assert_int_equal(claim(other, VHD_CLAIM_NONE), 0);
    expect_locked(*state, writing, 5);
    close(other);
    close(writer);
}

static void readers_share(void **state)
{
    int fds[5];

    for (int i = 0; i < 5; i++) {
        fds[i] = open_image(*state);
        assert_int_equal(claim(fds[i], VHD_CLAIM_READ), 0);
    }
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    expect_locked(*state, NULL, 0);
}

static void a_writer_is_alone(void **state)
{
    int writer = open_image(*state), other = open_image(*state);

    assert_int_equal(claim(writer, VHD_CLAIM_WRITE), 0);
    assert_int_equal(claim(other, VHD_CLAIM_READ), -EBUSY);
    assert_int_equal(claim(other, VHD_CLAIM_WRITE), -EBUSY);
    expect_locked(*state, writing, 5);
    close(writer);
    assert_int_equal(claim(other, VHD_CLAIM_WRITE), 0);
    close(other);
}

static void no_writer_comes_to_readers(void **state)
{
    int reader = open_image(*state), other = open_image(*state);

    assert_int_equal(claim(reader, VHD_CLAIM_READ), 0);
    assert_int_equal(claim(other, VHD_CLAIM_WRITE), -EBUSY);
    expect_locked(*state, reading, 3);
    close(reader);
    assert_int_equal(claim(other, VHD_CLAIM_WRITE), 0);
    close(other);
}

/* Of two readers neither can become a writer, and both go on reading. */
static void a_failed_rise_keeps_the_claim(void **state)
{
    int one = open_image(*state), two = open_image(*state);

    assert_int_equal(claim(one, VHD_CLAIM_READ), 0);
    assert_int_equal(claim(two, VHD_CLAIM_READ), 0);
    assert_int_equal(vhd_claim(one, VHD_CLAIM_READ, VHD_CLAIM_WRITE), -EBUSY);
    close(two);
    expect_locked(*state, reading, 3);
    assert_int_equal(vhd_claim(one, VHD_CLAIM_READ, VHD_CLAIM_WRITE), 0);
    expect_locked(*state, writing, 5);
    close(one);
}

static void a_failed_claim_leaves_nothing(void **state)
{
    int writer = open_image(*state), other = open_image(*state);

    assert_int_equal(claim(writer, VHD_CLAIM_WRITE), 0);
    assert_int_equal(claim(other, VHD_CLAIM_WRITE), -EBUSY);
    assert_int_equal(claim(other, VHD_CLAIM_READ), -EBUSY);
    close(writer);
    expect_locked(*state, NULL, 0);
    close(other);
}

static void goes_with_the_last_descriptor(void **state)
{
    int fd = open_image(*state), copy = dup(fd), other = open_image(*state);

    assert_int_equal(claim(fd, VHD_CLAIM_WRITE), 0);
    close(fd);
    assert_int_equal(claim(other, VHD_CLAIM_READ), -EBUSY);
    close(copy);
    assert_int_equal(claim(other, VHD_CLAIM_READ), 0);
    close(other);
}

/*
 * A stranger that opens and closes the file must not end the claim, as it would with POSIX locks.
 */
static void is_not_lost_to_a_stranger(void **state)
{
    int fd = open_image(*state);

    assert_int_equal(claim(fd, VHD_CLAIM_WRITE), 0);
    close(open_image(*state));
    expect_locked(*state, writing, 5);
    close(fd);
}

static void claim_in_child(void *folder)
{
    int fd = open(scratch_path(folder, "image"), O_RDWR | O_CLOEXEC);

    CHILD_EXPECT(fd >= 0);
    CHILD_EXPECT(vhd_claim(fd, VHD_CLAIM_NONE, VHD_CLAIM_WRITE) == -EBUSY);
    CHILD_EXPECT(vhd_claim(fd, VHD_CLAIM_NONE, VHD_CLAIM_READ) == 0);
}

static void other_processes_count(void **state)
{
    int fd = open_image(*state);

    assert_int_equal(claim(fd, VHD_CLAIM_READ), 0);
    in_child(claim_in_child, *state);
    expect_locked(*state, reading, 3);
    close(fd);
}

/*
 * A single byte of another program, as QEMU might hold it, and the claims that are possible beside
 * it.
 */
static void each_byte_of_others_counts_as_qemu_means_it(void **state)
{
    static const struct {
        short byte;
        bool may_read, may_write;
    } cases[] = {
        {100, true, true},   {101, false, false}, {102, true, true},
        {103, false, false}, {200, false, false}, {201, true, false},
        {202, true, true},   {203, true, false},  {0, true, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int qemu = open_image(*state), fd = open_image(*state);
        struct flock range = {
            .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = cases[i].byte, .l_len = 1};
        assert_int_equal(fcntl(qemu, F_OFD_SETLK, &range), 0);
        assert_int_equal(claim(fd, VHD_CLAIM_READ), cases[i].may_read ? 0 : -EBUSY);
        vhd_claim_lower(fd, VHD_CLAIM_READ, VHD_CLAIM_NONE);
        assert_int_equal(claim(fd, VHD_CLAIM_WRITE), cases[i].may_write ? 0 : -EBUSY);
        close(fd);
        close(qemu);
    }
}

static void a_descriptor_of_no_file_cannot_be_claimed(void **state)
{
    (void)state;
    assert_int_equal(claim(-1, VHD_CLAIM_READ), -EBADF);
}

enum { RIVALS = 3, ROUNDS = 15 };

struct rival {
    const char *path;
    struct gate *gate;
    unsigned *holders; /* atomic: claims that are held now */
    unsigned *claimed; /* atomic */
    bool *is_shared;   /* atomic: two held it at once */
};

static void *compete(void *arg)
{
    const struct rival *rival = arg;

    gate_pass(rival->gate);
    for (int i = 0; i < ROUNDS; i++) {
        int fd = open(rival->path, O_RDONLY | O_CLOEXEC);
        if (vhd_claim(fd, VHD_CLAIM_NONE, VHD_CLAIM_WRITE) == 0) {
            if (__atomic_fetch_add(rival->holders, 1, __ATOMIC_SEQ_CST) > 0)
                __atomic_store_n(rival->is_shared, true, __ATOMIC_SEQ_CST);
            COUNT(*rival->claimed);
            __atomic_fetch_sub(rival->holders, 1, __ATOMIC_SEQ_CST);
        }
        close(fd);
    }
    return NULL;
}

/* In any order of arrival two rivals never hold it, and in some rounds one does. */
static void of_rivals_at_most_one_holds_it(void **state)
{
    unsigned holders = 0, claimed = 0;
    bool is_shared = false;
    struct gate gate = GATE_CLOSED;
    struct rival rival = {scratch_path(*state, "image"), &gate, &holders, &claimed, &is_shared};
    pthread_t threads[RIVALS];

    close(open_image(*state));
    for (int i = 0; i < RIVALS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, compete, &rival), 0);
    gate_await(&gate, RIVALS);
    gate_open(&gate);
    for (int i = 0; i < RIVALS; i++)
        pthread_join(threads[i], NULL);
    assert_false(is_shared);
    assert_true(claimed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_bytes_are_those_of_qemu),
        SCRATCH_TEST(to_claim_nothing_is_nothing),
        SCRATCH_TEST(readers_share),
        SCRATCH_TEST(a_writer_is_alone),
        SCRATCH_TEST(no_writer_comes_to_readers),
        SCRATCH_TEST(a_failed_rise_keeps_the_claim),
        SCRATCH_TEST(a_failed_claim_leaves_nothing),
        SCRATCH_TEST(goes_with_the_last_descriptor),
        SCRATCH_TEST(is_not_lost_to_a_stranger),
        SCRATCH_TEST(other_processes_count),
        SCRATCH_TEST(each_byte_of_others_counts_as_qemu_means_it),
        cmocka_unit_test(a_descriptor_of_no_file_cannot_be_claimed),
        SCRATCH_TEST(of_rivals_at_most_one_holds_it),
    };
    return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
