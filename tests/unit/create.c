/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a new disk would differ from its request, other programs could not open it, or a
 * creation that was cancelled or cut off would leave something behind.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "gate.h"
#include "operation/create.h"
#include "sample.h"
#include "scratch.h"
#include "store/sweep.h"

#define MB (UINT64_C(1) << 20)

static struct vhd_store *open_store(const char *path)
{
    struct vhd_store *store;
    assert_int_equal(vhd_store_open(path, 0, &store, NULL), VHD_OK);
    return store;
}

static struct vhd_service *service_with(unsigned workers)
{
    struct vhd_service *service;
    assert_int_equal(vhd_service_new(workers, 1, &service), 0);
    return service;
}

static struct vhd_create *create_new(struct vhd_store *store, const char *file,
                                     const struct vhd_request *request)
{
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    struct vhd_create *create = catalogue ? vhd_create_new(catalogue, file, request) : NULL;

    vhd_catalogue_unref(catalogue);
    return create;
}

static struct vhd_create *creation(struct vhd_store *store, const char *file, uint64_t size,
                                   bool is_named)
{
    const struct vhd_request request = {.size = size};
    struct vhd_create *create = create_new(store, file, &request);
    assert_non_null(create);
    if (is_named)
        vhd_create_name_draft(create);
    return create;
}

static struct vhd_task *submit(struct vhd_service *service, struct vhd_create *create)
{
    struct vhd_task *task = NULL;
    assert_int_equal(vhd_create_submit(service, create, &task, NULL), VHD_OK);
    assert_non_null(task);
    return task;
}

/* Wait for a task's outcome, and drop it. */
static enum vhd_result outcome(struct vhd_task *task)
{
    struct vhd_task_status status;
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_status(task, &status);
    vhd_task_unref(task);
    return status.verdict.result;
}

static struct sample contents(const char *folder, const char *file)
{
    int fd = open(scratch_path(folder, file), O_RDONLY | O_CLOEXEC);
    struct stat attributes;
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &attributes), 0);
    struct sample sample = {malloc((size_t)attributes.st_size), (size_t)attributes.st_size};
    assert_non_null(sample.bytes);
    assert_int_equal(read(fd, sample.bytes, sample.len), sample.len);
    close(fd);
    return sample;
}

/* The reference's values for three sizes, computed elsewhere. */
static const struct expected {
    uint64_t mb;
    uint32_t geometry, entries;
    size_t length;
} expected[] = {
    {3, 0x005A0411, 2, 2560},
    {4096, 0x2082103F, 2048, 10240},
    {2088960, 0xFFFF10FF, 1044480, 4179968},
};

/* The expected image, byte by byte, with the given time stamp and identity. */
static struct sample build(const struct expected *disk, const uint8_t *timestamp,
                           const uint8_t *uuid)
{
    struct sample sample = {malloc(disk->length), disk->length};
    assert_non_null(sample.bytes);

    memset(sample.bytes, 0xFF, sample.len);
    sample_header(sample.bytes + 512, 1536, disk->entries, 0x00200000);
    for (int i = 0; i < 2; i++) {
        uint8_t *footer = i ? sample_end(&sample) : sample.bytes;
        sample_footer(footer, SAMPLE_DYNAMIC, disk->mb * MB, 0);
        memcpy(footer + 24, timestamp, 4);
        memcpy(footer + 28, "win ", 4);
        put32(footer + 32, 0x000A0000);
        put32(footer + 56, disk->geometry);
        memcpy(footer + 68, uuid, 16);
        sample_seal_footer(footer);
    }
    return sample;
}

static void writes_the_image_of_the_reference(void **state)
{
    const time_t vhd_epoch = 946684800;
    static const uint8_t given[16] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE,
                                      0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(1);

    for (size_t i = 0; i < 2 * sizeof expected / sizeof *expected; i++) {
        const struct expected *disk = &expected[i / 2];
        bool is_given = i % 2;
        struct vhd_request request = {.size = disk->mb * MB};
        if (is_given)
            memcpy(request.uuid, given, 16);
        struct vhd_create *create = create_new(store, "a.vhd", &request);
        assert_non_null(create);
        if (is_given)
            vhd_create_name_draft(create);
        time_t before = time(NULL);
        assert_int_equal(outcome(submit(service, create)), VHD_OK);
        time_t after = time(NULL);

        struct sample image = contents(*state, "a.vhd");
        assert_int_equal(image.len, disk->length);
        uint8_t timestamp[4];
        time_t made = 0;
        for (int byte = 0; byte < 4; byte++)
            made = made << 8 | image.bytes[24 + byte];
        assert_in_range(made + vhd_epoch, before, after);
        memcpy(timestamp, image.bytes + 24, 4);
        const uint8_t *uuid = is_given ? given : image.bytes + 68;
        assert_int_equal(uuid[6] >> 4, is_given ? 0xD : 4); /* a random one says that it is */
        struct sample built = build(disk, timestamp, uuid);
        assert_memory_equal(image.bytes, built.bytes, built.len);
        assert_memory_equal(image.bytes, sample_end(&image), 512);
        free(built.bytes);
        free(image.bytes);
        assert_int_equal(scratch_count(*state, ""), 1);
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

static void identities_differ(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(1);

    assert_int_equal(outcome(submit(service, creation(store, "a.vhd", 3 * MB, false))), VHD_OK);
    assert_int_equal(outcome(submit(service, creation(store, "b.vhd", 3 * MB, false))), VHD_OK);
    struct sample a = contents(*state, "a.vhd"), b = contents(*state, "b.vhd");
    assert_memory_not_equal(a.bytes + 68, b.bytes + 68, 16);
    free(a.bytes);
    free(b.bytes);
    vhd_service_free(service);
    vhd_store_unref(store);
}

static void a_task_describes_itself(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(1);
    struct vhd_task *task = submit(service, creation(store, "disk1.vhd", 4096 * MB, false));
    struct vhd_task_status status;

    vhd_task_status(task, &status);
    assert_string_equal(status.operation, VHD_CREATE_OPERATION);
    assert_string_equal(status.operation, "create");
    assert_string_equal(status.description, "Create dynamic virtual hard disk \"disk1\" (4096 MB)");
    assert_int_equal(outcome(task), VHD_OK);
    vhd_service_free(service);
    vhd_store_unref(store);
}

static void describes_in_one_line(void **state)
{
    (void)state;
    char text[VHD_DESCRIPTION_SIZE], longest[NAME_MAX + 1];

    vhd_create_describe("disk1.vhd", &(struct vhd_request){.size = 4096 * MB}, text);
    assert_string_equal(text, "Create dynamic virtual hard disk \"disk1\" (4096 MB)");
    vhd_create_describe("disk1", &(struct vhd_request){.size = 3 * MB}, text);
    assert_string_equal(text, "Create dynamic virtual hard disk \"disk1\" (3 MB)");
    vhd_create_describe("disk1.VHD", &(struct vhd_request){.size = 3 * MB + 512}, text);
    assert_string_equal(text, "Create dynamic virtual hard disk \"disk1\" (3146240B)");
    vhd_create_describe("disk1", &(struct vhd_request){.size = 0}, text);
    assert_string_equal(text, "Create dynamic virtual hard disk \"disk1\"");
    vhd_create_describe("disk1.vhd", &(struct vhd_request){.size = 3 * MB, .is_fixed = true}, text);
    assert_string_equal(text, "Create fixed virtual hard disk \"disk1\" (3 MB)");
    vhd_create_describe("disk2", &(struct vhd_request){.size = 3 * MB, .parent = "disk1"}, text);
    assert_string_equal(text, "Create differencing virtual hard disk \"disk2\" on \"disk1\"");
    memset(longest, 'n', NAME_MAX);
    longest[NAME_MAX] = 0;
    vhd_create_describe(longest, &(struct vhd_request){.size = (UINT64_C(2040) << 30) - 512}, text);
    assert_string_equal(text + strlen(text) - strlen("n\" (2190433320448B)"),
                        "n\" (2190433320448B)");
}

static void admits_before_or_in_the_task(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(1);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_create *create = creation(store, "a.vhd", 3 * MB, is_named);
        assert_int_equal(vhd_create_admit(create, NULL), VHD_OK);
        if (is_named)
            assert_int_equal(scratch_count(*state, VHD_DRAFT_PREFIX), 1);
        assert_int_equal(outcome(submit(service, create)), VHD_OK);
        assert_int_equal(scratch_count(*state, ""), 1);

        struct vhd_verdict verdict = {0};
        create = creation(store, "a.vhd", 3 * MB, is_named);
        assert_int_equal(vhd_create_admit(create, &verdict), VHD_ALREADY_EXISTS);
        assert_true(*verdict.sentence);
        vhd_create_free(create);
        create = creation(store, "a.vhd", 3 * MB, is_named);
        assert_int_equal(outcome(submit(service, create)), VHD_ALREADY_EXISTS);
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

static void a_task_never_submitted_leaves_nothing(void **state)
{
    struct vhd_store *store = open_store(*state);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_create *create = creation(store, "a.vhd", 3 * MB, is_named);
        assert_int_equal(vhd_create_admit(create, NULL), VHD_OK);
        vhd_create_free(create);
        assert_int_equal(scratch_count(*state, ""), 0);
        vhd_create_free(creation(store, "a.vhd", 3 * MB, is_named));
    }
    vhd_store_unref(store);
}

static void holds_its_store(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(1);
    struct vhd_create *create = creation(store, "a.vhd", 3 * MB, false);

    vhd_store_unref(store);
    assert_int_equal(outcome(submit(service, create)), VHD_OK);
    assert_true(scratch_has(*state, "a.vhd"));
    vhd_service_free(service);
}

static void a_stopped_service_makes_nothing(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(1);

    vhd_service_stop(service);
    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_task *task = NULL;
        struct vhd_verdict verdict = {0};
        struct vhd_create *create = creation(store, "a.vhd", 3 * MB, is_named);
        assert_int_equal(vhd_create_admit(create, NULL), VHD_OK);
        assert_int_equal(vhd_create_submit(service, create, &task, &verdict), VHD_SHUTTING_DOWN);
        assert_int_equal(verdict.result, VHD_SHUTTING_DOWN);
        assert_null(task);
        assert_int_equal(scratch_count(*state, ""), 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

/* The host has space for a dynamic disk, not for a fixed one of this size. */
static void ask_for_much(void *path)
{
    const struct vhd_request request = {.size = 16 * MB, .is_fixed = true};
    struct vhd_store *store;
    struct vhd_service *service;

    child_mount(path, "size=16m");
    CHILD_EXPECT(vhd_store_open(path, 0, &store, NULL) == VHD_OK);
    CHILD_EXPECT(vhd_service_new(1, 1, &service) == 0);
    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_task_status status;
        struct vhd_task *task;
        struct vhd_create *create = create_new(store, "a.vhd", &request);
        CHILD_EXPECT(create != NULL);
        if (is_named)
            vhd_create_name_draft(create);
        CHILD_EXPECT(vhd_create_submit(service, create, &task, NULL) == VHD_OK);
        CHILD_EXPECT(vhd_task_wait(task, -1) == 0);
        vhd_task_status(task, &status);
        CHILD_EXPECT(status.verdict.result == VHD_DISK_FULL);
        CHILD_EXPECT(*status.verdict.sentence);
        CHILD_EXPECT(!status.is_accepted);
        CHILD_EXPECT(scratch_count(path, "") == 0);
        vhd_task_unref(task);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

static void a_fixed_disk_without_space_is_never_accepted(void **state)
{
    in_child(ask_for_much, *state);
}

/* Work that keeps the one worker busy until a test lets it go. */
static enum vhd_result stand_still(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    gate_pass(arg);
    return vhd_task_commit(task) ? VHD_OK : vhd_verdict_set(ret, VHD_CANCELLED, NULL);
}

static void drop_nothing(void *arg)
{
    (void)arg;
}

static const struct vhd_work standing_still = {"stand", .run = stand_still, .drop = drop_nothing};

static void cancelled_while_queued_leaves_nothing(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(1);
    struct gate gate = GATE_CLOSED;
    struct vhd_task *busy;

    assert_int_equal(vhd_service_submit(service, &standing_still, &gate, "d", "Wait", &busy, NULL),
                     VHD_OK);
    for (int i = 0; i < 4; i++) {
        struct vhd_create *create = creation(store, "a.vhd", 3 * MB, i % 2);
        if (i < 2)
            assert_int_equal(vhd_create_admit(create, NULL), VHD_OK);
        struct vhd_task *task = submit(service, create);
        assert_int_equal(vhd_task_cancel(task), 0);
        assert_int_equal(scratch_count(*state, ""), 0);
        assert_int_equal(outcome(task), VHD_CANCELLED);
    }
    gate_open(&gate);
    assert_int_equal(outcome(busy), VHD_OK);
    vhd_service_free(service);
    assert_int_equal(scratch_count(*state, ""), 0);
    vhd_store_unref(store);
}

static void a_folder_that_vanishes_is_reported(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder);
    struct vhd_service *service = service_with(1);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_create *create = creation(store, "a.vhd", 3 * MB, is_named);
        if (is_named == 0)
            assert_int_equal(rmdir(folder), 0);
        assert_int_equal(outcome(submit(service, create)), VHD_PATH_NOT_FOUND);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

/* Cancel at any moment of the work: the outcome and the store must agree. */
static void cancelled_at_any_moment_leaves_all_or_nothing(void **state)
{
    enum { ROUNDS = 60 };
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(2);
    unsigned cancelled = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct vhd_create *create = creation(store, "a.vhd", 4096 * MB, i % 2);
        struct vhd_task_status status;
        struct vhd_task *task = submit(service, create);
        for (unsigned spin = 0; spin < i % 30; spin++)
            vhd_task_status(task, &status);
        if (i % 3 == 0)
            UNTIL((vhd_task_status(task, &status), status.percent >= 50 || status.is_complete));
        int answer = vhd_task_cancel(task);
        assert_int_equal(vhd_task_wait(task, -1), 0);
        vhd_task_status(task, &status);
        vhd_task_unref(task);
        if (answer == 0) {
            cancelled++;
            assert_int_equal(status.state, VHD_TASK_STOPPED);
            assert_int_equal(scratch_count(*state, ""), 0);
            continue;
        }
        assert_int_equal(status.state, VHD_TASK_COMPLETED);
        assert_int_equal(scratch_count(*state, ""), 1);
        struct sample image = contents(*state, "a.vhd");
        assert_int_equal(image.len, 10240);
        assert_memory_equal(image.bytes, sample_end(&image), 512);
        free(image.bytes);
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
    assert_true(cancelled > 0);
}

static void of_two_creators_of_one_name_one_succeeds(void **state)
{
    enum { ROUNDS = 10, CREATORS = 4 };
    struct vhd_store *store = open_store(*state);
    struct vhd_service *service = service_with(CREATORS);

    for (int round = 0; round < ROUNDS; round++) {
        struct vhd_create *creates[CREATORS];
        struct vhd_task *tasks[CREATORS];
        int made = -1;
        for (int i = 0; i < CREATORS; i++) {
            creates[i] = creation(store, "a.vhd", (3 + (uint64_t)i) * MB, (round + i) % 2);
            assert_int_equal(vhd_create_admit(creates[i], NULL), VHD_OK);
        }
        for (int i = 0; i < CREATORS; i++)
            tasks[i] = submit(service, creates[i]);
        for (int i = 0; i < CREATORS; i++) {
            enum vhd_result result = outcome(tasks[i]);
            if (result == VHD_OK) {
                assert_int_equal(made, -1);
                made = i;
            } else {
                assert_int_equal(result, VHD_ALREADY_EXISTS);
            }
        }
        assert_true(made >= 0);
        assert_int_equal(scratch_count(*state, ""), 1);
        struct sample image = contents(*state, "a.vhd");
        uint8_t size[8];
        put64(size, (3 + (uint64_t)made) * MB);
        assert_memory_equal(image.bytes + 48, size, 8);
        free(image.bytes);
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

/* The host fills up between admission and the writing. */
static void fill_up_meanwhile(void *path)
{
    struct vhd_store *store;
    struct vhd_service *service;

    child_mount(path, "size=10m");
    CHILD_EXPECT(vhd_store_open(path, 0, &store, NULL) == VHD_OK);
    CHILD_EXPECT(vhd_service_new(1, 1, &service) == 0);
    for (int is_named = 0; is_named < 2; is_named++) {
        const struct vhd_request request = {.size = 2088960 * MB};
        struct vhd_task_status status;
        struct vhd_task *task;
        struct vhd_create *create = create_new(store, "a.vhd", &request);
        CHILD_EXPECT(create != NULL);
        if (is_named)
            vhd_create_name_draft(create);
        CHILD_EXPECT(vhd_create_admit(create, NULL) == VHD_OK);
        int fd = open(scratch_path(path, "much"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        CHILD_EXPECT(fd >= 0 && posix_fallocate(fd, 0, 8 << 20) == 0);
        CHILD_EXPECT(vhd_create_submit(service, create, &task, NULL) == VHD_OK);
        CHILD_EXPECT(vhd_task_wait(task, -1) == 0);
        vhd_task_status(task, &status);
        CHILD_EXPECT(status.state == VHD_TASK_FAILED);
        CHILD_EXPECT(status.verdict.result == VHD_DISK_FULL);
        CHILD_EXPECT(*status.verdict.sentence);
        CHILD_EXPECT(scratch_count(path, "") == 1);
        vhd_task_unref(task);
        close(fd);
        CHILD_EXPECT(unlink(scratch_path(path, "much")) == 0);
    }
    vhd_service_free(service);
    vhd_store_unref(store);
}

static void a_host_that_fills_up_meanwhile_is_reported(void **state)
{
    in_child(fill_up_meanwhile, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(writes_the_image_of_the_reference),
        SCRATCH_TEST(identities_differ),
        SCRATCH_TEST(a_task_describes_itself),
        SCRATCH_TEST(describes_in_one_line),
        SCRATCH_TEST(admits_before_or_in_the_task),
        SCRATCH_TEST(a_task_never_submitted_leaves_nothing),
        SCRATCH_TEST(holds_its_store),
        SCRATCH_TEST(a_stopped_service_makes_nothing),
        SCRATCH_TEST(a_fixed_disk_without_space_is_never_accepted),
        SCRATCH_TEST(cancelled_while_queued_leaves_nothing),
        SCRATCH_TEST(a_folder_that_vanishes_is_reported),
        SCRATCH_TEST(cancelled_at_any_moment_leaves_all_or_nothing),
        SCRATCH_TEST(of_two_creators_of_one_name_one_succeeds),
        SCRATCH_TEST(a_host_that_fills_up_meanwhile_is_reported),
    };
    return cmocka_run_group_tests_name("create", tests, NULL, NULL);
}
