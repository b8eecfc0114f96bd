/* SPDX-License-Identifier: MIT */
/*
 * If this failed: two programs would write to one image, or a parent would change under its
 * children.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "fast.h"
#include "gate.h"
#include "store/claim.h"

/* The library's calls of vhd_claim() come here. */
static unsigned write_claims; /* claims so far */

int __real_vhd_claim(int fd, enum vhd_claim held, enum vhd_claim wanted);
int __wrap_vhd_claim(int fd, enum vhd_claim held, enum vhd_claim wanted);

int __wrap_vhd_claim(int fd, enum vhd_claim held, enum vhd_claim wanted)
{
    if (wanted == VHD_CLAIM_WRITE)
        __atomic_fetch_add(&write_claims, 1, __ATOMIC_RELAXED);
    return __real_vhd_claim(fd, held, wanted);
}

static void has_one_writer(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, 1));
    struct vhd_disk *disk = open_writable(disks, "a");
    refuse_disk(disks, "a", VHD_DISK_WRITE, VHD_IN_USE);
    refuse_disk(disks, "a", 0, VHD_IN_USE);
    close_disk(disk);
    close_disk(open_writable(disks, "a"));
    disks_close(disks);
}

static void readers_share_and_keep_writers_out(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_fixed(1));
    struct vhd_disk *one = open_disk(disks, "a", 0), *two = open_disk(disks, "a", 0);
    refuse_disk(disks, "a", VHD_DISK_WRITE, VHD_IN_USE);
    close_disk(one);
    refuse_disk(disks, "a", VHD_DISK_WRITE, VHD_IN_USE);
    close_disk(two);
    close_disk(open_writable(disks, "a"));
    disks_close(disks);
}

/* Another store may have a hard link to it. */
static void another_store_with_the_same_image_counts(void **state)
{
    const char *other = scratch_path(*state, "other");
    assert_int_equal(mkdir(other, 0777), 0);
    put(*state, "a.vhd", sample_dynamic(1, 1));
    assert_int_equal(link(scratch_path(*state, "a.vhd"), scratch_path(other, "b.vhd")), 0);
    struct disks one = disks_open(*state), two = disks_open(other);

    struct vhd_disk *disk = open_writable(one, "a");
    refuse_disk(two, "b", VHD_DISK_WRITE, VHD_IN_USE);
    refuse_disk(two, "b", 0, VHD_IN_USE);
    close_disk(disk);
    close_disk(open_writable(two, "b"));
    disks_close(one);
    disks_close(two);
}

static int leased_fd;

static void give_way(int signal)
{
    (void)signal;
    fcntl(leased_fd, F_SETLEASE, F_UNLCK);
}

/* Samba and knfsd hold leases, and give them up when another program wants the file. */
static void a_lease_is_waited_for(void **state)
{
    struct sigaction before, action = {.sa_handler = SIG_IGN};
    struct disks disks = disks_open(*state);
    struct vhd_verdict why = {0};
    struct vhd_disk *disk;

    put(*state, "a.vhd", sample_dynamic(1, 1));
    leased_fd = open(scratch_path(*state, "a.vhd"), O_RDONLY | O_CLOEXEC);
    assert_true(leased_fd >= 0);
    assert_int_equal(sigaction(SIGIO, &action, &before), 0);
    if (fcntl(leased_fd, F_SETLEASE, F_RDLCK) < 0) {
        print_message("skipped: the host has no leases\n");
        skip();
    }
    fast_begin();
    disk = open_disk(disks, "a", 0); /* which a read lease permits */
    assert_int_equal(vhd_disk_make_writable(disk, &why), VHD_IN_USE);
    assert_non_null(strstr(why.sentence, "another program holds a lease on \"a.vhd\""));
    close_disk(disk);
    refuse_disk(disks, "a", VHD_DISK_WRITE, VHD_IN_USE);
    fast_end();
    assert_int_equal(fcntl(leased_fd, F_SETLEASE, F_UNLCK), 0);

    action.sa_handler = give_way;
    assert_int_equal(sigaction(SIGIO, &action, NULL), 0);
    assert_int_equal(fcntl(leased_fd, F_SETLEASE, F_RDLCK), 0);
    close_disk(open_writable(disks, "a"));
    assert_int_equal(sigaction(SIGIO, &before, NULL), 0);
    close(leased_fd);
    disks_close(disks);
}

/* The sentence of a refusal says which lock it met, and where to find its owner. */
static void a_foreign_lock_is_named(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_verdict why = {0};
    struct vhd_disk *disk = NULL;

    put(*state, "a.VHD", sample_dynamic(1, 1));
    int fd = open(scratch_path(*state, "a.VHD"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(vhd_claim(fd, VHD_CLAIM_NONE, VHD_CLAIM_WRITE), 0);
    for (unsigned flags = 0; flags <= VHD_DISK_WRITE; flags++) {
        assert_int_equal(vhd_disk_open(disks.catalogue, "a", flags, &disk, &why), VHD_IN_USE);
        assert_non_null(strstr(why.sentence, "another program holds a lock on \"a.VHD\""));
        assert_non_null(strstr(why.sentence, "QEMU"));
    }
    close(fd);
    disks_close(disks);
}

static void a_parent_is_only_read(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    write_claims = 0;
    refuse_disk(disks, "base", VHD_DISK_WRITE, VHD_READ_ONLY);
    struct vhd_disk *base = open_disk(disks, "base", 0);
    struct vhd_verdict why;
    assert_int_equal(vhd_disk_make_writable(base, &why), VHD_READ_ONLY);
    assert_non_null(strstr(why.sentence, "1 differencing disk on it"));
    /* Not even for a moment: its children would not open meanwhile. */
    assert_int_equal(write_claims, 0);
    assert_false(vhd_disk_is_writable(base));
    struct vhd_disk *child = open_writable(disks, "child");
    close_disk(child);
    close_disk(base);
    assert_int_equal(unlink(scratch_path(*state, "child.vhd")), 0);
    close_disk(open_writable(disks, "base"));
    disks_close(disks);
}

/* A writer that uses it already goes on; no other joins it. */
static void a_parent_made_meanwhile_has_no_new_writer(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_verdict why = {0};

    put(*state, "base.vhd", sample_dynamic(1, 1));
    struct vhd_disk *base = open_writable(disks, "base");
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    assert_int_equal(vhd_disk_make_writable(base, &why), VHD_READ_ONLY);
    assert_non_null(strstr(why.sentence, "1 differencing disk on it"));
    assert_true(vhd_disk_is_writable(base));
    fill(base, 0, 100, 1);
    assert_int_equal(unlink(scratch_path(*state, "child.vhd")), 0);
    assert_int_equal(vhd_disk_make_writable(base, &why), VHD_OK);
    close_disk(base);
    disks_close(disks);
}

/*
 * A program that removes the child's file cannot write to its parent as long as the child is open.
 */
static void an_open_childs_parents_are_claimed(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 1));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    struct vhd_disk *child = open_disk(disks, "child", 0);
    assert_int_equal(unlink(scratch_path(*state, "child.vhd")), 0);
    refuse_disk(disks, "base", VHD_DISK_WRITE, VHD_IN_USE);
    close_disk(child);
    close_disk(open_writable(disks, "base"));
    disks_close(disks);
}

/* Opens the disk "a", which another program has claimed. */
struct opener {
    struct disks disks;
    unsigned flags;
    enum vhd_result result;
    struct vhd_disk *disk;
};

static void *open_claimed(void *arg)
{
    struct opener *opener = arg;

    opener->result =
        vhd_disk_open(opener->disks.catalogue, "a", opener->flags, &opener->disk, NULL);
    return NULL;
}

/*
 * A disk is deleted while it is being opened. An opener that comes too late gets no disk, or the
 * next one of that name.
 */
static void a_deleted_disk_is_not_opened(void **state)
{
    struct disks disks = disks_open(*state);

    for (unsigned round = 0; round < 40; round++) {
        const bool is_replaced = round & 2;
        struct opener opener = {.disks = disks, .flags = round & 1 ? VHD_DISK_WRITE : 0};
        pthread_t thread;
        put(*state, "a.vhd", sample_dynamic(1, 1));
        int fd = vhd_store_open_unlocked(disks.store, "a.vhd");
        assert_true(fd >= 0);
        assert_int_equal(vhd_claim(fd, VHD_CLAIM_NONE, VHD_CLAIM_WRITE), 0);
        put(*state, "next", sample_dynamic(1, 2));
        assert_int_equal(pthread_create(&thread, NULL, open_claimed, &opener), 0);
        usleep(round * 50); /* so that they meet in different places */
        if (is_replaced)
            assert_int_equal(rename(scratch_path(*state, "next"), scratch_path(*state, "a.vhd")),
                             0);
        else
            assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
        close(fd);
        pthread_join(thread, NULL);
        if (opener.disk) {
            assert_true(is_replaced);
            expect(opener.disk, 0, BLOCK, 0xEE);
            expect(opener.disk, BLOCK, BLOCK, 0xEE);
            close_disk(opener.disk);
        } else if (opener.result != VHD_IN_USE) {
            assert_false(is_replaced);
            assert_int_equal(opener.result, VHD_PATH_NOT_FOUND);
        }
    }
    disks_close(disks);
}

static void becomes_writable_later(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "a.vhd", sample_dynamic(1, 1));
    struct vhd_disk *disk = open_disk(disks, "a", 0);
    assert_int_equal(vhd_disk_write(disk, "x", 1, 0), -EROFS);
    assert_int_equal(vhd_disk_make_writable(disk, NULL), VHD_OK);
    assert_true(vhd_disk_is_writable(disk));
    assert_int_equal(vhd_disk_make_writable(disk, NULL), VHD_OK);
    fill(disk, 3 * BLOCK, BLOCK, 9);
    expect(disk, 3 * BLOCK, BLOCK, 9);
    refuse_disk(disks, "a", 0, VHD_IN_USE);
    close_disk(disk);
    expect_clean(*state, "a.vhd");
    disks_close(disks);
}

static void stays_as_it_was_where_it_cannot_become_writable(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_verdict why = {0};

    put(*state, "a.vhd", sample_dynamic(1, 1));
    struct vhd_disk *disk = open_disk(disks, "a", 0), *other = open_disk(disks, "a", 0);
    assert_int_equal(vhd_disk_make_writable(disk, &why), VHD_IN_USE);
    assert_true(*why.sentence);
    assert_false(vhd_disk_is_writable(disk));
    assert_int_equal(vhd_disk_write(disk, "x", 1, 0), -EROFS);
    expect(disk, 0, BLOCK, 0xEE);
    close_disk(open_disk(disks, "a", 0)); /* it still shares */
    close_disk(other);
    assert_int_equal(vhd_disk_make_writable(disk, &why), VHD_OK);
    close_disk(disk);
    disks_close(disks);
}

struct reader {
    struct vhd_disk *disk;
    bool is_over; /* atomic */
    unsigned rounds;
};

static void *keep_reading(void *arg)
{
    struct reader *reader = arg;
    uint8_t buf[BLOCK];

    while (!READ(reader->is_over)) {
        if (vhd_disk_read(reader->disk, buf, BLOCK, 0, NULL) < 0 || buf[0] != 0xEE)
            return reader;
        COUNT(reader->rounds);
    }
    return NULL;
}

static void readers_go_on_while_it_becomes_writable(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 3));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    for (int i = 0; i < 20; i++) {
        struct reader reader = {.disk = open_disk(disks, "child", 0)};
        pthread_t thread;
        void *fault;
        assert_int_equal(pthread_create(&thread, NULL, keep_reading, &reader), 0);
        UNTIL(READ(reader.rounds) > 0);
        assert_int_equal(vhd_disk_make_writable(reader.disk, NULL), VHD_OK);
        fill(reader.disk, 3 * BLOCK, 100, 1);
        unsigned rounds = READ(reader.rounds);
        UNTIL(READ(reader.rounds) > rounds);
        __atomic_store_n(&reader.is_over, true, __ATOMIC_SEQ_CST);
        pthread_join(thread, &fault);
        assert_null(fault);
        close_disk(reader.disk);
    }
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(has_one_writer),
        SCRATCH_TEST(readers_share_and_keep_writers_out),
        SCRATCH_TEST(another_store_with_the_same_image_counts),
        SCRATCH_TEST(a_lease_is_waited_for),
        SCRATCH_TEST(a_foreign_lock_is_named),
        SCRATCH_TEST(a_parent_is_only_read),
        SCRATCH_TEST(a_parent_made_meanwhile_has_no_new_writer),
        SCRATCH_TEST(an_open_childs_parents_are_claimed),
        SCRATCH_TEST(a_deleted_disk_is_not_opened),
        SCRATCH_TEST(becomes_writable_later),
        SCRATCH_TEST(stays_as_it_was_where_it_cannot_become_writable),
        SCRATCH_TEST(readers_go_on_while_it_becomes_writable),
    };
    return cmocka_run_group_tests_name("open_claims", tests, NULL, NULL);
}
