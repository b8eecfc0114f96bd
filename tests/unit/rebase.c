/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a differencing disk whose parent was renamed would stay lost, or would get a
 * parent with other content without a word.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "engine.h"
#include "image/chain.h"
#include "image/info.h"
#include "verbs.h"

enum { PARENT = 7, CHILD = 9, OTHER = 11 };

/* The fault or remark that a user sees, and the parent. */
static void expect_info(struct disks disks, const char *name, const char *parent,
                        enum vhd_defect defect)
{
    struct vhd_info info;

    assert_int_equal(vhd_info_read_all(disks.catalogue, name, &info), 0);
    assert_string_equal(info.parent, parent);
    if (info.image.fault.defect != defect)
        print_error("%s\n", info.image.fault.sentence);
    assert_int_equal(info.image.fault.defect, defect);
}

static struct disks put_child(const char *folder, const char *recorded)
{
    put(folder, "child.vhd", sample_child(CHILD, PARENT, recorded));
    return disks_open(folder);
}

static void a_renamed_parent_is_recorded(void **state)
{
    struct disks disks = put_child(*state, "gone.vhd");

    put(*state, "moved.vhd", sample_dynamic(PARENT, 2));
    refuse_disk(disks, "child", 0, VHD_PARENT_LOST);
    assert_int_equal(verb(disks, "child", "rebase moved"), VHD_OK);
    expect_info(disks, "child", "moved", VHD_SOUND);
    close_disk(open_writable(disks, "child"));
    disks_close(disks);
}

static void another_time_is_recorded(void **state)
{
    struct disks disks = put_child(*state, "base.vhd");

    put(*state, "base.vhd", sample_dynamic(PARENT, 2));
    expect_info(disks, "child", "base", VHD_PARENT_TOUCHED);
    assert_int_equal(verb(disks, "child", "rebase base"), VHD_OK);
    expect_info(disks, "child", "base", VHD_SOUND);
    disks_close(disks);
}

/* The index of children reads changed headers each two seconds; our own change shows at once. */
static void the_former_parent_can_be_written_to_at_once(void **state)
{
    struct disks disks = put_child(*state, "base.vhd");

    put(*state, "base.vhd", sample_dynamic(PARENT, 2));
    put(*state, "copy.vhd", sample_dynamic(PARENT, 2));
    refuse_disk(disks, "base", VHD_DISK_WRITE, VHD_READ_ONLY);
    assert_int_equal(verb(disks, "child", "rebase copy"), VHD_OK);
    close_disk(open_writable(disks, "base"));
    refuse_disk(disks, "copy", VHD_DISK_WRITE, VHD_READ_ONLY);
    disks_close(disks);
}

static void another_disk_needs_force(void **state)
{
    struct disks disks = put_child(*state, "gone.vhd");

    put(*state, "other.vhd", sample_dynamic(OTHER, 2));
    refused(disks, "child", "rebase other", VHD_PARENT_IDENTITY);
    assert_int_equal(verb(disks, "child", "rebase other force"), VHD_OK);
    expect_info(disks, "child", "other", VHD_SOUND);
    disks_close(disks);
}

/* XenServer enlarges children. A parent that is larger than its child never opens. */
static void a_parent_may_be_smaller_but_not_larger(void **state)
{
    struct disks disks = put_child(*state, "gone.vhd");
    struct sample small = sample_dynamic(PARENT, 1), large = sample_dynamic(OTHER, 1);

    sample_footers(&small, SAMPLE_DYNAMIC, SAMPLE_SIZE - 512, PARENT);
    put(*state, "small.vhd", small);
    sample_header(large.bytes + SAMPLE_HEADER, SAMPLE_TABLE, SAMPLE_BLOCKS + 1, SAMPLE_BLOCK);
    sample_footers(&large, SAMPLE_DYNAMIC, SAMPLE_SIZE + SAMPLE_BLOCK, PARENT);
    put(*state, "large.vhd", large);
    refused(disks, "child", "rebase large", VHD_PARENT_IDENTITY);
    refused(disks, "child", "rebase large force", VHD_PARENT_IDENTITY);
    assert_int_equal(verb(disks, "child", "rebase small"), VHD_OK);
    expect_info(disks, "child", "small", VHD_PARENT_SMALLER);
    disks_close(disks);
}

/* A chain that comes back is refused, also where it is broken now. */
static void a_chain_that_comes_back_is_refused(void **state)
{
    struct disks disks = put_child(*state, "gone.vhd");

    put(*state, "grandchild.vhd", sample_child(OTHER, CHILD, "child.vhd"));
    refused(disks, "child", "rebase child", VHD_INVALID_ARGUMENT);
    refused(disks, "child", "rebase grandchild", VHD_INVALID_ARGUMENT);
    refused(disks, "child", "rebase grandchild force", VHD_INVALID_ARGUMENT);
    disks_close(disks);
}

static void what_is_no_pair_is_refused(void **state)
{
    struct disks disks = put_child(*state, "gone.vhd");

    put(*state, "base.vhd", sample_dynamic(PARENT, 2));
    put(*state, "fixed.vhd", sample_fixed(OTHER));
    put(*state, "text.vhd", sample_of(5000));
    refused(disks, "child", "rebase none", VHD_PARENT_NOT_FOUND);
    refused(disks, "child", "rebase text", VHD_NOT_A_DISK);
    refused(disks, "base", "rebase fixed force", VHD_WRONG_TYPE);
    refused(disks, "fixed", "rebase base force", VHD_WRONG_TYPE);
    refused(disks, "text", "rebase base", VHD_NOT_A_DISK);
    disks_close(disks);
}

static void a_disk_in_use_is_refused(void **state)
{
    struct disks disks = put_child(*state, "base.vhd");

    put(*state, "base.vhd", sample_dynamic(PARENT, 2));
    put(*state, "grandchild.vhd", sample_child(OTHER, CHILD, "child.vhd"));
    put(*state, "moved.vhd", sample_dynamic(PARENT, 2));
    struct vhd_disk *reader = open_disk(disks, "child", 0);
    refused(disks, "child", "rebase moved", VHD_IN_USE);
    close_disk(reader);
    reader = open_disk(disks, "grandchild", 0);
    refused(disks, "child", "rebase moved", VHD_IN_USE);
    close_disk(reader);
    struct vhd_disk *writer = open_writable(disks, "moved");
    refused(disks, "child", "rebase moved", VHD_IN_USE);
    close_disk(writer);
    assert_int_equal(verb(disks, "child", "rebase moved"), VHD_OK);
    disks_close(disks);
}

static void *close_soon(void *disk)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    close_disk(disk);
    return NULL;
}

static void a_close_under_way_is_waited_for(void **state)
{
    struct disks disks = put_child(*state, "base.vhd");
    pthread_t thread;

    put(*state, "base.vhd", sample_dynamic(PARENT, 2));
    struct vhd_disk *writer = open_writable(disks, "child");
    assert_int_equal(pthread_create(&thread, NULL, close_soon, writer), 0);
    assert_int_equal(verb(disks, "child", "rebase base"), VHD_OK);
    pthread_join(thread, NULL);
    disks_close(disks);
}

/* Children record the time of the disk's file. A remark shows that their content may be another. */
static void children_of_the_disk_stay_sound(void **state)
{
    const struct timespec old = {VHD_EPOCH + 0x11111111, 0}, times[] = {old, old};
    struct disks disks = put_child(*state, "gone.vhd");

    put(*state, "moved.vhd", sample_dynamic(PARENT, 2));
    put(*state, "other.vhd", sample_dynamic(OTHER, 2));
    put(*state, "grandchild.vhd", sample_child(3, CHILD, "child.vhd"));
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(*state, "child.vhd"), times, 0), 0);
    assert_int_equal(verb(disks, "child", "rebase moved"), VHD_OK);
    expect_info(disks, "grandchild", "child", VHD_SOUND);
    assert_int_equal(verb(disks, "child", "rebase other force"), VHD_OK);
    expect_info(disks, "grandchild", "child", VHD_PARENT_TOUCHED);
    disks_close(disks);
}

/* Put the chain of 0.vhd, 1.vhd and so on. All have the identity of the parent. */
static void put_chain(const char *folder, int files)
{
    char file[16], parent[16];

    put(folder, "0.vhd", sample_dynamic(PARENT, 2));
    for (int i = 1; i < files; i++) {
        snprintf(file, sizeof file, "%d.vhd", i);
        snprintf(parent, sizeof parent, "%d.vhd", i - 1);
        put(folder, file, sample_child(PARENT, PARENT, parent));
    }
}

static void a_chain_has_64_files_at_most(void **state)
{
    struct disks disks = put_child(*state, "gone.vhd");

    put_chain(*state, VHD_CHAIN_MAX);
    refused(disks, "child", "rebase 63", VHD_INVALID_ARGUMENT);
    assert_int_equal(verb(disks, "child", "rebase 62"), VHD_OK);
    close_disk(open_disk(disks, "child", 0));
    disks_close(disks);
}

/* The disks that are based on the disk have to open too. */
static void the_chains_of_children_have_64_files_at_most(void **state)
{
    enum { ABOVE = 40, BELOW = VHD_CHAIN_MAX - ABOVE, FIRST = 100 };
    struct disks disks = put_child(*state, "gone.vhd");
    char file[16], parent[16] = "child.vhd";

    put_chain(*state, ABOVE);
    snprintf(parent, sizeof parent, "child.vhd");
    for (int i = 0; i < BELOW; i++) {
        snprintf(file, sizeof file, "below%d.vhd", i);
        put(*state, file,
            sample_child((uint8_t)(FIRST + i), (uint8_t)(i == 0 ? CHILD : FIRST + i - 1), parent));
        snprintf(parent, sizeof parent, "below%d.vhd", i);
    }
    refused(disks, "child", "rebase 39", VHD_INVALID_ARGUMENT);
    assert_int_equal(verb(disks, "child", "rebase 38"), VHD_OK);
    snprintf(file, sizeof file, "below%d", BELOW - 1);
    close_disk(open_disk(disks, file, 0));
    disks_close(disks);
}

static void a_line_has_one_name(void **state)
{
    static const char *const bad[] = {"rebase",          "rebase a b", "rebase a force b",
                                      "rebase a forced", "rebase a/b", "rebase \"a"};
    struct vhd_command command;
    struct vhd_verdict why;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(vhd_command_parse(bad[i], strlen(bad[i]), &command, &why),
                         VHD_INVALID_ARGUMENT);
        assert_sentence(why.sentence);
    }
    assert_int_equal(vhd_command_parse("rebase a.vhd force\r\n", 20, &command, NULL), VHD_OK);
    assert_string_equal(command.name, "a");
    assert_true(command.is_forced);
    assert_int_equal(vhd_command_parse("rebase \"my disk\"", 16, &command, NULL), VHD_OK);
    assert_string_equal(command.name, "my disk");
    assert_false(command.is_forced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_renamed_parent_is_recorded),
        SCRATCH_TEST(another_time_is_recorded),
        SCRATCH_TEST(the_former_parent_can_be_written_to_at_once),
        SCRATCH_TEST(another_disk_needs_force),
        SCRATCH_TEST(a_parent_may_be_smaller_but_not_larger),
        SCRATCH_TEST(a_chain_that_comes_back_is_refused),
        SCRATCH_TEST(what_is_no_pair_is_refused),
        SCRATCH_TEST(a_disk_in_use_is_refused),
        SCRATCH_TEST(a_close_under_way_is_waited_for),
        SCRATCH_TEST(children_of_the_disk_stay_sound),
        SCRATCH_TEST(a_chain_has_64_files_at_most),
        SCRATCH_TEST(the_chains_of_children_have_64_files_at_most),
        cmocka_unit_test(a_line_has_one_name),
    };
    return cmocka_run_group_tests_name("rebase", tests, NULL, NULL);
}
