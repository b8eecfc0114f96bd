/* SPDX-License-Identifier: MIT */
/*
 * If this failed: some hundreds of open disks would keep users from reading info of the others, and
 * from making or deleting one.
 */
#include "store/reserve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "image/info.h"
#include "engine.h"

static void set_limit(uint64_t soft)
{
    struct rlimit limit;

    CHILD_EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = soft;
    CHILD_EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void ask_under_limits(void *arg)
{
    static const struct {
        uint64_t limit, kept;
    } rows[] = {{0, 0}, {7, 0}, {8, 1}, {256, 32}, {511, 63}, {512, 64}, {1024, 64}};

    (void)arg;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_limit(rows[i].limit);
        const struct vhd_reserve reserve = vhd_reserve_now();
        CHILD_EXPECT(reserve.limit == rows[i].limit && reserve.kept == rows[i].kept);
    }
}

static void an_eighth_is_kept_and_64_at_most(void **state)
{
    (void)state;
    in_child(ask_under_limits, NULL);
}

static void reserve_all(void *arg)
{
    unsigned spare = 0;
    int fd;

    (void)arg;
    set_limit(128);
    while ((fd = vhd_reserve_spare(open("/dev/null", O_RDONLY | O_CLOEXEC))) >= 0)
        CHILD_EXPECT(fd < 112);
    CHILD_EXPECT(fd == -EMFILE);
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
        spare++;
    CHILD_EXPECT(spare == 16);
    CHILD_EXPECT(vhd_reserve_spare(-ENOENT) == -ENOENT);
}

static void a_descriptor_in_the_reserve_is_closed(void **state)
{
    (void)state;
    in_child(reserve_all, NULL);
}

/* Many disks, and one that is open first. */
static void put_disks(const char *folder)
{
    char file[32];

    put(folder, "alone.vhd", sample_dynamic(1, 1));
    for (uint8_t i = 0; i < 130; i++) {
        snprintf(file, sizeof file, "%u.vhd", i);
        put(folder, file, sample_dynamic((uint8_t)(100 + i), 1));
    }
}

static void open_until_refused(void *path)
{
    struct disks disks = disks_open(path);
    struct vhd_disk *open[130], *disk;
    struct vhd_verdict why = {0};
    struct vhd_info info;
    char name[32];
    unsigned count = 0;

    CHILD_EXPECT(vhd_disk_open(disks.catalogue, "alone", VHD_DISK_NO_FLUSHER, &disk, NULL) ==
                 VHD_OK);
    set_limit(256);
    for (;; count++) {
        CHILD_EXPECT(count < 130);
        snprintf(name, sizeof name, "%u", count);
        enum vhd_result result = vhd_disk_open(
            disks.catalogue, name, VHD_DISK_WRITE | VHD_DISK_NO_FLUSHER, &open[count], &why);
        CHILD_EXPECT(result == VHD_OK || result == VHD_NO_DESCRIPTORS);
        if (result != VHD_OK)
            break;
    }
    /* Each has two, for reading and for writing; a third if there was space for it. */
    CHILD_EXPECT(count >= 70);
    CHILD_EXPECT(strstr(why.sentence, "256") && strstr(why.sentence, "ulimit -n"));

    /* Of an odd number of descriptors one is left. */
    AUTO_CLOSE int last = vhd_reserve_spare(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    (void)last;

    /* A disk that is open for reading stays open. */
    for (int i = 0; i < 2; i++) {
        CHILD_EXPECT(vhd_disk_make_writable(disk, &why) == (i ? VHD_OK : VHD_NO_DESCRIPTORS));
        if (i == 0)
            CHILD_EXPECT(!vhd_disk_is_writable(disk) && vhd_disk_close(open[--count], NULL) == 0);
    }
    /* Info of all is still available. */
    for (unsigned i = 0; i < 130; i++) {
        snprintf(name, sizeof name, "%u", i);
        CHILD_EXPECT(vhd_info_read_all(disks.catalogue, name, &info) == 0);
        CHILD_EXPECT(info.image.fault.defect == VHD_SOUND);
    }
    while (count > 0)
        CHILD_EXPECT(vhd_disk_close(open[--count], NULL) == 0);
    CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
    disks_close(disks);
}

static void too_many_open_disks_leave_info_of_all(void **state)
{
    put_disks(*state);
    in_child(open_until_refused, *state);
}

/* There is a descriptor for the child and none for its parent: the error is not damage. */
static void open_child_with_one_left(void *path)
{
    struct disks disks = disks_open(path);
    struct vhd_disk *disk;
    struct vhd_verdict why = {0};
    int fd;

    set_limit(128);
    while ((fd = vhd_reserve_spare(open("/dev/null", O_RDONLY | O_CLOEXEC))) < 111)
        CHILD_EXPECT(fd >= 0);
    CHILD_EXPECT(close(fd) == 0);
    CHILD_EXPECT(vhd_disk_open(disks.catalogue, "child", 0, &disk, &why) == VHD_NO_DESCRIPTORS);
    CHILD_EXPECT(strstr(why.sentence, "\"child\"") && strstr(why.sentence, "ulimit -n"));
    CHILD_EXPECT(vhd_disk_open(disks.catalogue, "base", 0, &disk, &why) == VHD_OK);
    CHILD_EXPECT(vhd_disk_close(disk, NULL) == 0);
    disks_close(disks);
}

static void a_parent_without_a_descriptor_is_no_damage(void **state)
{
    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    in_child(open_child_with_one_left, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_eighth_is_kept_and_64_at_most),
        cmocka_unit_test(a_descriptor_in_the_reserve_is_closed),
        SCRATCH_TEST(too_many_open_disks_leave_info_of_all),
        SCRATCH_TEST(a_parent_without_a_descriptor_is_no_damage),
    };
    return cmocka_run_group_tests_name("reserve", tests, NULL, NULL);
}
