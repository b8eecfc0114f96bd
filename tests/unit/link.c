/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a differencing disk would record another parent than its user asked for, or a
 * parent that readers cannot find or that changes under it.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "format/placement.h"
#include "image/chain.h"
#include "image/parent.h"
#include "operation/create.h"
#include "operation/link.h"
#include "sentence.h"

/* Make a disk, and wait for its outcome. */
static enum vhd_result make(struct disks disks, const char *file, const char *parent, uint64_t size,
                            char sentence[VHD_SENTENCE_SIZE])
{
    struct vhd_request request = {.size = size};
    struct vhd_task_status status;
    struct vhd_service *service;
    struct vhd_task *task;

    snprintf(request.parent, sizeof request.parent, "%s", parent);
    assert_int_equal(vhd_service_new(1, 1, &service), 0);
    struct vhd_create *create = vhd_create_new(disks.catalogue, file, &request);
    assert_non_null(create);
    assert_int_equal(vhd_create_submit(service, create, &task, NULL), VHD_OK);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_status(task, &status);
    if (sentence)
        strcpy(sentence, status.verdict.sentence);
    vhd_task_unref(task);
    vhd_service_free(service);
    return status.verdict.result;
}

static void make_child(struct disks disks, const char *file, const char *parent)
{
    char sentence[VHD_SENTENCE_SIZE];

    if (make(disks, file, parent, 0, sentence) != VHD_OK)
        print_error("%s: %s\n", file, sentence);
    assert_true(scratch_has(vhd_store_path(disks.store), file));
}

static void refused(struct disks disks, const char *parent, uint64_t size, enum vhd_result expected)
{
    char sentence[VHD_SENTENCE_SIZE];

    assert_int_equal(make(disks, "child.vhd", parent, size, sentence), expected);
    assert_sentence(sentence);
    assert_false(scratch_has(vhd_store_path(disks.store), "child.vhd"));
}

/* A child of each type of disk reads as its parent, and is written without changing it. */
static void a_child_reads_as_its_parent(void **state)
{
    static const char *const parents[] = {"dynamic", "fixed", "differencing", "my disk \xC3\xBC%"};
    struct disks disks = disks_open(*state);

    put(*state, "dynamic.vhd", sample_dynamic(1, 2));
    put(*state, "fixed.vhd", sample_fixed(2));
    put(*state, "differencing.vhd", sample_child(3, 1, "dynamic.vhd"));
    put(*state, "my disk \xC3\xBC%.vhd", sample_dynamic(4, 2));
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        uint8_t was[BLOCK], is[BLOCK];
        char file[64];
        snprintf(file, sizeof file, "%s.vhd", parents[i]);
        struct kept kept = keep(*state, file);
        struct vhd_disk *parent = open_disk(disks, parents[i], 0);
        assert_int_equal(vhd_disk_read(parent, was, sizeof was, 0, NULL), 0);
        close_disk(parent);

        make_child(disks, "child.vhd", parents[i]);
        struct vhd_disk *child = open_writable(disks, "child");
        assert_int_equal(vhd_disk_size(child), DISK);
        assert_int_equal(vhd_disk_read(child, is, sizeof is, 0, NULL), 0);
        assert_memory_equal(is, was, sizeof is);
        fill(child, BLOCK, 512, 0x77);
        close_disk(child);
        expect_kept(*state, file, kept);
        unlink(scratch_path(*state, "child.vhd"));
    }
    disks_close(disks);
}

/* What the specification and other programs want in the header. */
static void a_child_records_its_parent(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_parent_names names;
    struct vhd_image image;
    struct stat attributes;
    const struct timespec times[2] = {{.tv_sec = 1000000001}, {.tv_sec = 1000000002, .tv_nsec = 9}};

    put(*state, "Base.VHD", sample_dynamic(7, 2));
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(*state, "Base.VHD"), times, 0), 0);
    make_child(disks, "child.vhd", "Base");
    int fd = open(scratch_path(*state, "child.vhd"), O_RDONLY | O_CLOEXEC);
    assert_true(vhd_image_judge(fd, &image));
    assert_int_equal(image.footer.type, VHD_TYPE_DIFFERENCING);
    assert_int_equal(image.footer.current_size, DISK);
    assert_int_equal(image.footer.original_size, DISK);
    assert_int_equal(image.header.parent_timestamp, 1000000002 - VHD_EPOCH);
    assert_int_equal(image.header.block_size, VHD_BLOCK_DEFAULT);
    assert_int_equal(image.allocated, 0);
    uuid_t parent;
    struct vhd_disk *disk = open_disk(disks, "Base", 0);
    vhd_disk_uuid(disk, parent);
    close_disk(disk);
    assert_memory_equal(image.header.parent_uuid, parent, sizeof parent);
    vhd_parent_read_names(fd, &image.header, &names);
    for (int i = 0; i < 4; i++)
        assert_string_equal(names.names[i], "Base.VHD");
    assert_int_equal(fstat(fd, &attributes), 0);
    for (int i = 0; i < 3; i++) {
        const struct vhd_locator *locator = &image.header.locators[i];
        assert_true(locator->data_offset >= VHD_TABLE_OFFSET + 512);
        assert_true(locator->data_offset + locator->data_space <=
                    (uint64_t)attributes.st_size - 512);
    }
    close(fd);
    disks_close(disks);
}

static void the_size_is_the_parents(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 2));
    refused(disks, "base", DISK + 512, VHD_INVALID_ARGUMENT);
    assert_int_equal(make(disks, "child.vhd", "base", DISK, NULL), VHD_OK);
    disks_close(disks);
}

static void a_parent_that_cannot_be_one_is_refused(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample nameless = sample_dynamic(5, 1);

    put(*state, "text.vhd", sample_of(5000));
    put(*state, "orphan.vhd", sample_child(2, 1, "gone.vhd"));
    memset(nameless.bytes + 68, 0, 16);
    sample_seal_footer(nameless.bytes);
    memcpy(nameless.bytes + nameless.len - 512, nameless.bytes, 512);
    put(*state, "nameless.vhd", nameless);
    put(*state, "\xFF.vhd", sample_dynamic(6, 1));
    put(*state, "a\\b.vhd", sample_dynamic(8, 1));
    refused(disks, "none", 0, VHD_PARENT_NOT_FOUND);
    refused(disks, "child", 0, VHD_PARENT_NOT_FOUND);
    refused(disks, "text", 0, VHD_NOT_A_DISK);
    refused(disks, "orphan", 0, VHD_PARENT_LOST);
    refused(disks, "nameless", 0, VHD_INVALID_ARGUMENT);
    refused(disks, "\xFF", 0, VHD_INVALID_ARGUMENT);
    refused(disks, "a\\b", 0, VHD_INVALID_ARGUMENT); /* a Windows path would lead to "b" */
    disks_close(disks);
}

/* A writer would change the child's content. Once the child is there, the writer is refused. */
static void a_parent_has_no_writer(void **state)
{
    struct disks disks = disks_open(*state);

    put(*state, "base.vhd", sample_dynamic(1, 2));
    struct vhd_disk *writer = open_writable(disks, "base");
    refused(disks, "base", 0, VHD_IN_USE);
    close_disk(writer);
    struct vhd_disk *reader = open_disk(disks, "base", 0);
    make_child(disks, "child.vhd", "base");
    close_disk(reader);
    refuse_disk(disks, "base", VHD_DISK_WRITE, VHD_READ_ONLY);

    struct vhd_link link;
    assert_int_equal(vhd_link_begin(disks.catalogue, "child", NULL, &link, NULL), VHD_OK);
    refuse_disk(disks, "child", VHD_DISK_WRITE, VHD_IN_USE);
    vhd_link_end(&link);
    close_disk(open_writable(disks, "child"));
    disks_close(disks);
}

static void *close_soon(void *writer)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    close_disk(writer);
    return NULL;
}

/* close(2) returns before the daemon closes the disk: "mkfs base; echo parent=base" must work. */
static void a_close_under_way_is_waited_for(void **state)
{
    struct disks disks = disks_open(*state);
    pthread_t thread;

    put(*state, "base.vhd", sample_dynamic(1, 2));
    struct vhd_disk *writer = open_writable(disks, "base");
    assert_int_equal(pthread_create(&thread, NULL, close_soon, writer), 0);
    assert_int_equal(make(disks, "child.vhd", "base", 0, NULL), VHD_OK);
    pthread_join(thread, NULL);
    disks_close(disks);
}

static void a_cancel_ends_the_wait_for_a_writer(void **state)
{
    const struct vhd_request request = {.parent = "base"};
    struct disks disks = disks_open(*state);
    struct vhd_task_status status;
    struct vhd_service *service;
    struct vhd_task *task;

    put(*state, "base.vhd", sample_dynamic(1, 2));
    struct vhd_disk *writer = open_writable(disks, "base");
    assert_int_equal(vhd_service_new(1, 1, &service), 0);
    struct vhd_create *create = vhd_create_new(disks.catalogue, "child.vhd", &request);
    assert_non_null(create);
    assert_int_equal(vhd_create_submit(service, create, &task, NULL), VHD_OK);
    do
        vhd_task_status(task, &status);
    while (status.state == VHD_TASK_QUEUED);
    assert_int_equal(vhd_task_cancel(task), 0);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_status(task, &status);
    assert_int_equal(status.state, VHD_TASK_STOPPED);
    vhd_task_unref(task);
    vhd_service_free(service);
    close_disk(writer);
    disks_close(disks);
}

static void a_chain_has_64_files_at_most(void **state)
{
    struct disks disks = disks_open(*state);
    char file[16], parent[16] = "0";

    put(*state, "0.vhd", sample_dynamic(1, 2));
    for (int i = 1; i < VHD_CHAIN_MAX; i++) {
        snprintf(file, sizeof file, "%d.vhd", i);
        make_child(disks, file, parent);
        snprintf(parent, sizeof parent, "%d", i);
    }
    struct vhd_disk *disk = open_disk(disks, parent, 0);
    expect(disk, 0, 512, 0xEE);
    close_disk(disk);
    refused(disks, parent, 0, VHD_INVALID_ARGUMENT);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_child_reads_as_its_parent),
        SCRATCH_TEST(a_child_records_its_parent),
        SCRATCH_TEST(the_size_is_the_parents),
        SCRATCH_TEST(a_parent_that_cannot_be_one_is_refused),
        SCRATCH_TEST(a_parent_has_no_writer),
        SCRATCH_TEST(a_close_under_way_is_waited_for),
        SCRATCH_TEST(a_cancel_ends_the_wait_for_a_writer),
        SCRATCH_TEST(a_chain_has_64_files_at_most),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
