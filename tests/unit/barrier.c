/*
 * If this failed: a slot would be used that a power loss can still undo, or a disk go on after its
 * host has lost what was written.
 */
#include "disk/barrier.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "disk/allocate.h"
#include "engine.h"

/* The library's calls of fdatasync(2) come here. */
static int fails;
static unsigned calls;
static struct vhd_disk *busy_during; /* something waits for the next barrier meanwhile */

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
    calls++;
    if (busy_during) {
        pthread_mutex_lock(&busy_during->growth_lock); /* it is free for others */
        vhd_slots_wait(&busy_during->slots, 1000, busy_during->barriers + 1);
        pthread_mutex_unlock(&busy_during->growth_lock);
        busy_during = NULL;
    }
    if (fails) {
        errno = fails;
        return -1;
    }
    return __real_fdatasync(fd);
}

static struct vhd_disk *disk_of(const char *folder, struct disks *ret)
{
    fails = 0;
    put_empty(folder, "a.vhd", 64 * MB, 1, 0, NULL);
    *ret = disks_open(folder);
    return open_writable(*ret, "a");
}

static void what_has_waited_is_ready(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    vhd_slots_wait(&disk->slots, 999, disk->barriers + 1);
    calls = 0;
    assert_int_equal(vhd_disk_barrier_now(disk), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(vhd_slots_ready(&disk->slots), 1);
    uint32_t sector;
    assert_true(vhd_slots_pop(&disk->slots, &sector));
    close_disk(disk);
    disks_close(disks);
}

/* What comes while a barrier is at work may not be durable by it. */
static void what_comes_meanwhile_waits_for_the_next(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);
    uint32_t sector;

    busy_during = disk;
    pthread_mutex_lock(&disk->growth_lock);
    assert_int_equal(vhd_disk_barrier(disk), 0);
    assert_int_equal(pthread_mutex_trylock(&disk->growth_lock), EBUSY); /* it is held again */
    pthread_mutex_unlock(&disk->growth_lock);
    assert_int_equal(vhd_slots_ready(&disk->slots), 0);
    assert_int_equal(vhd_slots_waiting(&disk->slots), 1);
    assert_int_equal(vhd_disk_barrier_now(disk), 0);
    assert_int_equal(vhd_slots_ready(&disk->slots), 1);
    assert_true(vhd_slots_pop(&disk->slots, &sector));
    close_disk(disk);
    disks_close(disks);
}

static void a_failure_makes_nothing_ready_and_is_final(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);

    vhd_slots_wait(&disk->slots, 999, disk->barriers + 1);
    fails = ENOSPC;
    assert_int_equal(vhd_disk_barrier_now(disk), -ENOSPC);
    fails = 0;
    assert_int_equal(vhd_slots_ready(&disk->slots), 0);
    assert_true(disk->has_failed);
    calls = 0;
    assert_int_equal(vhd_disk_barrier_now(disk), -EIO);
    assert_int_equal(calls, 0);
    assert_int_equal(vhd_slots_ready(&disk->slots), 0);
    assert_int_equal(vhd_block_allocate(disk, 0), -EIO);
    vhd_disk_close(disk, NULL);
    disks_close(disks);
}

static void a_footer_is_put_where_it_is_wanted(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);
    size_t len;

    assert_int_equal(vhd_footer_put(disk, disk->write_fd, 10240), 0);
    uint8_t *bytes = file_bytes(*state, "a.vhd", &len);
    assert_int_equal(len, 10240 + 512);
    assert_memory_equal(bytes + 10240, bytes, 512);
    free(bytes);
    assert_int_equal(vhd_footer_put(disk, disk->top->fd, 10240), -EBADF);
    disk->footer_at = 10240;
    disk->length = 10240 + 512;
    close_disk(disk);
    expect_clean(*state, "a.vhd");
    disks_close(disks);
}

/* The footer of before a growth stays until the new one is durable, and is zeros then. */
static void the_footer_of_before_is_zeroed_once_it_is_not_needed(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, &disks);
    static const uint8_t zeros[512];
    const uint64_t old = disk->footer_at;
    uint8_t now[512];

    fill(disk, 0, 512, 1); /* grows */
    assert_int_equal(vhd_disk_flush(disk), 0);
    assert_int_not_equal(disk->footer_at, old);
    assert_int_equal(pread(disk->top->fd, now, 512, (off_t)old), 512);
    assert_memory_equal(now, zeros, 512);
    close_disk(disk);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(what_has_waited_is_ready),
        SCRATCH_TEST(what_comes_meanwhile_waits_for_the_next),
        SCRATCH_TEST(a_failure_makes_nothing_ready_and_is_final),
        SCRATCH_TEST(a_footer_is_put_where_it_is_wanted),
        SCRATCH_TEST(the_footer_of_before_is_zeroed_once_it_is_not_needed),
    };
    return cmocka_run_group_tests_name("barrier", tests, NULL, NULL);
}
