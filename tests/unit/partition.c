/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a disk with a file system would lack a part of it, take space for zeros, stay
 * behind in part after a failure or a cancel, or hide why there is none.
 */
#include "operation/partition.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine.h"
#include "gate.h"
#include "operation/create.h"

#define SIZE (UINT64_C(512) << 20)

/* A formatter of the test. It writes zeros where mkfs.fat does, and a few bytes. */
struct fake {
    int err;
    const char *reason;
    struct gate *gate; /* after it, the formatter asks until it is not wanted; NULL for none */
    struct vhd_fat fat;
    uint64_t length;
};

static int fake_run(void *arg, int fd, const struct vhd_fat *fat, bool (*is_wanted)(void *arg),
                    void *wanted_arg, char ret_reason[VHD_FORMATTER_REASON_SIZE])
{
    struct fake *fake = arg;
    struct stat attributes;
    char *zeros = calloc(1, 10 * MB);

    assert_non_null(zeros);
    assert_int_equal(fstat(fd, &attributes), 0);
    fake->length = (uint64_t)attributes.st_size;
    fake->fat = *fat;
    assert_int_equal(pwrite(fd, zeros, 10 * MB, MB), 10 * MB);
    assert_int_equal(pwrite(fd, "boot", 4, MB), 4);
    assert_int_equal(pwrite(fd, "end", 3, SIZE - 3), 3);
    free(zeros);
    snprintf(ret_reason, VHD_FORMATTER_REASON_SIZE, "%s", fake->reason ? fake->reason : "");
    if (!fake->gate)
        return is_wanted(wanted_arg) ? fake->err : -ECANCELED;
    gate_pass(fake->gate);
    UNTIL(!is_wanted(wanted_arg));
    return -ECANCELED;
}

/* The parts that all tests have: a store, a service, and a mkfs.fat that looks installed. */
struct bench {
    const char *folder;
    struct disks disks;
    struct vhd_service *service;
    struct fake fake;
    struct vhd_formatter formatter;
};

static void begin(struct bench *bench, const char *path)
{
    char *bin = scratch_path(path, "bin"), *folder = scratch_path(path, "store");

    assert_int_equal(mkdir(bin, 0755), 0);
    assert_int_equal(mkdir(folder, 0755), 0);
    scratch_put(bin, "mkfs.fat", "#!/bin/false\n", 13);
    assert_int_equal(chmod(scratch_path(bin, "mkfs.fat"), 0755), 0);
    assert_int_equal(setenv("PATH", bin, 1), 0);
    *bench = (struct bench){.folder = folder, .disks = disks_open(folder)};
    bench->formatter = (struct vhd_formatter){fake_run, &bench->fake};
    assert_int_equal(vhd_service_new(1, 1, &bench->service), 0);
}

static void end(struct bench *bench)
{
    vhd_service_free(bench->service);
    disks_close(bench->disks);
}

static struct vhd_task *submit(struct bench *bench, const struct vhd_request *request,
                               bool is_named)
{
    struct vhd_create *create = vhd_create_new(bench->disks.catalogue, "d.vhd", request);
    struct vhd_task *task = NULL;

    assert_non_null(create);
    vhd_create_set_formatter(create, &bench->formatter);
    if (is_named)
        vhd_create_name_draft(create);
    assert_int_equal(vhd_create_submit(bench->service, create, &task, NULL), VHD_OK);
    return task;
}

static struct vhd_verdict outcome(struct vhd_task *task)
{
    struct vhd_task_status status;

    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_status(task, &status);
    vhd_task_unref(task);
    return status.verdict;
}

static const struct vhd_request fat16 = {.size = SIZE, .fat_bits = 16, .label = "DATA"};

static void the_content_becomes_the_disk(void **state)
{
    struct bench bench;

    begin(&bench, *state);
    for (int i = 0; i < 4; i++) {
        const bool is_named = i & 1, is_fixed = i & 2;
        struct vhd_request request = fat16;
        request.is_fixed = is_fixed;
        assert_int_equal(outcome(submit(&bench, &request, is_named)).result, VHD_OK);
        assert_int_equal(bench.fake.length, MB);
        assert_int_equal(bench.fake.fat.bits, 16);
        assert_string_equal(bench.fake.fat.label, "DATA");
        assert_int_equal(scratch_count(bench.folder, ""), 1);

        struct vhd_disk *disk = open_disk(bench.disks, "d", 0);
        uint8_t sector[512];
        char found[4];
        assert_int_equal(vhd_disk_read(disk, sector, 512, 0, NULL), 0);
        assert_true(sector[440] | sector[441] | sector[442] | sector[443]);
        assert_int_equal(sector[446 + 4], 0x0E);
        assert_int_equal(sector[510] << 8 | sector[511], 0x55AA);
        assert_int_equal(vhd_disk_read(disk, found, 4, MB, NULL), 0);
        assert_memory_equal(found, "boot", 4);
        assert_int_equal(vhd_disk_read(disk, found, 3, SIZE - 3, NULL), 0);
        assert_memory_equal(found, "end", 3);
        close_disk(disk);

        /* Two blocks hold data. The zeros of the formatter take no space of the host. */
        struct stat attributes;
        assert_int_equal(stat(scratch_path(bench.folder, "d.vhd"), &attributes), 0);
        if (!is_fixed) {
            assert_in_range(attributes.st_size, 4 * MB, 5 * MB);
            assert_in_range(attributes.st_blocks * 512, 1, MB);
        }
        assert_int_equal(unlink(scratch_path(bench.folder, "d.vhd")), 0);
    }
    end(&bench);
}

static void signatures_differ(void **state)
{
    const struct vhd_fat fat = vhd_fat_of(16, SIZE, "");
    struct bench bench;
    uint8_t seen[3][512];

    begin(&bench, *state);
    for (int i = 0; i < 3; i++) {
        struct vhd_disk *disk = NULL;
        assert_int_equal(vhd_partition_make(bench.disks.catalogue, &bench.formatter, false, &fat,
                                            50, NULL, &disk, NULL),
                         VHD_OK);
        assert_int_equal(vhd_disk_read(disk, seen[i], 512, 0, NULL), 0);
        close_disk(disk);
    }
    assert_memory_not_equal(seen[0], seen[1], 512);
    assert_memory_not_equal(seen[1], seen[2], 512);
    end(&bench);
}

static void a_failure_has_its_cause_and_leaves_nothing(void **state)
{
    const struct {
        int err;
        const char *reason;
        enum vhd_result result;
        const char *words;
    } cases[] = {
        {-EIO, "too many clusters", VHD_UNEXPECTED, "FAT16: too many clusters"},
        {-ENOSPC, "No space left on device", VHD_DISK_FULL, "No space left"},
        {-EMFILE, "", VHD_NO_DESCRIPTORS, "Too many open files"},
        {-ENOENT, "", VHD_NO_FORMATTER, "install the package dosfstools"},
        {-ECANCELED, "", VHD_CANCELLED, "cancelled"},
    };
    struct bench bench;

    begin(&bench, *state);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench.fake = (struct fake){.err = cases[i].err, .reason = cases[i].reason};
        const struct vhd_verdict verdict = outcome(submit(&bench, &fat16, i & 1));
        assert_int_equal(verdict.result, cases[i].result);
        assert_non_null(strstr(verdict.sentence, cases[i].words));
        assert_int_equal(scratch_count(bench.folder, ""), 0);
    }
    end(&bench);
}

static void a_cancel_ends_the_formatter(void **state)
{
    struct gate gate = GATE_CLOSED;
    struct bench bench;
    struct vhd_task_status status;

    begin(&bench, *state);
    bench.fake.gate = &gate;
    struct vhd_task *task = submit(&bench, &fat16, true);
    gate_await(&gate, 1);
    gate_open(&gate);
    /* Meanwhile the progress shows what it has written. */
    UNTIL((vhd_task_status(task, &status), status.percent > 0));
    assert_true(status.is_accepted && status.percent <= 50);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(outcome(task).result, VHD_CANCELLED);
    assert_int_equal(scratch_count(bench.folder, ""), 0);
    end(&bench);
}

/* The host has space for the disk, but not for the tables of its file system. */
static void tables_without_space_are_refused_at_once(void **state)
{
    const struct vhd_fat fat = vhd_fat_of(32, UINT64_C(2040) << 30, "");
    struct vhd_verdict verdict;
    struct statvfs volume;
    struct bench bench;

    begin(&bench, *state);
    assert_int_equal(vhd_store_statvfs(bench.disks.store, &volume), 0);
    const uint64_t free = (uint64_t)volume.f_bavail * volume.f_frsize;
    assert_int_equal(vhd_partition_admit(bench.disks.store, &fat, free, &verdict), VHD_DISK_FULL);
    assert_non_null(strstr(verdict.sentence, "FAT32"));
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_content_becomes_the_disk),
        SCRATCH_TEST(signatures_differ),
        SCRATCH_TEST(a_failure_has_its_cause_and_leaves_nothing),
        SCRATCH_TEST(a_cancel_ends_the_formatter),
        SCRATCH_TEST(tables_without_space_are_refused_at_once),
    };
    return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
