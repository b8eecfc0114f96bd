/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a new disk would differ from its request, or other programs could not open it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "create.h"
#include "gate.h"
#include "operation/create.h"
#include "sample.h"
#include "scratch.h"
#include "store/sweep.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(writes_the_image_of_the_reference), SCRATCH_TEST(identities_differ),
        SCRATCH_TEST(a_task_describes_itself),           SCRATCH_TEST(describes_in_one_line),
        SCRATCH_TEST(admits_before_or_in_the_task),      SCRATCH_TEST(holds_its_store),
    };
    return cmocka_run_group_tests_name("create", tests, NULL, NULL);
}
