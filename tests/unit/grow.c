/*
 * If this failed: a disk could not grow where it can, would grow on a host that has no slot, or
 * each new block would cost a wait.
 */
#include "disk/grow.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "disk/allocate.h"
#include "disk/barrier.h"
#include "engine.h"

static struct vhd_disk *disk_of(const char *folder, uint64_t size, struct disks *ret)
{
    put_empty(folder, "a.vhd", size, 1, 0, NULL);
    *ret = disks_open(folder);
    return open_writable(*ret, "a");
}

static void disk_end(struct disks disks, struct vhd_disk *disk)
{
    close_disk(disk);
    disks_close(disks);
}

/* With the lock held, as its callers hold it. */
static int wait_for_slot(struct vhd_disk *disk)
{
    pthread_mutex_lock(&disk->growth_lock);
    int err = vhd_disk_wait_for_slot(disk);
    pthread_mutex_unlock(&disk->growth_lock);
    return err;
}

static void grow_ahead(struct vhd_disk *disk)
{
    pthread_mutex_lock(&disk->growth_lock);
    vhd_disk_grow_ahead(disk);
    pthread_mutex_unlock(&disk->growth_lock);
}

static void steps_lead_to_a_ready_slot(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 64 * MB, &disks);
    unsigned steps = 0;

    while (vhd_slots_ready(&disk->slots) == 0) {
        assert_int_equal(wait_for_slot(disk), 0);
        assert_true(++steps < 10);
    }
    assert_int_equal(vhd_slots_ready(&disk->slots), 1); /* the first step is a small one */
    disk_end(disks, disk);
    expect_clean(*state, "a.vhd");
}

/* The image's end is a footer at every moment, and nothing but bitmaps is written ahead. */
static void a_growing_image_is_sound_and_sparse(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 512 * MB, &disks);

    for (uint32_t block = 0; block < 256; block++) {
        assert_int_equal(vhd_block_allocate(disk, block), 0);
        struct vhd_image image;
        assert_true(vhd_image_judge(disk->top->fd, &image));
        assert_int_equal(image.fault.defect, VHD_SOUND);
        assert_int_equal(image.allocated, block + 1);
        grow_ahead(disk);
    }
    assert_true(file_used(*state, "a.vhd") < UINT64_C(256) * 8192 + 262144);
    disk_end(disks, disk);
    assert_int_equal(expect_clean(*state, "a.vhd").allocated, 256);
}

/* The first slot somebody waits for; after it many are made at once, but not without end. */
static void steps_become_larger_but_not_without_end(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 2048 * UINT64_C(1048576), &disks);
    size_t largest = 0;

    for (uint32_t block = 0; block < 600; block++) {
        assert_int_equal(vhd_block_allocate(disk, block), 0);
        size_t slots = vhd_slots_ready(&disk->slots) + vhd_slots_waiting(&disk->slots);
        largest = slots > largest ? slots : largest;
        if (block == 0)
            assert_int_equal(slots, 0);
    }
    assert_in_range(largest, 16, 512);
    disk_end(disks, disk);
}

/* Never more than there are blocks that lack one. */
static void no_slot_is_made_for_nobody(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 64 * MB, &disks);

    for (uint32_t block = 0; block < 32; block++) {
        assert_int_equal(vhd_block_allocate(disk, block), 0);
        grow_ahead(disk);
        assert_true(vhd_slots_ready(&disk->slots) + vhd_slots_waiting(&disk->slots) <=
                    disk->unallocated);
    }
    assert_false(vhd_disk_is_short_of_slots(disk));
    disk_end(disks, disk);
}

static void whoever_writes_nothing_new_does_not_grow(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 64 * MB, &disks);
    const uint64_t length = file_length(*state, "a.vhd");

    assert_false(vhd_disk_is_short_of_slots(disk));
    grow_ahead(disk);
    assert_int_equal(vhd_disk_flush(disk), 0);
    assert_int_equal(file_length(*state, "a.vhd"), length);
    disk_end(disks, disk);
}

static void grow_on_a_full_host(void *path)
{
    struct vhd_disk *disk;

    child_mount(path, "size=1m");
    put_empty(path, "a.vhd", 64 * MB, 1, 0, NULL);
    struct disks disks = disks_open(path);
    CHILD_EXPECT(vhd_disk_open(disks.store, disks.children, "a",
                               VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER, &disk, NULL) == VHD_OK);
    int fd = open(scratch_path(path, "hog"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    off_t taken = 0;
    while (fallocate(fd, 0, taken, 4096) == 0)
        taken += 4096;
    CHILD_EXPECT(vhd_block_allocate(disk, 0) == -ENOSPC);
    CHILD_EXPECT(vhd_block_allocate(disk, 9) == -ENOSPC);
    CHILD_EXPECT(vhd_layer_entry(disk->top, 0) == UINT32_MAX);
    CHILD_EXPECT(ftruncate(fd, 0) == 0);
    CHILD_EXPECT(vhd_block_allocate(disk, 0) == 0);
    CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
    disks_close(disks);
}

static void a_full_host_is_told_and_may_have_room_later(void **state)
{
    in_child(grow_on_a_full_host, *state);
}

static void grow_up_to_a_limit(void *path)
{
    struct disks disks = disks_open(path);
    struct vhd_disk *disk;
    const struct rlimit limit = {5 * MB, 5 * MB};

    signal(SIGXFSZ, SIG_IGN);
    put_empty(path, "a.vhd", 64 * MB, 1, 0, NULL);
    CHILD_EXPECT(vhd_disk_open(disks.store, disks.children, "a",
                               VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER, &disk, NULL) == VHD_OK);
    CHILD_EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHILD_EXPECT(vhd_block_allocate(disk, 0) == 0);
    CHILD_EXPECT(vhd_block_allocate(disk, 1) == 0);
    CHILD_EXPECT(vhd_block_allocate(disk, 2) == -EFBIG);
    CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
    disks_close(disks);
}

/* Where there is no space for many, there may be for one. */
static void a_limit_is_used_to_its_end(void **state)
{
    in_child(grow_up_to_a_limit, *state);
    assert_int_equal(expect_clean(*state, "a.vhd").allocated, 2);
}

/* Sector numbers have 32 bits, and the highest means nowhere. */
static void a_file_ends_where_sector_numbers_end(void **state)
{
    struct disks disks;
    struct vhd_disk *disk = disk_of(*state, 64 * MB, &disks);
    const uint64_t footer_at = disk->footer_at;

    /* The image goes on far behind its content; it is a hole. */
    const uint64_t far = (UINT64_C(0xFFFFFFFF) - 4000) * 512;
    assert_int_equal(vhd_footer_put(disk, disk->write_fd, far), 0);
    disk->footer_at = far;
    disk->length = far + 512;
    assert_int_equal(vhd_block_allocate(disk, 0), -EFBIG);
    assert_int_equal(ftruncate(disk->write_fd, (off_t)footer_at + 512), 0);
    disk->footer_at = footer_at;
    disk->length = footer_at + 512;
    assert_int_equal(vhd_block_allocate(disk, 0), 0);
    disk_end(disks, disk);
    expect_clean(*state, "a.vhd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(steps_lead_to_a_ready_slot),
        SCRATCH_TEST(a_growing_image_is_sound_and_sparse),
        SCRATCH_TEST(steps_become_larger_but_not_without_end),
        SCRATCH_TEST(no_slot_is_made_for_nobody),
        SCRATCH_TEST(whoever_writes_nothing_new_does_not_grow),
        SCRATCH_TEST(a_full_host_is_told_and_may_have_room_later),
        SCRATCH_TEST(a_limit_is_used_to_its_end),
        SCRATCH_TEST(a_file_ends_where_sector_numbers_end),
    };
    return cmocka_run_group_tests_name("grow", tests, NULL, NULL);
}
